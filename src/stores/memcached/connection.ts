/**
 * One connection to one server. Commands are sent without waiting for the answers to those before them, those of one turn of
 * the event loop in one piece; answers come in the order of the commands, and each is checked to be the answer to its own.
 *
 * It connects when it is first needed, and again when it is needed after it broke: at once after a connection that worked,
 * after a growing pause (in which commands fail at once) after one that did not. No command is sent twice.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { MemcachedError } from './failure.ts';
import { type Greeting, greeting } from './greeting.ts';
import { flag, type Reply, ReplyReader } from './reply.ts';
import type { Credentials, ServerAddress, TlsOptions } from './servers.ts';

export interface ConnectionSettings {
  /** Milliseconds until a command, or connecting, has failed. */
  readonly timeout: number;
  readonly tls: TlsOptions | undefined;
  readonly credentials: Credentials | undefined;
}

interface Pending {
  readonly opaque: string;
  readonly size: number;
  readonly since: number;
  readonly read: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
}

/** What may wait for answers at once: beyond, a server that hangs would fill the memory of this process. */
const MAX_COMMANDS = 20_000;
const MAX_BYTES = 64 * 1024 * 1024;
const FIRST_PAUSE_MS = 25;
const MAX_PAUSE_MS = 1000;
const KEEP_ALIVE_MS = 30_000;

export class Connection {
  readonly #address: ServerAddress;
  readonly #options: ConnectionSettings;
  #socket: Socket | undefined;
  #greeting: Greeting | undefined;
  #ready = false;
  #closed = false;
  /** Counts connections: what the server said on another one (a CAS token) may mean something else by now. */
  #epoch = 0;
  /** Bytes of the largest item that the server takes, key and overhead included, as far as it is known. */
  #itemLimit: number | undefined;
  #pending: Pending[] = [];
  #head = 0;
  #bytes = 0;
  #opaque = 0;
  #out: (string | Uint8Array)[] = [];
  #scheduled = false;
  #watch: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #retryAt = 0;
  #lastError: MemcachedError | undefined;

  constructor(address: ServerAddress, options: ConnectionSettings) {
    this.#address = address;
    this.#options = options;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get itemLimit(): number | undefined {
    return this.#itemLimit;
  }

  /**
   * @param command without the end of its line; a data block follows where `body` is given
   * @param read makes the result out of the reply
   * @throws MemcachedError
   */
  request<T>(command: string, body: Uint8Array | undefined, read: (reply: Reply) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const size = command.length + (body?.length ?? 0);
      const refused = this.#refusal(size) ?? (this.#socket ? undefined : this.#open());
      if (refused) {
        reject(refused);
        return;
      }
      this.#opaque = (this.#opaque + 1) & 0xfffff;
      const opaque = `O${this.#opaque}`;
      const since = performance.now();
      if (this.#waiting === 0) this.#begin();
      this.#pending.push({ opaque, size, since, read: (reply) => resolve(read(reply)), reject });
      this.#bytes += size;
      if (body) this.#out.push(`${command} ${opaque}\r\n`, body, '\r\n');
      else this.#out.push(`${command} ${opaque}\r\n`);
      if (this.#ready && !this.#scheduled) {
        this.#scheduled = true;
        setImmediate(this.#flush);
      }
    });
  }

  /** Fails what waits for an answer. */
  close(): void {
    this.#closed = true;
    this.#drop(new MemcachedError('ECLOSED', 'the client was closed'));
  }

  get #waiting(): number {
    return this.#pending.length - this.#head;
  }

  #refusal(size: number): MemcachedError | undefined {
    if (this.#closed) return new MemcachedError('ECLOSED', 'the client was closed');
    if (this.#waiting < MAX_COMMANDS && (this.#bytes === 0 || this.#bytes + size <= MAX_BYTES)) return undefined;
    return new MemcachedError('EFULL', `${this.#waiting} commands wait for an answer of ${this.#address.name}`);
  }

  #open(): MemcachedError | undefined {
    if (performance.now() < this.#retryAt) {
      return new MemcachedError('ECONNECTION', `${this.#address.name} could not be reached a moment ago`, {
        cause: this.#lastError,
      });
    }
    const { host, port, path } = this.#address;
    const { tls, credentials } = this.#options;
    const target = path === undefined ? { host: host!, port: port! } : { path };
    let socket: Socket;
    try {
      socket = tls ? connectTls({ servername: serverName(host), ...tls, ...target }) : connectTcp(target);
    } catch (cause) {
      return new MemcachedError('ECONNECTION', `cannot connect to ${this.#address.name}`, { cause });
    }
    this.#socket = socket;
    this.#epoch++;
    this.#greeting = greeting(credentials);
    const reader = new ReplyReader((reply) => this.#take(reply));
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    socket.once(tls ? 'secureConnect' : 'connect', () => socket.write(this.#greeting!.text, 'latin1'));
    socket.on('data', (chunk: Buffer) => {
      if (socket !== this.#socket) return;
      try {
        reader.push(chunk);
      } catch (error) {
        this.#drop(asMemcachedError(error, this.#address.name));
      }
    });
    let cause: Error | undefined;
    socket.on('error', (error) => {
      cause = error;
    });
    socket.once('close', () => {
      if (socket !== this.#socket) return;
      const what = this.#ready ? 'the connection broke to' : 'cannot connect to';
      this.#drop(new MemcachedError('ECONNECTION', `${what} ${this.#address.name}`, { cause }));
    });
    return undefined;
  }

  /** @throws MemcachedError when nothing that comes after this reply could be trusted */
  #take(reply: Reply): void {
    const { line } = reply;
    if (this.#greeting) {
      if (!this.#greeting.take(line)) return;
      this.#itemLimit = this.#greeting.itemLimit;
      this.#greeting = undefined;
      this.#ready = true;
      this.#failures = 0;
      this.#flush();
      return;
    }
    const next = this.#shift();
    if (!next) throw new MemcachedError('EPROTOCOL', 'an answer to nothing');
    if (line.startsWith('SERVER_ERROR')) {
      next.reject(new MemcachedError('ESERVER', `${this.#address.name} answered: ${printable(line)}`));
      return;
    }
    try {
      if (line === 'ERROR' || line.startsWith('CLIENT_ERROR')) {
        throw new MemcachedError('EPROTOCOL', `${this.#address.name} refused a command: ${printable(line)}`);
      }
      const opaque = flag(line, 'O');
      // Old servers leave it out where there is nothing to tell.
      if (opaque === undefined ? line !== 'EN' : next.opaque !== `O${opaque}`) {
        throw new MemcachedError('EPROTOCOL', 'an answer to something else');
      }
      next.read(reply);
    } catch (error) {
      next.reject(error);
      throw error;
    }
  }

  #shift(): Pending | undefined {
    const next = this.#pending[this.#head];
    if (!next) return undefined;
    this.#head++;
    this.#bytes -= next.size;
    if (this.#head === this.#pending.length) {
      this.#pending = [];
      this.#head = 0;
      // An idle connection keeps no process alive.
      this.#socket?.unref();
    } else if (this.#head === 1024) {
      this.#pending = this.#pending.slice(this.#head);
      this.#head = 0;
    }
    return next;
  }

  #begin(): void {
    this.#socket?.ref();
    // It may still be running for commands that were answered since: it looks itself who waits now.
    if (this.#watch === undefined) this.#watchFor(this.#options.timeout);
  }

  #watchFor(milliseconds: number): void {
    this.#watch = setTimeout(() => {
      this.#watch = undefined;
      const oldest = this.#pending[this.#head];
      if (!oldest) return;
      const left = oldest.since + this.#options.timeout - performance.now();
      if (left > 0) this.#watchFor(Math.ceil(left));
      else
        this.#drop(
          new MemcachedError('ETIMEDOUT', `no answer of ${this.#address.name} within ${this.#options.timeout} ms`),
        );
    }, milliseconds);
    this.#watch.unref();
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    const out = this.#out;
    if (!this.#ready || out.length === 0) return;
    this.#out = [];
    this.#socket!.write(joined(out));
  };

  /** Nothing that waits can be answered any more. */
  #drop(error: MemcachedError): void {
    const { code } = error;
    const socket = this.#socket;
    const pending = this.#pending.slice(this.#head);
    if (socket && code !== 'ECLOSED' && (!this.#ready || code === 'ETIMEDOUT')) {
      const pause = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++);
      this.#retryAt = performance.now() + pause * (0.5 + Math.random() / 2);
      this.#lastError = error;
    }
    this.#socket = undefined;
    this.#greeting = undefined;
    this.#ready = false;
    this.#epoch++;
    this.#pending = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#out = [];
    clearTimeout(this.#watch);
    this.#watch = undefined;
    socket?.destroy();
    for (const { reject } of pending) reject(error);
  }
}

/** Text here is ASCII, or bytes as characters. */
function joined(out: readonly (string | Uint8Array)[]): Uint8Array {
  let size = 0;
  for (const part of out) size += part.length;
  const bytes = Buffer.allocUnsafe(size);
  let position = 0;
  for (const part of out) {
    if (typeof part === 'string') bytes.write(part, position, 'latin1');
    else bytes.set(part, position);
    position += part.length;
  }
  return bytes;
}

/** For TLS: an address is no name. */
function serverName(host: string | undefined): string {
  return host === undefined || /^[\d.]+$|:/.test(host) ? '' : host;
}

function asMemcachedError(error: unknown, name: string): MemcachedError {
  if (error instanceof MemcachedError) return error;
  return new MemcachedError('EPROTOCOL', `an answer of ${name} could not be read`, { cause: error });
}

/** What a server says is shown only as far as it is harmless. */
function printable(line: string): string {
  return line.slice(0, 200).replace(/[^\x20-\x7e]/g, '?');
}
