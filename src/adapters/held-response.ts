/**
 * Commits a session before the first byte of a Node response: every way to begin one (`writeHead`, `flushHeaders`,
 * `write`, `end`, and whatever is built on them) waits for the save, and what is called meanwhile is done afterwards, in
 * order. A save that fails leaves the response unbegun, so that the framework can still answer 500.
 */
import type { OutgoingHttpHeader, ServerResponse } from 'node:http';
import { type SessionEffects, withPrivate, withVary } from '../core/effects.ts';
import type { SessionExchange } from '../core/exchange.ts';
import { isPromise } from '../core/store.ts';
import { FrozenHead } from './held-response-head.ts';

type Method = 'writeHead' | 'write' | 'end' | 'flushHeaders';
type Call = { readonly method: Method; readonly args: unknown[] };
type Callback = (error?: Error | null) => void;

/** Describe the body of the answer that the failed save stopped; they must not describe the error page. */
const BODY_HEADERS = [
  'content-length',
  'content-type',
  'content-encoding',
  'content-range',
  'transfer-encoding',
  'etag',
  'last-modified',
  'location',
  'cache-control',
];

const HELD = Symbol('flacon.held');
type Held = ServerResponse & { [HELD]: HeldResponse };

/**
 * @param fail gets the error of a failed save, once, after the handler's synchronous code; it answers the request
 */
export function holdResponse(res: ServerResponse, exchange: SessionExchange, fail: (error: unknown) => void): void {
  const held = new HeldResponse(res, exchange, fail);
  (res as Held)[HELD] = held;
  res.writeHead = writeHead as ServerResponse['writeHead'];
  res.write = write as ServerResponse['write'];
  res.end = end as ServerResponse['end'];
  res.flushHeaders = flushHeaders;
}

// Shared functions that find their state on the response: a request costs no closures.
function writeHead(this: Held, ...args: unknown[]) {
  return this[HELD].call('writeHead', args);
}
function write(this: Held, ...args: unknown[]) {
  return this[HELD].call('write', args);
}
function end(this: Held, ...args: unknown[]) {
  return this[HELD].call('end', args);
}
function flushHeaders(this: Held, ...args: unknown[]) {
  return this[HELD].call('flushHeaders', args) as undefined;
}

class HeldResponse {
  readonly #res: ServerResponse;
  readonly #exchange: SessionExchange;
  readonly #fail: (error: unknown) => void;
  readonly #writeHead: ServerResponse['writeHead'];
  readonly #write: ServerResponse['write'];
  readonly #end: ServerResponse['end'];
  readonly #flushHeaders: ServerResponse['flushHeaders'];
  #phase: 'open' | 'saving' | 'begun' | 'finishing' | 'failing' | 'failed' = 'open';
  #waiting: Call[] = [];
  #frozen: FrozenHead | undefined;
  #mustDrain = false;

  constructor(res: ServerResponse, exchange: SessionExchange, fail: (error: unknown) => void) {
    this.#res = res;
    this.#exchange = exchange;
    this.#fail = fail;
    this.#writeHead = res.writeHead;
    this.#write = res.write;
    this.#end = res.end;
    this.#flushHeaders = res.flushHeaders;
  }

  call(method: Method, args: unknown[]): unknown {
    switch (this.#phase) {
      case 'open':
        return this.#begin(method, args);
      case 'begun':
        return method === 'end' ? this.#finish(args) : this.#do(method, args);
      case 'failed':
        return this.#afterFailure(method, args);
      case 'failing':
        return this.#ignore(method, args);
      default:
        return this.#wait(method, args);
    }
  }

  #begin(method: Method, args: unknown[]): unknown {
    this.#phase = 'saving';
    let effects: ReturnType<SessionExchange['save']>;
    try {
      effects = this.#exchange.save();
    } catch (error) {
      this.#failed(error);
      return this.#ignore(method, args);
    }
    if (!isPromise(effects)) {
      const whole = method === 'end';
      const rest = this.#apply(effects, method, args);
      this.#phase = 'begun';
      if (whole) this.#restore();
      return this.#do(method, rest);
    }
    const result = this.#wait(method, args);
    this.#frozen = new FrozenHead(this.#res);
    if (method !== 'end') this.#frozen.showAsBegun();
    effects.then(
      (done) => this.#resume(done),
      (error) => this.#failed(error),
    );
    return result;
  }

  /** The save has ended well: everything that waited is done now, in order. */
  #resume(effects: SessionEffects): void {
    const [first, ...others] = this.#waiting as [Call, ...Call[]];
    this.#waiting = [];
    this.#thaw();
    const args = this.#apply(effects, first.method, first.args);
    this.#phase = 'begun';
    this.#do(first.method, args);
    for (const { method, args } of others) this.call(method, args);
    if (this.#mustDrain && !this.#res.writableEnded) this.#res.emit('drain');
    if (this.#res.writableEnded) this.#restore();
  }

  /** The end of a response that had begun before: late changes are saved first, so that the next request finds them. */
  #finish(args: unknown[]): unknown {
    const late = this.#exchange.finish();
    if (!late) return this.#do('end', args);
    this.#phase = 'finishing';
    this.#waiting.push({ method: 'end', args });
    late.then(() => {
      const waiting = this.#waiting;
      this.#waiting = [];
      this.#restore();
      for (const call of waiting) if (!this.#res.writableEnded) this.#do(call.method, call.args);
    });
    return this.#res;
  }

  #thaw(): void {
    this.#frozen?.thaw();
    this.#frozen = undefined;
  }

  #wait(method: Method, args: unknown[]): unknown {
    // Whatever comes after the end was not meant for this response.
    if (this.#waiting.at(-1)?.method === 'end') return this.#ignore(method, args);
    this.#waiting.push({ method, args });
    if (method !== 'write') return this.#res;
    this.#mustDrain = true;
    return false;
  }

  #failed(error: unknown): void {
    this.#phase = 'failing';
    this.#waiting = [];
    this.#thaw();
    process.nextTick(() => {
      this.#phase = 'failed';
      for (const name of BODY_HEADERS) this.#res.removeHeader(name);
      this.#res.statusCode = 200;
      this.#res.statusMessage = undefined as never;
      this.#fail(error);
    });
  }

  /** The error handler answers; what the handler that was stopped still writes goes nowhere once that is done. */
  #afterFailure(method: Method, args: unknown[]): unknown {
    return this.#res.writableEnded ? this.#ignore(method, args) : this.#do(method, args);
  }

  #ignore(method: Method, args: unknown[]): unknown {
    const callback = args.at(-1);
    if (typeof callback === 'function') process.nextTick(callback as Callback);
    return method === 'write' ? true : this.#res;
  }

  #do(method: Method, args: unknown[]): unknown {
    const res = this.#res;
    switch (method) {
      case 'writeHead':
        return this.#writeHead.apply(res, args as never);
      case 'write':
        return this.#write.apply(res, args as never);
      case 'end':
        return this.#end.apply(res, args as never);
      case 'flushHeaders':
        return this.#flushHeaders.apply(res);
    }
  }

  /** Steps aside, unless somebody wrapped these methods in the meantime. */
  #restore(): void {
    const res = this.#res;
    if (res.writeHead === OWN.writeHead) res.writeHead = this.#writeHead;
    if (res.write === OWN.write) res.write = this.#write;
    if (res.end === OWN.end) res.end = this.#end;
    if (res.flushHeaders === OWN.flushHeaders) res.flushHeaders = this.#flushHeaders;
  }

  /** Puts the effects into the headers, those given to `writeHead` included, and returns the arguments left for it. */
  #apply(effects: SessionEffects, method: Method, args: unknown[]): unknown[] {
    const res = this.#res;
    if (res.headersSent || !(effects.setCookie || effects.vary || effects.private)) return args;
    let rest = args;
    if (method === 'writeHead') {
      const headers = args.find((arg, i) => i > 0 && typeof arg === 'object' && arg !== null);
      if (headers) takeOver(res, headers);
      rest = args.filter((arg) => arg !== headers);
    }
    if (effects.vary) res.setHeader('Vary', withVary(textOf(res.getHeader('Vary'))));
    if (effects.setCookie) res.appendHeader('Set-Cookie', effects.setCookie);
    if (effects.private) res.setHeader('Cache-Control', withPrivate(textOf(res.getHeader('Cache-Control'))));
    return rest;
  }
}

const OWN: Record<Method, unknown> = { writeHead, write, end, flushHeaders };

function textOf(header: OutgoingHttpHeader | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header === undefined ? undefined : String(header);
}

/** The headers argument of `writeHead`, in any of its three forms; it replaces headers of the same name. */
function takeOver(res: ServerResponse, headers: object): void {
  let pairs: [string, OutgoingHttpHeader | undefined][];
  if (!Array.isArray(headers)) pairs = Object.entries(headers);
  else if (Array.isArray(headers[0])) pairs = headers as [string, OutgoingHttpHeader][];
  else
    pairs = headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1]] as [string, OutgoingHttpHeader]] : []));
  const seen = new Set<string>();
  for (const [name, value] of pairs) {
    if (value === undefined) continue;
    if (seen.has(name.toLowerCase())) res.appendHeader(name, value as string);
    else res.setHeader(name, value);
    seen.add(name.toLowerCase());
  }
}
