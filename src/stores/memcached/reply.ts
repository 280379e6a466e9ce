/** Takes what a server sends apart into replies, however the network cut it up. */
import { MemcachedError } from './failure.ts';

export interface Reply {
  /** The line, without its end: `VA 22 t60 c7 O1`, `HD`, `SERVER_ERROR …`. */
  readonly line: string;
  /** What came after a `VA` line, in a buffer of its own. */
  readonly value: Uint8Array | undefined;
}

/** No line of the protocol comes near, and no server holds records that large for sessions: beyond is somebody else. */
const MAX_LINE = 8192;
const MAX_VALUE = 128 * 1024 * 1024;
const CR = 13;
const LF = 10;

/**
 * Keeps at most one incomplete line or value, and no more of it than has arrived: the length that a server announces
 * reserves no memory.
 */
export class ReplyReader {
  readonly #take: (reply: Reply) => void;
  #text = '';
  /** The `VA` line whose value is not complete. */
  #line: string | undefined;
  #size = 0;
  #parts: Buffer[] = [];
  #arrived = 0;

  /** @param take gets every reply; what it throws comes out of `push`, and nothing further is read */
  constructor(take: (reply: Reply) => void) {
    this.#take = take;
  }

  /** @throws MemcachedError (`EPROTOCOL`) when this is not the protocol */
  push(chunk: Buffer): void {
    let position = 0;
    while (position < chunk.length) {
      position = this.#line === undefined ? this.#readLine(chunk, position) : this.#readValue(chunk, position);
    }
  }

  #readLine(chunk: Buffer, start: number): number {
    const end = chunk.indexOf(LF, start);
    const text = this.#text + chunk.toString('latin1', start, end === -1 ? chunk.length : end);
    if (text.length > MAX_LINE) throw broken('a line without an end');
    if (end === -1) {
      this.#text = text;
      return chunk.length;
    }
    this.#text = '';
    if (text.charCodeAt(text.length - 1) !== CR) throw broken('a line that ends otherwise than lines do');
    const line = text.slice(0, -1);
    const next = end + 1;
    if (!line.startsWith('VA ')) {
      this.#take({ line, value: undefined });
      return next;
    }
    const size = sizeOf(line);
    const after = next + size;
    if (after + 2 > chunk.length) {
      this.#line = line;
      this.#size = size;
      return next;
    }
    if (chunk[after] !== CR || chunk[after + 1] !== LF) throw broken('a value of another length than announced');
    this.#take({ line, value: new Uint8Array(chunk.subarray(next, after)) });
    return after + 2;
  }

  #readValue(chunk: Buffer, start: number): number {
    const whole = this.#size + 2;
    const part = chunk.subarray(start, start + whole - this.#arrived);
    this.#parts.push(part);
    this.#arrived += part.length;
    if (this.#arrived === whole) {
      const bytes = Buffer.concat(this.#parts, whole);
      const line = this.#line as string;
      this.#line = undefined;
      this.#parts = [];
      this.#arrived = 0;
      if (bytes[whole - 2] !== CR || bytes[whole - 1] !== LF) throw broken('a value of another length than announced');
      this.#take({ line, value: new Uint8Array(bytes.subarray(0, whole - 2)) });
    }
    return start + part.length;
  }
}

/** The argument of a flag: of `t` in `HD t60 c7`, `'60'`. Undefined where the reply has no such flag. */
export function flag(line: string, name: string): string | undefined {
  const start = line.indexOf(` ${name}`, 2);
  if (start === -1) return undefined;
  const end = line.indexOf(' ', start + 2);
  return line.slice(start + 2, end === -1 ? line.length : end);
}

function sizeOf(line: string): number {
  const digits = /^VA (\d{1,9})(?: |$)/.exec(line);
  const size = Number(digits?.[1]);
  if (!digits || size > MAX_VALUE) throw broken('a value without a possible length');
  return size;
}

function broken(what: string): MemcachedError {
  return new MemcachedError('EPROTOCOL', `the server sent ${what}`);
}
