/** The files that a page of docs/adapters/ shows: each is called by its path, behind the language of its block. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../examples/built.ts';

/** What the page does not show: it is of the repository, or npm and the framework make it. */
const UNSHOWN = /^(\.|package(-lock)?\.json$|next-env\.d\.ts$|node_modules\b|build\b|dist\b)/;

export interface ShownFiles {
  /** Text by path: those of the example, and others. */
  readonly files: Readonly<Record<string, string>>;
  /** Those that the example does not have. */
  readonly others: Readonly<Record<string, string>>;
}

export function shownFiles(example: string): ShownFiles {
  const text = readFileSync(join(ROOT, `docs/adapters/${example}.md`), 'utf8');
  const blocks = [...text.matchAll(/^```[a-z]+ (\S+)\n([\s\S]*?)^```$/gm)].map(
    ([, path, code]) => [path!, code!] as const,
  );
  const own = new Set(filesOf(example));
  return { files: Object.fromEntries(blocks), others: Object.fromEntries(blocks.filter(([path]) => !own.has(path))) };
}

function filesOf(example: string): string[] {
  const folder = join(ROOT, 'examples', example);
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !UNSHOWN.test(path));
}

/**
 * Of a page and its example: they are the same program, and the page installs what the example does.
 * @param made files of the example that the framework makes by itself where there are none
 */
export function describePage(example: string, made: readonly string[] = []): void {
  it('shows the program that is tested here, file by file', () => {
    const { files } = shownFiles(example);
    for (const path of filesOf(example)) {
      if (made.includes(path)) continue;
      expect(files[path], path).toBe(readFileSync(join(ROOT, 'examples', example, path), 'utf8'));
    }
  });

  it('installs what the program needs', () => {
    const text = readFileSync(join(ROOT, `docs/adapters/${example}.md`), 'utf8');
    const named = [...text.matchAll(/^npm install (.*)$/gm)]
      .flatMap(([, names]) => names!.split(' '))
      .filter((name) => !name.startsWith('--'))
      .map((name) => name.replace(/(?<=.)@.*$/, ''));
    const { dependencies, devDependencies } = JSON.parse(
      readFileSync(join(ROOT, 'examples', example, 'package.json'), 'utf8'),
    );
    expect(named.sort()).toEqual(Object.keys({ ...dependencies, ...devDependencies }).sort());
  });
}
