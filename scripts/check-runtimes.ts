/**
 * Serves the application of test/runtimes/ by each runtime's own server, with the packed package installed as a user would
 * have it, and asks for its pages over HTTP. On Node and Bun as an ES module and as CommonJS.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type BuildOptions, build } from 'esbuild';
import { smokes } from '../test/runtimes/smoke.ts';
import { withConsumer } from './consumer.ts';
import { otherRuntime } from './other-runtimes.ts';
import { ROOT } from './public-files.ts';
import { type Missing, nodeOf, RELEASE_LINES } from './release-lines.ts';
import type { Outcome } from './run.ts';

/** Milliseconds: long enough for the slowest machine, so that a server which hangs is noticed. */
const START_MS = 60_000;
const SMOKE_MS = 60_000;

interface Runtime {
  readonly name: string;
  /** The back end that the embedded store has there; none where there is no file system. */
  readonly embedded: 'sqlite' | 'filesystem' | 'none';
  program(folder: string): Promise<string | Missing>;
  /** @param directory for the embedded store */
  args(directory: string): string[];
}

const RUNTIMES: readonly Runtime[] = [
  ...onNode(`Node ${process.version.slice(1).split('.')[0]}`, 'sqlite', async () => process.execPath),
  ...RELEASE_LINES.flatMap((line) =>
    onNode(`Node ${line}`, line < 22 ? 'filesystem' : 'sqlite', (folder) => nodeOf(line, folder)),
  ),
  {
    name: 'Bun',
    embedded: 'sqlite',
    program: () => otherRuntime('bun'),
    args: (directory) => ['bun.mjs', directory],
  },
  {
    name: 'Bun, CommonJS',
    embedded: 'sqlite',
    program: () => otherRuntime('bun'),
    args: (directory) => ['node.cjs', directory],
  },
  {
    name: 'Deno',
    embedded: 'sqlite',
    program: () => otherRuntime('deno'),
    // The permissions that docs/runtimes.md names.
    args: (directory) => {
      const permissions = [
        '--allow-net',
        `--allow-read=${directory}`,
        `--allow-write=${directory}`,
        '--allow-sys=hostname',
      ];
      return ['run', '--no-remote', ...permissions, 'deno.mjs', directory];
    },
  },
  {
    name: 'workerd',
    embedded: 'none',
    program: () => otherRuntime('workerd'),
    args: () => ['serve', '--control-fd=1', 'workerd.capnp'],
  },
];

function onNode(name: string, embedded: Runtime['embedded'], program: Runtime['program']): Runtime[] {
  return [
    { name, embedded, program, args: (directory) => ['node.mjs', directory] },
    { name: `${name}, CommonJS`, embedded, program, args: (directory) => ['node.cjs', directory] },
  ];
}

/** @param names only these, as `Node 20`, `Bun`, … Default: all. */
export function checkRuntimes(names: readonly string[] = []): Promise<Outcome> {
  return withConsumer(async (folder) => {
    await bundle(folder);
    const total = { passed: 0, failed: 0 };
    for (const runtime of RUNTIMES) {
      if (names.length > 0 && !names.includes(runtime.name)) continue;
      const { passed, failed } = await check(runtime, folder);
      total.passed += passed;
      total.failed += failed;
    }
    return total;
  });
}

/** The package stays outside, as an import or a `require`; but inside the worker. */
async function bundle(folder: string): Promise<void> {
  const source = `${ROOT}test/runtimes/`;
  for (const file of SOURCES) cpSync(source + file, join(folder, file));
  const common: BuildOptions = {
    absWorkingDir: folder,
    bundle: true,
    external: ['node:*'],
    logLevel: 'warning',
    tsconfigRaw: '{}',
  };
  const outside: BuildOptions = { ...common, packages: 'external' };
  await build({
    ...outside,
    entryPoints: ['node.ts', 'bun.ts', 'deno.ts'],
    format: 'esm',
    outdir: '.',
    outExtension: MJS,
  });
  await build({ ...outside, entryPoints: ['node.ts'], format: 'cjs', outfile: 'node.cjs' });
  const conditions = ['workerd', 'worker', 'browser'];
  await build({ ...common, entryPoints: ['workerd.ts'], format: 'esm', conditions, outfile: 'workerd.mjs' });
}

const SOURCES = ['app.ts', 'on-disk.ts', 'node.ts', 'bun.ts', 'deno.ts', 'workerd.ts', 'workerd.capnp'];
const MJS = { '.js': '.mjs' };

async function check(runtime: Runtime, folder: string): Promise<Outcome> {
  const program = await runtime.program(folder);
  if (typeof program !== 'string') {
    console.error(program.why);
    return { passed: 0, failed: program.isFailure ? 1 : 0 };
  }
  const problems: string[] = [];
  let passed = 0;
  const server = spawn(program, runtime.args(mkdtempSync(join(folder, 'sessions-'))), {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = `http://127.0.0.1:${await portOf(server)}`;
    const onDisk = (await (await fetch(`${url}/stores`)).json()) as [mount: string, store: string][];
    const embedded = onDisk.find(([mount]) => mount === 'embedded')?.[1] ?? 'none';
    if (embedded === runtime.embedded) passed++;
    else problems.push(`the embedded store is ${embedded}, expected ${runtime.embedded}`);
    for (const smoke of smokes(['memory', ...onDisk.map(([mount]) => mount)])) {
      try {
        await within(SMOKE_MS, smoke.run(url));
        passed++;
      } catch (error) {
        problems.push(`${smoke.name}: ${(error as Error).message}`);
      }
    }
  } catch (error) {
    problems.push(String(error));
  } finally {
    await stop(server);
  }
  console.log(`${runtime.name}: ${passed} passed, ${problems.length} failed; embedded store: ${runtime.embedded}`);
  for (const problem of problems) console.error(`  ${problem}`);
  return { passed, failed: problems.length };
}

/** Node, Bun and Deno print a line; workerd an event. */
async function portOf({ stdout }: ChildProcess): Promise<number> {
  if (!stdout) throw new Error('no output');
  const lines = createInterface(stdout);
  const found = (async () => {
    for await (const line of lines) {
      const port = /\bport"?[ :]+(\d+)/.exec(line)?.[1];
      if (port) return Number(port);
    }
    throw new Error('the server ended before it listened');
  })();
  const port = await within(START_MS, found);
  stdout.resume();
  return port;
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
  server.kill('SIGKILL');
  await once(server, 'exit');
}

async function within<R>(milliseconds: number, promise: Promise<R>): Promise<R> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing for ${milliseconds / 1000} s`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

if (import.meta.main) {
  const { failed } = await checkRuntimes(process.argv.slice(2));
  process.exitCode = failed === 0 ? 0 : 1;
}
