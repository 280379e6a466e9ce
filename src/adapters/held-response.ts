/**
 * Commits the sessions of a Node response before its first byte: every way to begin one (`writeHead`, `flushHeaders`,
 * `write`, `end`, and whatever is built on them) waits for the save, and what is called meanwhile is done afterwards, in
 * order. A save that fails leaves the response unbegun, so that the framework can still answer 500.
 *
 * What Node would refuse at once (a bad status, header or chunk) is refused at once here, too, and not when it is done.
 */
import type { ServerResponse } from 'node:http';
import type { SessionEffects } from '../core/effects.ts';
import type { SessionExchange } from '../core/exchange.ts';
import { type Awaitable, chain, isPromise } from '../core/store.ts';
import { checkChunk, checkStatus, clearBody, putEffects, takeOver } from './held-response-head.ts';
import { HeldState } from './held-response-state.ts';

type Method = 'writeHead' | 'write' | 'end' | 'flushHeaders';
type Call = { readonly method: Method; readonly args: unknown[] };
type Callback = (error?: Error | null) => void;

const HELD = Symbol('flacon.held');
type Held = ServerResponse & { [HELD]?: HeldResponse };

/**
 * @param fail gets the error of a failed save, once, after the handler's synchronous code; it answers the request
 */
export function holdResponse(res: ServerResponse, exchange: SessionExchange, fail: (error: unknown) => void): void {
  const held = (res as Held)[HELD];
  if (held) held.join(exchange, fail);
  else (res as Held)[HELD] = new HeldResponse(res, exchange, fail);
}

// Shared functions that find their state on the response: a request costs no closures.
function writeHead(this: Held, ...args: unknown[]) {
  return this[HELD]?.call('writeHead', args);
}
function write(this: Held, ...args: unknown[]) {
  return this[HELD]?.call('write', args);
}
function end(this: Held, ...args: unknown[]) {
  return this[HELD]?.call('end', args);
}
function flushHeaders(this: Held, ...args: unknown[]) {
  return this[HELD]?.call('flushHeaders', args) as undefined;
}

class HeldResponse {
  readonly #res: ServerResponse;
  #exchange: SessionExchange;
  /** Of session interfaces that were there before; nearly always none. */
  #outer: SessionExchange[] | undefined;
  #fail: (error: unknown) => void;
  readonly #writeHead: ServerResponse['writeHead'];
  readonly #write: ServerResponse['write'];
  readonly #end: ServerResponse['end'];
  readonly #flushHeaders: ServerResponse['flushHeaders'];
  #phase: 'open' | 'saving' | 'begun' | 'finishing' | 'failing' | 'failed' = 'open';
  #waiting: Call[] = [];
  #beyondAscii = false;
  #state: HeldState | undefined;

  constructor(res: ServerResponse, exchange: SessionExchange, fail: (error: unknown) => void) {
    this.#res = res;
    this.#exchange = exchange;
    this.#fail = fail;
    this.#writeHead = res.writeHead;
    this.#write = res.write;
    this.#end = res.end;
    this.#flushHeaders = res.flushHeaders;
    res.writeHead = writeHead as ServerResponse['writeHead'];
    res.write = write as ServerResponse['write'];
    res.end = end as ServerResponse['end'];
    res.flushHeaders = flushHeaders;
    // Used in a listener within `writeHead`: the methods that are held are not called any more, or not in time.
    if (!this.#isMissed()) queueMicrotask(() => this.#isMissed());
  }

  /** Another session interface on the same response. */
  join(exchange: SessionExchange, fail: (error: unknown) => void): void {
    this.#outer ??= [];
    this.#outer.push(this.#exchange);
    this.#exchange = exchange;
    if (this.#phase === 'open') this.#fail = fail;
    else exchange.miss();
  }

  /** Whether the headers have left without the session: it was first used after them, or while they left (on-headers). */
  #isMissed(): boolean {
    if (this.#phase !== 'open' || !this.#res.headersSent) return false;
    this.#phase = 'begun';
    for (const exchange of [...(this.#outer ?? []), this.#exchange]) exchange.miss();
    return true;
  }

  call(method: Method, args: unknown[]): unknown {
    switch (this.#phase) {
      case 'open':
        return this.#begin(method, args);
      case 'begun':
        return method === 'end' ? this.#finish(args) : this.#do(method, args);
      case 'failing':
        return this.#ignore(method, args);
      case 'failed':
        return this.#state?.isAnswering(method === 'writeHead')
          ? this.#answer(method, args)
          : this.#ignore(method, args);
      default:
        return this.#wait(method, args);
    }
  }

  #begin(method: Method, args: unknown[]): unknown {
    if (this.#isMissed()) return this.call(method, args);
    const rest = this.#check(method, args);
    this.#phase = 'saving';
    let effects: Awaitable<SessionEffects[]>;
    try {
      effects = this.#save();
    } catch (error) {
      if (!this.#tellsOfFailure) {
        this.#failed(error);
        return this.#ignore(method, rest);
      }
      effects = [];
    }
    if (!isPromise(effects)) {
      this.#put(effects);
      this.#phase = 'begun';
      if (method === 'end') this.#restore();
      return this.#do(method, rest);
    }
    this.#waiting.push({ method, args: rest });
    this.#state = new HeldState(this.#res, method !== 'end');
    effects
      .catch((error) => {
        if (this.#tellsOfFailure) return [];
        throw error;
      })
      .then((all) => this.#resume(all))
      .catch((error) => this.#failed(error));
    return method === 'write' ? false : this.#res;
  }

  /** An error page is not replaced by another one: a store that is down fails the session of the page that says so, too. */
  get #tellsOfFailure(): boolean {
    return this.#res.statusCode >= 500;
  }

  /** Throws what Node throws, and leaves nothing in the arguments that could fail later. */
  #check(method: Method, args: unknown[]): unknown[] {
    const res = this.#res;
    if (method === 'write' || method === 'end') checkChunk(method, args);
    checkStatus(res, method === 'writeHead' ? args : [res.statusCode]);
    return method === 'writeHead' ? takeOver(res, args) : args;
  }

  /** One after the other: a session interface does not expect another one's failure in the middle of its save. */
  #save(): Awaitable<SessionEffects[]> {
    if (!this.#outer) return chain(this.#exchange.save(), (effects) => [effects]);
    let all: Awaitable<SessionEffects[]> = [];
    for (const exchange of [...this.#outer, this.#exchange]) {
      all = chain(all, (done) => chain(exchange.save(), (effects) => [...done, effects]));
    }
    return all;
  }

  /** The save has ended well: everything that waited is done now, in order. */
  #resume(effects: SessionEffects[]): void {
    const state = this.#thaw();
    this.#put(effects);
    this.#phase = 'begun';
    const [first, ...others] = this.#waiting as [Call, ...Call[]];
    this.#waiting = [];
    this.#replay(() => {
      this.#do(first.method, first.args);
      for (const { method, args } of others) this.call(method, args);
      if (!this.#res.writableEnded) state?.drain();
      else this.#restore();
    });
  }

  /** What fails in a call that had to wait can no longer be told to its caller: the response is broken off. */
  #replay(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#restore();
      this.#res.destroy(error instanceof Error ? error : undefined);
    }
  }

  /** The end of a response that had begun before: late changes are saved first, so that the next request finds them. */
  #finish(args: unknown[]): unknown {
    checkChunk('end', args);
    const late = [this.#exchange, ...(this.#outer ?? [])].map((exchange) => exchange.finish()).filter(isPromise);
    if (late.length === 0) return this.#do('end', args);
    this.#phase = 'finishing';
    this.#waiting.push({ method: 'end', args });
    const go = (): void => {
      const waiting = this.#waiting;
      this.#waiting = [];
      this.#phase = 'begun';
      this.#restore();
      this.#replay(() => {
        for (const call of waiting) if (!this.#res.writableEnded) this.#do(call.method, call.args);
      });
    };
    Promise.all(late).then(go, go);
    return this.#res;
  }

  #wait(method: Method, args: unknown[]): unknown {
    // Whatever comes after the end was not meant for this response; a second implicit head is none.
    if (this.#waiting.at(-1)?.method === 'end') return this.#ignore(method, args);
    if (method === 'writeHead' || method === 'flushHeaders') return this.#res;
    checkChunk(method, args);
    this.#waiting.push({ method, args });
    if (method === 'end') this.#state?.showAsUnbegun();
    return method === 'write' ? false : this.#res;
  }

  #thaw(): HeldState | undefined {
    const state = this.#state;
    this.#state = undefined;
    state?.thaw();
    return state;
  }

  #failed(error: unknown): void {
    this.#phase = 'failing';
    this.#waiting = [];
    this.#thaw();
    process.nextTick(() => {
      clearBody(this.#res);
      this.#state = HeldState.watching(this.#res);
      this.#phase = 'failed';
      this.#state.whileAnswering(() => this.#fail(error));
    });
  }

  /** The error handler answers; what the handler that was stopped still writes goes nowhere. */
  #answer(method: Method, args: unknown[]): unknown {
    this.#thaw();
    this.#phase = 'begun';
    this.#restore();
    return this.#do(method, args);
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
        return this.#write.apply(res, this.#apart(args) as never);
      case 'end':
        return this.#end.apply(res, this.#apart(args) as never);
      case 'flushHeaders':
        return this.#flushHeaders.apply(res);
    }
  }

  /** Node sends a head and a text after it as one text, in UTF-8: a cookie's name outside of ASCII would change. Bytes go apart. */
  #apart(args: unknown[]): unknown[] {
    const [chunk, encoding] = args;
    if (!this.#beyondAscii || typeof chunk !== 'string' || this.#res.headersSent) return args;
    const bytes = Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
    return [bytes, ...args.slice(typeof encoding === 'string' ? 2 : 1)];
  }

  #put(effects: readonly SessionEffects[]): void {
    putEffects(this.#res, effects);
    this.#beyondAscii = effects.some(({ setCookie }) => setCookie !== undefined && /[^\0-\x7f]/.test(setCookie));
  }

  /** Steps aside, unless somebody wrapped these methods in the meantime. */
  #restore(): void {
    const res = this.#res;
    if (res.writeHead === (writeHead as unknown)) res.writeHead = this.#writeHead;
    if (res.write === (write as unknown)) res.write = this.#write;
    if (res.end === (end as unknown)) res.end = this.#end;
    if (res.flushHeaders === flushHeaders) res.flushHeaders = this.#flushHeaders;
  }
}
