/**
 * The shape of `src/`: imports point one way, without cycles; the engine touches no framework, driver or I/O; files stay
 * small. Prints each violation with what would be right.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, posix } from 'node:path';
import { ROOT } from './public-files.ts';

/** A layer (a folder of `src/`, or a file at its top) and the layers it may import besides itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  errors: [],
  codecs: ['errors'],
  core: ['codecs', 'errors'],
  stores: ['core', 'codecs', 'errors'],
  // For the store that is used when none is configured.
  adapters: ['stores', 'core', 'codecs', 'errors'],
  // The suite of adapters plays on the memory store.
  testing: ['stores', 'core', 'codecs', 'errors'],
  connect: ['stores', 'core', 'codecs', 'errors'],
  flask: ['stores', 'core', 'codecs', 'errors'],
  cli: ['flask', 'stores', 'core', 'codecs', 'errors'],
  index: ['flask', 'stores', 'core', 'codecs', 'errors'],
};

/** What a pure layer may import of Node: no I/O. The other layers may import any of it. */
const PURE: Record<string, readonly string[]> = {
  errors: [],
  codecs: ['node:crypto', 'node:zlib'],
  core: ['node:crypto', 'node:zlib', 'node:async_hooks'],
  index: [],
};

/**
 * Files that may import packages as values, because what they offer is made by the framework's own functions (a Nest module
 * by its decorators). Only those who have the framework import the file's subpath.
 */
const FRAMEWORKS: Record<string, readonly string[]> = {
  'adapters/nestjs.ts': ['@nestjs/common', '@nestjs/core'],
};

const MOST_LINES = 400;

interface Import {
  specifier: string;
  /** `import type`, `import('x')`, or an ordinary one. */
  kind: 'type' | 'dynamic' | 'value';
}

export interface LayerReport {
  /** How many files were read. */
  files: number;
  violations: string[];
}

export function checkLayers(root: string = ROOT): LayerReport {
  const violations: string[] = [];
  const graph = new Map<string, string[]>();
  const files = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts'))
    .sort();
  const peers = optionalPeers(root);

  for (const file of files) {
    const text = readFileSync(`${root}src/${file}`, 'utf8');
    violations.push(...shapeProblems(file, text));
    const edges: string[] = [];
    for (const found of importsOf(text)) {
      if (!found.specifier.startsWith('.')) {
        const problem = outsideProblem(file, found, peers);
        if (problem) violations.push(`src/${file} imports ${found.specifier}: ${problem}`);
        continue;
      }
      const target = posix.join(dirname(file), found.specifier);
      if (found.kind !== 'dynamic') edges.push(target);
      const problem = layerProblem(layerOf(file), layerOf(target));
      if (problem) violations.push(`src/${file} imports src/${target}: ${problem}`);
    }
    graph.set(file, edges);
  }
  for (const cycle of cyclesOf(graph)) {
    violations.push(
      `${[...cycle, cycle[0]].map((file) => `src/${file}`).join(' -> ')}: a cycle; move what they share into a file below both`,
    );
  }
  return { files: files.length, violations };
}

function shapeProblems(file: string, text: string): string[] {
  const problems: string[] = [];
  if (!(layerOf(file) in MAY_IMPORT)) {
    problems.push(`src/${file}: not in a layer; the layers are ${Object.keys(MAY_IMPORT).join(', ')}`);
  }
  const lines = text.split('\n').length - 1;
  if (lines > MOST_LINES)
    problems.push(`src/${file}: ${lines} lines; ${MOST_LINES} at most, so give each idea its own file`);
  if (file.split('/').some((part) => /^(utils?|helpers?|types)(\.ts)?$/.test(part))) {
    problems.push(`src/${file}: a name that says nothing; put each helper and type beside its owner`);
  }
  return problems;
}

function layerProblem(from: string, to: string): string | undefined {
  const allowed = MAY_IMPORT[from];
  if (allowed === undefined || from === to || allowed.includes(to)) return;
  return `${from} may import ${allowed.length === 0 ? 'no other layer' : allowed.join(', ')}`;
}

function outsideProblem(file: string, { specifier, kind }: Import, peers: readonly string[]): string | undefined {
  const layer = layerOf(file);
  const pure = PURE[layer];
  if (pure !== undefined) {
    if (pure.includes(specifier)) return;
    return `${layer} may import ${pure.length === 0 ? 'nothing from outside' : pure.join(', ')}, and nothing else from outside`;
  }
  if (specifier.startsWith('node:')) return;
  // A value import would fail in every application that does not have the package.
  if (kind === 'value' && !FRAMEWORKS[file]?.includes(specifier)) {
    return 'a package may be imported as a type, or by import() when it is needed';
  }
  const owner = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  if (!peers.includes(owner)) return `declare ${owner} as an optional peer in package.json`;
  return;
}

function optionalPeers(root: string): string[] {
  const { peerDependencies = {}, peerDependenciesMeta = {} } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  return Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional === true);
}

/** `core/session.ts` is in `core`; `errors.ts` at the top is a layer of its own. */
function layerOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : file.slice(0, -'.ts'.length);
}

/** The formatter leaves statements at the start of a line and comments behind ` * `, so that no parser is needed. */
function importsOf(text: string): Import[] {
  const found: Import[] = [];
  for (const [, keyword, specifier] of text.matchAll(
    /^(import type|export type|import|export)\b(?:[^;'"`=(]*?\bfrom)?\s*'([^']+)'/gm,
  )) {
    if (specifier) found.push({ specifier, kind: keyword?.endsWith('type') ? 'type' : 'value' });
  }
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  for (const [, typeOf, specifier] of code.matchAll(/(\btypeof\s+)?\bimport\(\s*'([^']+)'/g)) {
    if (specifier) found.push({ specifier, kind: typeOf ? 'type' : 'dynamic' });
  }
  return found;
}

/** One cycle per group of files that reach each other, shortest form of what a depth-first walk meets. */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at !== -1) cycles.push(path.slice(at));
    if (at !== -1 || done.has(file)) return;
    path.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return cycles;
}

if (import.meta.main) {
  const { files, violations } = checkLayers();
  for (const violation of violations) console.error(violation);
  console.log(`layers: ${files} files, ${violations.length} violations`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
