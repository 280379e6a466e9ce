/** What every test server needs: a binary, a free port, a folder, a process that is ready, and a way to stop exactly that one. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** This machine has no such server. The message says what to install or to set. */
export class ServerMissing extends Error {
  override readonly name = 'ServerMissing';
}

/** A server that was started here, or that an environment variable points to (then it cannot be stopped or paused). */
export interface TestServer {
  readonly url: string;
  /** Ends it and removes its folder. Safe to call twice. */
  stop(): Promise<void>;
}

export interface ServerProcess {
  readonly pid: number;
  /** What it printed so far. */
  output(): string;
  /** SIGTERM, and SIGKILL when it does not end within 5 s. Resolves when it has ended; safe to call twice. */
  stop(): Promise<void>;
  /** SIGKILL. Resolves when it has ended. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing is answered. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
}

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Asked again and again until it answers true; a rejection counts as false. */
  readonly ready: () => Promise<boolean> | boolean;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** For servers that refuse to run as root. */
  readonly uid?: number;
  readonly gid?: number;
  /** Milliseconds until it has to be ready. */
  readonly timeout?: number;
}

/** Where there is no `setpriv`, a process that ends in order takes its servers along. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a process and waits until it is ready. It dies with the process that started it, however that ends. */
export async function startProcess(server: ServerCommand): Promise<ServerProcess> {
  const { command, args, cwd, uid, gid } = server;
  // A test run that is killed runs no clean-up of its own; on Linux the kernel does it.
  const guard = process.platform === 'linux' ? onPath('setpriv', []) : undefined;
  const child = spawn(guard ?? command, guard ? ['--pdeathsig', 'KILL', '--', command, ...args] : [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...server.env },
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-20_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      output += String(error);
      resolve();
    });
  });
  running.add(child);
  void ended.then(() => running.delete(child));

  try {
    await until(
      async () => {
        if (hasEnded(child)) throw new Error(`${command} ended before it was ready`);
        return await Promise.resolve()
          .then(server.ready)
          .catch(() => false);
      },
      `${command} ready`,
      server.timeout ?? 30_000,
    );
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`${(error as Error).message}\n${output}`);
  }

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (hasEnded(child)) return;
    // A stopped process takes SIGTERM only once it goes on.
    child.kill('SIGCONT');
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(late);
  };
  return {
    pid: child.pid!,
    output: () => output,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    pause() {
      child.kill('SIGSTOP');
      waitUntilStopped(child.pid!);
    },
    resume: () => void child.kill('SIGCONT'),
  };
}

/** A signal is on its way when `kill` returns: every thread may still answer something. Linux tells; elsewhere, hope. */
export function waitUntilStopped(pid: number): void {
  const end = performance.now() + 5000;
  const isStopped = (): boolean => {
    try {
      return readdirSync(`/proc/${pid}/task`).every((task) =>
        /^\d+ \(.*\) [TtZ]/s.test(readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8')),
      );
    } catch {
      return true;
    }
  };
  while (!isStopped() && performance.now() < end);
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

/** A TCP port of the loopback interface that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Whether something listens there. */
export function isListening(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, timeout: 1000 });
    const answer = (listening: boolean): void => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.once('timeout', () => answer(false));
  });
}

/** A new empty folder of the system's temporary folder. `remove` may be called twice. */
export function temporaryFolder(name: string): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `flacon-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Waits until the condition holds, and throws what was waited for when it does not within `timeout` milliseconds. */
export async function until(
  condition: () => Promise<boolean> | boolean,
  what: string,
  timeout = 20_000,
): Promise<void> {
  const end = performance.now() + timeout;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${timeout} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/sbin'];

/**
 * The path of a server's binary: from PATH or the folders given; else from its Debian package, installed when this is root on
 * a Debian system (no service is started).
 *
 * @param folders further places, for packages that keep their binaries off the PATH
 * @param variable the environment variable that points to a running server instead, for the message
 * @throws ServerMissing
 */
export async function ensureBinary(
  binary: string,
  debianPackage: string,
  { folders = [], variable }: { folders?: readonly string[]; variable?: string } = {},
): Promise<string> {
  const found = onPath(binary, folders);
  if (found) return found;
  let reason = '';
  if (process.getuid?.() === 0 && onPath('apt-get', [])) {
    reason = await install(debianPackage);
    const installed = onPath(binary, folders);
    if (installed) return installed;
  }
  const instead = variable ? `, or set ${variable} to a running server` : '';
  throw new ServerMissing(`no ${binary}: install Debian's ${debianPackage}${instead}${reason && ` (${reason})`}`);
}

function onPath(binary: string, folders: readonly string[]): string | undefined {
  const places = [...folders, ...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return places
    .map((folder) => join(folder, binary))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Test files run side by side: one installs, the others wait for the lock. `policy-rc.d` is how Debian is told not to start
 * the service of a new package.
 */
const INSTALL = `
policy=/usr/sbin/policy-rc.d
if ! [ -e "$policy" ]; then
  printf '#!/bin/sh\\nexit 101\\n' >"$policy" && chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
get() { apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"; }
get install -y --no-install-recommends "$1" || { get update && get install -y --no-install-recommends "$1"; }
`;

/** Why it could not be installed; empty when it could, or when it was there already. */
function install(debianPackage: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(
      'flock',
      [join(tmpdir(), 'flacon-apt.lock'), 'sh', '-c', INSTALL, 'sh', debianPackage],
      { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeout: 600_000, maxBuffer: 1 << 26 },
      (error, _stdout, stderr) => resolve(error ? (stderr.trim().split('\n').at(-1) ?? '') || error.message : ''),
    );
  });
}

/** Where a package keeps the binaries of one of several versions, newest first: `/usr/lib/postgresql/15/bin`. */
export function versionFolders(pattern: (version: number) => string, from: number, to: number): string[] {
  const folders: string[] = [];
  for (let version = to; version >= from; version--) if (existsSync(pattern(version))) folders.push(pattern(version));
  return folders;
}

/**
 * The server, or why there is none, which belongs in the title of what is left out:
 *
 *     const redis = await available(startRedis);
 *     describe.skipIf(redis.missing)(`redis${redis.note}`, () => { … redis.server!.url … });
 *
 * In CI (`CI` is set) nothing is left out: there a missing server throws.
 */
export async function available<T>(
  start: () => Promise<T>,
): Promise<
  | { readonly server: T; readonly missing: false; readonly note: '' }
  | { readonly server: undefined; readonly missing: true; readonly note: string }
> {
  try {
    return { server: await start(), missing: false, note: '' };
  } catch (error) {
    if (!(error instanceof ServerMissing) || process.env.CI) throw error;
    console.warn(`left out: ${error.message}`);
    // The runner of all tests accepts a skip that says why in these words; parentheses would end the reason early.
    return { server: undefined, missing: true, note: ` (skipped: ${error.message.replace(/[()]/g, '')})` };
  }
}
