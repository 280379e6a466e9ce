/**
 * Which source files are public, and under which subpath. The build, package.json, knip and the package tests all ask here, so
 * that the subpath of an export is its path.
 *
 * The rule: public are `index.ts`, `errors.ts`, `connect.ts`, `flask/index.ts`, the suites of `testing/` (`…-suite.ts`) and its
 * `signed-in.ts`, and the files directly inside `codecs/`, `stores/` and `adapters/`, except
 * - a part of its neighbour, which extends the neighbour's name: `pickle-read.ts` beside `pickle.ts`;
 * - what `INTERNAL` names: a piece that several of them share.
 */
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The package's folder, with a slash at its end. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const SINGLE = ['index', 'errors', 'connect', 'flask/index', 'testing/signed-in'];
const FOLDERS = ['codecs', 'stores', 'adapters'];

/** Shared pieces beside public files, relative to `src/`. */
export const INTERNAL: readonly string[] = [
  'adapters/forwarded-proto',
  'adapters/held-response',
  'adapters/request-members',
  'codecs/any',
  'codecs/base64',
  'codecs/codec',
  'codecs/cookie-serializer',
  'codecs/decoded-record',
  'codecs/http-date',
  'codecs/limits',
  'codecs/standard-base64',
  'codecs/tags',
  'codecs/values',
  'stores/cachelib-file',
  'stores/cachelib-folder',
  'stores/cachelib-names',
  'stores/cachelib-threshold',
  'stores/file-lock',
  'stores/known-options',
];

export interface PublicFile {
  /** Relative to `src/`, without `.ts`: `stores/redis`. The built files have the same name inside `dist/`. */
  readonly name: string;
  /** As in package.json `exports`: `.`, `./stores/redis`. */
  readonly subpath: string;
}

/** Every public file of the tree, `.` first, then by name. */
export function publicFiles(root: string = ROOT): PublicFile[] {
  const names = SINGLE.filter((name) => existsSync(`${root}src/${name}.ts`));
  for (const name of filesIn(`${root}src/testing`)) {
    if (name.endsWith('-suite')) names.push(`testing/${name}`);
  }
  for (const folder of FOLDERS) {
    const neighbours = filesIn(`${root}src/${folder}`);
    for (const name of neighbours) {
      const isPart = neighbours.some((other) => name.startsWith(`${other}-`));
      if (!isPart && !INTERNAL.includes(`${folder}/${name}`)) names.push(`${folder}/${name}`);
    }
  }
  return names.map((name) => ({ name, subpath: subpathOf(name) })).sort((a, b) => (a.subpath < b.subpath ? -1 : 1));
}

/** Entries of `INTERNAL` that name no file: left behind by a rename. */
export function staleInternal(root: string = ROOT): string[] {
  return INTERNAL.filter((name) => !existsSync(`${root}src/${name}.ts`));
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => entry.name.slice(0, -'.ts'.length));
}

function subpathOf(name: string): string {
  if (name === 'index') return '.';
  return `./${name.endsWith('/index') ? name.slice(0, -'/index'.length) : name}`;
}
