/** Redis (or Valkey, by `REDIS_SERVER=valkey-server`): one server, a cluster of three, or a primary that sentinels watch over. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import {
  ensureBinary,
  freePort,
  type ServerProcess,
  startProcess,
  type TestServer,
  temporaryFolder,
  until,
} from './process.ts';

export interface RedisServer extends TestServer {
  /** Absent where `REDIS_URL` points to a running server. */
  readonly process?: ServerProcess;
  readonly port: number;
}

export interface StartedRedis extends RedisServer {
  readonly process: ServerProcess;
}

/** The server that `REDIS_URL` names, or one that is started for the caller. */
export async function startRedis(): Promise<RedisServer> {
  const url = process.env.REDIS_URL;
  if (url) return { url, port: Number(new URL(url).port || 6379), stop: async () => {} };
  return startOwnRedis();
}

/** One that may be stopped, paused and configured: always started here. @param args further arguments, as in redis.conf */
export async function startOwnRedis(args: readonly string[] = [], port?: number): Promise<StartedRedis> {
  const binary = await redisBinary();
  const at = port ?? (await freePort());
  const folder = temporaryFolder('redis');
  const started = await startProcess({
    command: binary,
    args: [
      ...['--port', String(at), '--bind', '127.0.0.1', '--dir', folder.path],
      ...['--save', '', '--appendonly', 'no', '--daemonize', 'no', '--loglevel', 'warning'],
      ...args,
    ],
    // It answers, if only that a password is missing.
    ready: async () => /^(?:\+PONG|-NOAUTH)/.test(await answer(at, 'PING')),
  });
  return {
    url: `redis://127.0.0.1:${at}`,
    port: at,
    process: started,
    async stop() {
      await started.stop();
      folder.remove();
    },
  };
}

export interface RedisCluster {
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

/** Three primaries, which share the slots in equal parts, each with a replica that is in sync. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '5000', '--repl-diskless-sync-delay', '0'];
  // Each listens for the others 10,000 ports higher, unless told; a free port of ours may be too high for that.
  const start = async () => startOwnRedis([...args, '--cluster-port', String(await freePort())]);
  const servers = await Promise.all(Array.from({ length: 6 }, start));
  const ports = servers.map(({ port }) => port);
  const stop = async (): Promise<void> => void (await Promise.all(servers.map((server) => server.stop())));
  try {
    const nodes = ports.map((port) => `127.0.0.1:${port}`);
    await cli(['--cluster', 'create', ...nodes, '--cluster-replicas', '1', '--cluster-yes']);
    for (const port of ports) {
      await until(async () => {
        const state = await cli(['-p', String(port), 'cluster', 'info']);
        const role = await cli(['-p', String(port), 'info', 'replication']);
        return state.includes('cluster_state:ok') && /connected_slaves:1|master_link_status:up/.test(role);
      }, 'every node of the cluster knows the others');
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { ports, stop };
}

export interface SentinelledRedis {
  /** Of the sentinels. */
  readonly ports: readonly number[];
  readonly name: string;
  readonly primary: StartedRedis;
  readonly replica: StartedRedis;
  stop(): Promise<void>;
}

/** A primary, a replica that is in sync, and three sentinels that promote it within about a second. */
export async function startSentinelledRedis(): Promise<SentinelledRedis> {
  const name = 'flacon-test';
  const primary = await startOwnRedis();
  const replica = await startOwnRedis([
    '--replicaof',
    '127.0.0.1',
    String(primary.port),
    '--repl-diskless-sync-delay',
    '0',
  ]);
  const sentinels: { readonly port: number; stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all([...sentinels, replica, primary].map((server) => server.stop()));
  };
  try {
    const inSync = async () =>
      (await cli(['-p', String(replica.port), 'info', 'replication'])).includes('link_status:up');
    await until(inSync, 'the replica in sync');
    for (let n = 0; n < 3; n++) sentinels.push(await startSentinel(name, primary.port));
    for (const { port } of sentinels) {
      await until(async () => {
        const state = await cli(['-p', String(port), 'sentinel', 'master', name]);
        return /num-slaves\n1\n/.test(state) && /num-other-sentinels\n2\n/.test(state);
      }, 'the sentinels know each other');
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { ports: sentinels.map(({ port }) => port), name, primary, replica, stop };
}

async function startSentinel(name: string, primary: number): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const port = await freePort();
  const folder = temporaryFolder('sentinel');
  const file = join(folder.path, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder.path}`,
    `sentinel monitor ${name} 127.0.0.1 ${primary} 2`,
    `sentinel down-after-milliseconds ${name} 700`,
    `sentinel failover-timeout ${name} 3000`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const started = await startProcess({
    command: await redisBinary(),
    args: [file, '--sentinel'],
    ready: async () => (await answer(port, 'PING')).startsWith('+PONG'),
  });
  return {
    port,
    async stop() {
      await started.stop();
      folder.remove();
    },
  };
}

function redisBinary(): Promise<string> {
  const binary = process.env.REDIS_SERVER || 'redis-server';
  return ensureBinary(binary, 'redis-server', { variable: 'REDIS_URL' });
}

/** What redis-cli prints. */
export async function cli(args: readonly string[]): Promise<string> {
  // Beside the server: Valkey's own is called otherwise.
  const binary = await redisBinary();
  const command = binary.endsWith('valkey-server')
    ? join(dirname(binary), 'valkey-cli')
    : join(dirname(binary), 'redis-cli');
  return new Promise((resolve, reject) => {
    execFile(command, [...args], { timeout: 30_000 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${error.message}\n${stdout}${stderr}`)) : resolve(stdout),
    );
  });
}

/** The first line of the reply to a command, or an empty text. */
function answer(port: number, command: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1000 });
    const end = (line: string): void => {
      socket.destroy();
      resolve(line);
    };
    socket.once('connect', () => socket.write(`${command}\r\n`));
    socket.once('data', (chunk) => end(chunk.toString()));
    socket.once('error', () => end(''));
    socket.once('timeout', () => end(''));
    socket.once('close', () => end(''));
  });
}
