/**
 * Bundles every public entry alone, as esbuild and Vite do it for an application in which nothing but this package is
 * installed: nothing but this package may be inside, and nothing but `node:…` and optional peers outside. Prints the sizes, and
 * compares them with bundle-budgets.json; `npm run check:bundles -- --write` accepts them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { build as buildWithVite } from 'vite';
import { withConsumer } from './consumer.ts';
import { MADE_WITH } from './made-with.ts';
import { publicFiles, ROOT } from './public-files.ts';
import { type Outcome, reported } from './run.ts';

const BUDGETS = `${ROOT}scripts/bundle-budgets.json`;
/** What a size may exceed its budget by: a fix fits in, a dependency does not. */
const TOLERANCE = 0.05;

/** Entries for runtimes without a file system and sockets, or the folders of such entries. */
const EDGE = [
  '.',
  './errors',
  './adapters/elysia',
  './adapters/fetch',
  './adapters/h3',
  './adapters/hono',
  './codecs/',
  './stores/memory',
];
/** The modules of Node that those may ask for: workerd has them, with `nodejs_compat`. */
const EDGE_MODULES = ['node:async_hooks', 'node:crypto', 'node:zlib'];

/** Some of an entry's exports: what else is in the file must not come along. */
const PARTS = [
  {
    name: "{ session } from 'flacon'",
    code: "export { session } from 'flacon'",
    without: ['createHmac', 'deflateSync'],
  },
  {
    name: "{ SessionError } from 'flacon'",
    code: "export { SessionError } from 'flacon'",
    without: ['AsyncLocalStorage'],
  },
];

interface Import {
  readonly name: string;
  readonly isDynamic: boolean;
}

interface Bundle {
  readonly code: string;
  readonly imports: readonly Import[];
  /** Absolute paths of what is inside. */
  readonly inside: readonly string[];
}

type Budgets = Record<string, { readonly minified: number; readonly gzip: number }>;

/** @param write whether the sizes become the budgets */
export function checkBundles(write = false): Promise<Outcome> {
  return withConsumer(async (folder) => {
    const peers = optionalPeers();
    const problems: string[] = [];
    const sizes: Budgets = {};
    let passed = 0;
    const bundleOf = async (name: string, code: string, isEdge: boolean): Promise<Bundle> => {
      const bundle = await withEsbuild(folder, code, peers, isEdge);
      sizes[name] = { minified: Buffer.byteLength(bundle.code), gzip: gzipSync(bundle.code, { level: 9 }).length };
      return bundle;
    };
    const settle = (name: string, found: readonly string[]) => {
      problems.push(...found.map((problem) => `${name}: ${problem}`));
      if (found.length === 0) passed++;
    };

    for (const { subpath } of publicFiles()) {
      const code = `export * from 'flacon${subpath.slice(1)}'`;
      const isEdge = EDGE.some((entry) => entry === subpath || (entry.endsWith('/') && subpath.startsWith(entry)));
      const rules = { subpath, folder, peers, isEdge };
      settle(`${subpath}, esbuild`, await problemsOf(bundleOf(subpath, code, isEdge), rules));
      settle(`${subpath}, Vite`, await problemsOf(withVite(folder, code, peers, isEdge), rules));
    }
    for (const { name, code, without } of PARTS) {
      const { code: bundled } = await bundleOf(name, code, true);
      settle(
        name,
        without.filter((word) => bundled.includes(word)).map((word) => `${word} comes along`),
      );
    }

    if (write) writeFileSync(BUDGETS, `${JSON.stringify(sizes, null, 2)}\n`);
    const budgets = JSON.parse(readFileSync(BUDGETS, 'utf8')) as Budgets;
    printTable(sizes, budgets);
    const over = overBudget(sizes, budgets);
    settle('sizes', over);
    return { passed, failed: reported(problems).failed };
  });
}

function optionalPeers(): string[] {
  const { peerDependencies } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
    peerDependencies: Record<string, string>;
  };
  return Object.keys(peerDependencies);
}

async function withEsbuild(folder: string, code: string, peers: readonly string[], isEdge: boolean): Promise<Bundle> {
  const found: Import[] = [];
  const outside: Plugin = {
    name: 'outside',
    setup({ onResolve }) {
      onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
        if (!isBuiltin(path) && !isOutside(path, peers)) return undefined;
        found.push({ name: path, isDynamic: kind === 'dynamic-import' });
        return { path, external: true, sideEffects: false };
      });
    },
  };
  const target: BuildOptions = isEdge ? { platform: 'browser', conditions: ['worker'] } : { platform: 'node' };
  const { outputFiles, metafile } = await build({
    ...target,
    absWorkingDir: folder,
    bundle: true,
    format: 'esm',
    logLevel: 'silent',
    metafile: true,
    minify: true,
    plugins: [outside],
    stdin: { contents: code, resolveDir: folder },
    write: false,
  });
  const inside = Object.keys(metafile.inputs).filter((name) => name !== '<stdin>');
  return { code: outputFiles[0]?.text ?? '', imports: found, inside: inside.map((path) => join(folder, path)) };
}

async function withVite(folder: string, code: string, peers: readonly string[], isEdge: boolean): Promise<Bundle> {
  const entry = join(folder, 'entry.js');
  writeFileSync(entry, code);
  const environment = process.env.NODE_ENV;
  const built = await buildWithVite({
    root: folder,
    configFile: false,
    envFile: false,
    logLevel: 'silent',
    publicDir: false,
    ssr: { noExternal: true, target: isEdge ? 'webworker' : 'node' },
    build: {
      ssr: true,
      write: false,
      rolldownOptions: { input: entry, external: (name) => isOutside(name, peers), output: { codeSplitting: false } },
    },
  });
  // Vite says `production` to the whole process: to the steps that follow, npm would leave out what tests need.
  if (environment === undefined) delete process.env.NODE_ENV;
  else process.env.NODE_ENV = environment;
  const { output } = built as { output: readonly { type: string }[] };
  const chunks = output.filter((part): part is Chunk => part.type === 'chunk');
  return {
    code: chunks.map((chunk) => chunk.code).join('\n'),
    imports: chunks.flatMap(({ imports, dynamicImports }) => [
      ...imports.map((name) => ({ name, isDynamic: false })),
      ...dynamicImports.map((name) => ({ name, isDynamic: true })),
    ]),
    inside: chunks.flatMap(({ modules }) => Object.keys(modules)).filter((path) => path !== entry),
  };
}

/** The part of Rolldown's output that is looked at. */
interface Chunk {
  readonly type: 'chunk';
  readonly code: string;
  readonly imports: readonly string[];
  readonly dynamicImports: readonly string[];
  readonly modules: object;
}

function isOutside(name: string, peers: readonly string[]): boolean {
  return name.startsWith('node:') || peers.some((peer) => name === peer || name.startsWith(`${peer}/`));
}

interface Rules {
  readonly subpath: string;
  readonly folder: string;
  readonly peers: readonly string[];
  readonly isEdge: boolean;
}

/** Also when it cannot be made at all, as when something is not installed. */
async function problemsOf(bundle: Promise<Bundle>, { subpath, folder, peers, isEdge }: Rules): Promise<string[]> {
  const problems = new Set<string>();
  try {
    const { imports, inside, code } = await bundle;
    const home = join(folder, 'node_modules', 'flacon') + sep;
    for (const path of inside) if (!path.startsWith(home)) problems.add(`${path} is inside`);
    if (code === '') problems.add('nothing is inside');
    for (const { name, isDynamic } of imports) {
      if (!isOutside(name, peers)) problems.add(`imports ${name}`);
      else if (name.startsWith('node:')) {
        if (isEdge && !EDGE_MODULES.includes(name)) problems.add(`imports ${name}, which not every edge runtime has`);
      } else if (!isDynamic && !MADE_WITH[subpath]?.includes(name)) problems.add(`needs ${name} when it is loaded`);
    }
  } catch (error) {
    problems.add((error as Error).message);
  }
  return [...problems];
}

function overBudget(sizes: Budgets, budgets: Budgets): string[] {
  const problems: string[] = [];
  for (const [name, { minified, gzip }] of Object.entries(sizes)) {
    const budget = budgets[name];
    if (!budget) problems.push(`${name} has no budget`);
    else if (minified > budget.minified * (1 + TOLERANCE) || gzip > budget.gzip * (1 + TOLERANCE))
      problems.push(`${name} is over its budget by more than ${TOLERANCE * 100} %`);
  }
  const gone = Object.keys(budgets).filter((name) => !(name in sizes));
  problems.push(...gone.map((name) => `${name} has a budget, and is gone`));
  if (problems.length > 0) problems.push('where that is right, `npm run check:bundles -- --write` accepts the sizes');
  return problems;
}

function printTable(sizes: Budgets, budgets: Budgets): void {
  const row = (name: string, ...numbers: (number | string)[]) =>
    console.log(name.padEnd(32) + numbers.map((number) => String(number).padStart(11)).join(''));
  row('bytes', 'minified', 'gzip', 'its budget');
  for (const [name, { minified, gzip }] of Object.entries(sizes)) row(name, minified, gzip, budgets[name]?.gzip ?? '-');
}

if (import.meta.main) {
  const { failed } = await checkBundles(process.argv.includes('--write'));
  process.exitCode = failed === 0 ? 0 : 1;
}
