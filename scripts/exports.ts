/**
 * package.json `exports`, made from the tree: `npm run exports` rewrites it, and the tests fail when it differs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { INTERNAL, publicFiles, ROOT, staleInternal } from './public-files.ts';

type Conditions = Record<'import' | 'require', { types: string; default: string }>;

/** What package.json `exports` has to be. Each format has its own types, since TypeScript reads `.d.ts` as ESM here. */
export function expectedExports(root: string = ROOT): Record<string, Conditions | string> {
  const map: Record<string, Conditions | string> = {};
  for (const { name, subpath } of publicFiles(root)) {
    map[subpath] = {
      import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
      require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
    };
  }
  map['./package.json'] = './package.json';
  return map;
}

/** What is wrong with package.json `exports` and with the list of internal files; empty when nothing is. */
export function exportProblems(root: string = ROOT): string[] {
  const problems = staleInternal(root).map((name) => `INTERNAL names src/${name}.ts, which is not there: take it out`);
  const actual: Record<string, unknown> = readPackage(root).exports ?? {};
  const expected = expectedExports(root);
  for (const subpath of Object.keys(expected)) {
    if (!(subpath in actual)) problems.push(`${subpath} is in the tree and not in package.json`);
    else if (JSON.stringify(actual[subpath]) !== JSON.stringify(expected[subpath])) problems.push(`${subpath} differs`);
  }
  for (const subpath of Object.keys(actual)) {
    if (!(subpath in expected)) problems.push(`${subpath} is in package.json and not in the tree`);
  }
  return problems;
}

function readPackage(root: string): { exports?: Record<string, unknown>; [key: string]: unknown } {
  return JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
}

function rewrite(): void {
  const description = { ...readPackage(ROOT), exports: expectedExports() };
  writeFileSync(`${ROOT}package.json`, `${JSON.stringify(description, null, 2)}\n`);
  console.log(
    `package.json: ${publicFiles()
      .map(({ subpath }) => subpath)
      .join(' ')}`,
  );
  console.log(`internal: ${INTERNAL.join(' ')} (scripts/public-files.ts)`);
}

if (import.meta.main) rewrite();
