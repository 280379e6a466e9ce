/** PostgreSQL, on a free loopback port. It does not run as root: there it runs as the `postgres` of Debian's package. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ensureBinary,
  freePort,
  isListening,
  type ServerProcess,
  startProcess,
  type TestServer,
  temporaryFolder,
  versionFolders,
  waitUntilStopped,
} from './process.ts';

export interface PostgresServer extends TestServer {
  readonly port: number;
}

export interface StartedPostgres extends PostgresServer {
  /** Stops every process of it: connections stay open, nothing is answered. */
  pause(): void;
  resume(): void;
  /** Ends it, and keeps the data. */
  shutDown(): Promise<void>;
  /** Starts it again, on the same port. */
  startUp(): Promise<void>;
}

const PASSWORD = 'flacon test';

/** The server that `POSTGRES_URL` names, or one that is started for the caller. */
export async function startPostgres(): Promise<PostgresServer> {
  const url = process.env.POSTGRES_URL;
  if (url) return { url, port: Number(new URL(url).port || 5432), stop: async () => {} };
  return startOwnPostgres();
}

/** One that may be stopped and paused: always started here. The user `postgres` may do everything. */
export async function startOwnPostgres(): Promise<StartedPostgres> {
  const folders = versionFolders((version) => `/usr/lib/postgresql/${version}/bin`, 11, 30);
  const find = (binary: string) => ensureBinary(binary, 'postgresql', { folders, variable: 'POSTGRES_URL' });
  const before = folders.length;
  const [initdb, postgres] = [await find('initdb').catch(again), await find('postgres').catch(again)];
  // The folder is known only after the installation.
  async function again(error: unknown): Promise<string> {
    if (before > 0) throw error;
    folders.push(...versionFolders((version) => `/usr/lib/postgresql/${version}/bin`, 11, 30));
    return find('initdb');
  }

  const port = await freePort();
  const folder = temporaryFolder('postgres');
  const account = process.getuid?.() === 0 ? accountOf('postgres') : {};
  const data = join(folder.path, 'data');
  const secret = join(folder.path, 'password');
  writeFileSync(secret, PASSWORD);
  mkdirSync(data, { mode: 0o700 });
  if (account.uid !== undefined) {
    for (const path of [folder.path, data, secret]) chownSync(path, account.uid, account.gid!);
  }
  execFileSync(
    initdb,
    [
      ...['-D', data, '-U', 'postgres', '--pwfile', secret, '--auth', 'scram-sha-256'],
      ...['-E', 'UTF8', '--locale', 'C', '--no-sync'],
    ],
    { ...account, stdio: ['ignore', 'ignore', 'pipe'] },
  );

  let running: ServerProcess;
  const startUp = async (): Promise<void> => {
    running = await startProcess({
      command: postgres,
      args: [
        ...['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder.path],
        ...['-c', 'fsync=off', '-c', 'max_connections=120', '-c', 'timezone=UTC'],
      ],
      ready: async () => (await isListening(port)) && isReady(data),
      ...account,
    });
  };
  const shutDown = async (): Promise<void> => {
    signalAll(running.pid, 'SIGCONT');
    // Without waiting for the clients to leave.
    signal(running.pid, 'SIGINT');
    await running.stop();
  };
  await startUp();
  return {
    url: `postgresql://postgres:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/postgres`,
    port,
    startUp,
    shutDown,
    pause: () => signalAll(running.pid, 'SIGSTOP'),
    resume: () => signalAll(running.pid, 'SIGCONT'),
    async stop() {
      await shutDown();
      folder.remove();
    },
  };
}

/** The last line of this file says so, from before the first client is let in. */
function isReady(data: string): boolean {
  return readFileSync(join(data, 'postmaster.pid'), 'utf8').trimEnd().endsWith('ready');
}

function accountOf(user: string): { uid?: number; gid?: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** One process serves each connection. */
function signalAll(pid: number, name: NodeJS.Signals): void {
  const parents = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const children = parents
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child!);
  // The parent first: it would start another for a child that is missing.
  for (const each of [pid, ...children]) signal(each, name);
  if (name === 'SIGSTOP') for (const each of [pid, ...children]) waitUntilStopped(each);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
