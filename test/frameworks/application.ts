/** An example of a framework, installed, built and started as its reader does: from its folder, on the packed package. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';
import { pack } from '../../scripts/pack.ts';
import { ensureBuilt, ROOT } from '../examples/built.ts';

/** Milliseconds for `npm ci`, a build or a start: only to catch what hangs. */
const PATIENCE = 240_000;

const PATH = `${join(ROOT, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`;
/** Of builds and servers: not that of the tests, and no framework calls home. */
const ENVIRONMENT = {
  PATH,
  HOME: process.env.HOME ?? tmpdir(),
  ASTRO_TELEMETRY_DISABLED: '1',
  NEXT_TELEMETRY_DISABLED: '1',
};

export interface Recipe {
  /** The folder inside of `examples/`. */
  readonly example: string;
  /** Files that only the tests need, by their path inside of the example. */
  readonly files?: Readonly<Record<string, string>>;
  /** The program inside of `node_modules/` that `npm run build` starts, and its arguments. */
  readonly build: readonly string[];
  /** The program that `npm start` starts, relative to the example, and its arguments. */
  start(port: number): readonly string[];
  /** What it needs in its environment. */
  env?(port: number): Readonly<Record<string, string>>;
}

export interface Application {
  /** Why it could not be installed where no registry can be reached; then there is nothing to test. */
  readonly missing?: string;
  readonly url: string;
  readonly folder: string;
  /** What building it and the server wrote so far. */
  output(): string;
}

/** Puts it into a folder of its own, which goes when the tests of the file are over. So does the server. */
export async function startApplication(recipe: Recipe): Promise<Application> {
  await ensureBuilt();
  const repository = mkdtempSync(join(tmpdir(), `flacon-${recipe.example}-`));
  const remove = () => rmSync(repository, { recursive: true, force: true, maxRetries: 3 });
  afterAll(remove);
  try {
    return await startIn(repository, recipe);
  } catch (error) {
    // No test runs then, and nothing that follows tests.
    remove();
    throw error;
  }
}

async function startIn(repository: string, recipe: Recipe): Promise<Application> {
  const folder = join(repository, 'examples', recipe.example);
  let output = '';
  const write = (text: string) => {
    output += text;
  };
  // What a clone of the repository holds, as far as an example sees it.
  await finished('tar', ['-xzf', await pack(), '-C', repository, '--strip-components=1'], repository, write);
  cpSync(join(ROOT, 'examples', recipe.example), folder, {
    recursive: true,
    filter: (path) =>
      !['node_modules', '.flacon', '.next', '.svelte-kit', '.react-router', '.astro', 'build', 'dist'].includes(
        basename(path),
      ),
  });
  for (const [path, text] of Object.entries(recipe.files ?? {})) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }

  const flags = [
    '--include=dev',
    '--prefer-offline',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const installed = await finished('npm', ['ci', ...flags], folder, write, { ...process.env, PATH });
  if (installed !== 0) {
    if (process.env.CI || !/ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ENOTCACHED|ETIMEDOUT/.test(output)) {
      throw new Error(`npm ci failed:\n${output}`);
    }
    return { missing: ' (skipped: the registry of npm cannot be reached)', url: '', folder, output: () => output };
  }
  const [tool = '', ...args] = recipe.build;
  const built = await finished(process.execPath, [join('node_modules', tool), ...args], folder, write);
  if (built !== 0) throw new Error(`the build of ${recipe.example} failed:\n${output}`);

  const port = await freePort();
  const server = spawn(process.execPath, [...recipe.start(port)], {
    cwd: folder,
    env: { ...ENVIRONMENT, NODE_ENV: 'production', PORT: String(port), HOST: '127.0.0.1', ...recipe.env?.(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [server.stdout, server.stderr]) stream.setEncoding('utf8').on('data', write);
  const ended = once(server, 'close');
  afterAll(() => stop(server, ended));
  const url = `http://127.0.0.1:${port}`;
  try {
    await answers(url, server, () => output);
  } catch (error) {
    await stop(server, ended);
    throw error;
  }
  return { url, folder, output: () => output };
}

async function finished(
  command: string,
  args: readonly string[],
  cwd: string,
  write: (text: string) => void,
  env: NodeJS.ProcessEnv = ENVIRONMENT,
): Promise<number | null> {
  const child = spawn(command, [...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE,
  });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', write);
  const [code] = await once(child, 'close');
  return code;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(url: string, server: ChildProcess, output: () => string): Promise<void> {
  for (const until = Date.now() + PATIENCE; Date.now() < until; await sleep(50)) {
    if (server.exitCode !== null) break;
    const answered = await fetch(url, { redirect: 'manual' }).then(
      (response) => response.arrayBuffer(),
      () => undefined,
    );
    if (answered) return;
  }
  throw new Error(`no answer at ${url}:\n${output()}`);
}

async function stop(server: ChildProcess, ended: Promise<unknown>): Promise<void> {
  server.kill('SIGTERM');
  // Some wait for connections that are kept alive.
  const late = setTimeout(() => server.kill('SIGKILL'), 2000);
  await ended;
  clearTimeout(late);
}
