/** MariaDB, on a free loopback port. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import {
  ensureBinary,
  freePort,
  type ServerProcess,
  startProcess,
  type TestServer,
  temporaryFolder,
} from './process.ts';

export interface MariadbServer extends TestServer {
  readonly port: number;
}

export interface StartedMariadb extends MariadbServer {
  pause(): void;
  resume(): void;
  /** Ends it, and keeps the data. */
  shutDown(): Promise<void>;
  /** Starts it again, on the same port. */
  startUp(): Promise<void>;
}

const PASSWORD = 'flacon test';

/** The server that `MYSQL_URL` names (MySQL or MariaDB), or one that is started for the caller. */
export async function startMariadb(): Promise<MariadbServer> {
  const url = process.env.MYSQL_URL;
  if (url) return { url, port: Number(new URL(url).port || 3306), stop: async () => {} };
  return startOwnMariadb();
}

/**
 * One that may be stopped and paused: always started here. The user `flacon` may do everything; the database of the URL tells
 * upper and lower case apart, as does every one in which session ids are to differ by that alone.
 */
export async function startOwnMariadb(): Promise<StartedMariadb> {
  const options = { variable: 'MYSQL_URL' };
  const mariadbd = await ensureBinary('mariadbd', 'mariadb-server', options);
  const install = await ensureBinary('mariadb-install-db', 'mariadb-server', options);
  const client = await ensureBinary('mariadb', 'mariadb-server', options);
  const port = await freePort();
  const folder = temporaryFolder('mariadb');
  const data = join(folder.path, 'data');
  const socket = join(folder.path, 'socket');
  const user = process.getuid?.() === 0 ? ['--user=root'] : [];
  execFileSync(
    install,
    ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db', ...user],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const run = (sql: string) =>
    execFileSync(client, ['--no-defaults', `--socket=${socket}`, '--user=root', `--execute=${sql}`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });

  let running: ServerProcess;
  const startUp = async (): Promise<void> => {
    running = await startProcess({
      command: mariadbd,
      args: [
        ...['--no-defaults', `--datadir=${data}`, `--socket=${socket}`, `--port=${port}`, '--bind-address=127.0.0.1'],
        ...['--innodb-flush-log-at-trx-commit=0', '--skip-name-resolve', '--max-connections=300', ...user],
      ],
      ready: () => run('SELECT 1').includes('1'),
    });
  };
  await startUp();
  run(`CREATE DATABASE flacon CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
    CREATE USER flacon@'%' IDENTIFIED BY '${PASSWORD}'; GRANT ALL ON *.* TO flacon@'%' WITH GRANT OPTION`);
  return {
    url: `mysql://flacon:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/flacon`,
    port,
    startUp,
    shutDown: () => running.stop(),
    pause: () => running.pause(),
    resume: () => running.resume(),
    async stop() {
      await running.stop();
      folder.remove();
    },
  };
}
