/** Memcached servers: one, several, with authentication or TLS. */
import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import {
  ensureBinary,
  freePort,
  isListening,
  type ServerProcess,
  startProcess,
  type TestServer,
  temporaryFolder,
} from './process.ts';

export interface MemcachedServer extends TestServer {
  /** Absent where `MEMCACHED_URL` points to a running server. */
  readonly process?: ServerProcess;
  readonly port: number;
  /** `host:port`, as clients take it. */
  readonly address: string;
}

export interface StartedMemcached extends MemcachedServer {
  readonly process: ServerProcess;
}

export interface MemcachedSetup {
  /** Further arguments. */
  readonly args?: readonly string[];
  readonly port?: number;
  /** `-Y`: who may use it. */
  readonly login?: { readonly username: string; readonly password: string };
  /** `-Z`: with this certificate. */
  readonly certificate?: Certificate;
}

const NOBODY = 65_534;

/** The server that `MEMCACHED_URL` (`memcached://host:port`) names, or one that is started for the caller. */
export async function startMemcached(): Promise<MemcachedServer> {
  const given = process.env.MEMCACHED_URL;
  if (!given) return startOwnMemcached();
  const { hostname, port } = new URL(given.replace(/^memcached:/, 'http:'));
  const at = Number(port || 11211);
  return { url: given, port: at, address: `${hostname}:${at}`, stop: async () => {} };
}

/** One that may be stopped, paused and configured: always started here. */
export async function startOwnMemcached(setup: MemcachedSetup = {}): Promise<StartedMemcached> {
  const binary = await ensureBinary('memcached', 'memcached', { variable: 'MEMCACHED_URL' });
  const port = setup.port ?? (await freePort());
  const folder = temporaryFolder('memcached');
  const args = ['-l', '127.0.0.1', '-p', String(port), '-U', '0', '-m', '64', '-t', '2', ...(setup.args ?? [])];
  const file = (name: string, content: string): string => {
    const path = join(folder.path, name);
    writeFileSync(path, content);
    chmodSync(path, 0o644);
    return path;
  };
  chmodSync(folder.path, 0o755);
  if (setup.login) args.push('-Y', file('logins', `${setup.login.username}:${setup.login.password}\n`));
  if (setup.certificate) {
    const { certificate, key } = setup.certificate;
    args.push('-Z', '-o', `ssl_chain_cert=${file('certificate', certificate)},ssl_key=${file('key', key)}`);
  }
  // From those who do not have what it asks for.
  const hidden = setup.login !== undefined || setup.certificate !== undefined || setup.args?.includes('-B');
  const started = await startProcess({
    command: binary,
    args,
    // It refuses to be root. Its own changing to somebody else (-u) would make it outlive a test run that is killed.
    ...(process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}),
    ready: async () => (await isListening(port)) && (hidden || (await ask(port, 'version')) !== ''),
  });
  return {
    url: `memcached://127.0.0.1:${port}`,
    port,
    address: `127.0.0.1:${port}`,
    process: started,
    async stop() {
      await started.stop();
      folder.remove();
    },
  };
}

export interface Certificate {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

/** A certificate for 127.0.0.1 and localhost that signs itself. */
export async function selfSigned(): Promise<Certificate> {
  const openssl = await ensureBinary('openssl', 'openssl');
  const folder = temporaryFolder('certificate');
  const [certificate, key] = [join(folder.path, 'certificate'), join(folder.path, 'key')];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
  args.push('-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate);
  try {
    await new Promise<void>((resolve, reject) => {
      execFile(openssl, args, { timeout: 60_000 }, (error) => (error ? reject(error) : resolve()));
    });
    return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
  } finally {
    folder.remove();
  }
}

/**
 * What the server answers to bytes sent as they are (each as a character), over a connection of their own, until it has
 * answered `mn` too. Empty where there is no answer.
 */
export function ask(port: number, command: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ port, host: '127.0.0.1', timeout: 5000 });
    const end = (): void => {
      socket.destroy();
      resolve(answer.replace(/(^|\r\n)MN\r\n$/, '$1'));
    };
    socket.once('connect', () => socket.write(`${command}\r\nmn\r\n`, 'latin1'));
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (/(^|\r\n)MN\r\n$/.test(answer)) end();
    });
    socket.once('error', end);
    socket.once('timeout', end);
    socket.once('close', end);
  });
}
