/**
 * A response whose beginning waits for a save counts as begun: what the handler has decided by then goes out, whatever is
 * done to the status and the headers meanwhile (by error handling, say, when the handler throws after `res.end()`).
 */
import type { ServerResponse } from 'node:http';
import { messageOf, setMessage } from './held-response-head.ts';

type Listener = (...args: unknown[]) => void;

const SETTERS = ['setHeader', 'appendHeader', 'setHeaders', 'removeHeader'] as const;
const LISTENERS = ['on', 'once', 'addListener'] as const;

export class HeldState {
  readonly #res: ServerResponse;
  readonly #status: number;
  readonly #message: string | undefined;
  readonly #own = new Map<string, unknown>();
  readonly #drains: Listener[] = [];
  #answering = false;
  #watching = false;
  #shown = false;

  /** @param begun whether a handler that asks is told that the headers are sent: so after a part of the body, but not its end */
  constructor(res: ServerResponse, begun: boolean) {
    this.#res = res;
    this.#status = res.statusCode;
    this.#message = messageOf(res);
    for (const name of SETTERS) this.#replace(name, () => res);
    for (const name of LISTENERS) this.#hear(name);
    if (begun) {
      Object.defineProperty(res, 'headersSent', { value: true, configurable: true });
      this.#shown = true;
    }
  }

  /** After a failed save: tells an error handler, which decides on a status and headers, from the handler that was stopped. */
  static watching(res: ServerResponse): HeldState {
    const state = new HeldState(res, false);
    state.thaw();
    state.#watching = true;
    for (const name of SETTERS) {
      const original = res[name] as (...args: unknown[]) => unknown;
      state.#replace(name, (...args: unknown[]) => {
        state.#answering = true;
        return original.apply(res, args);
      });
    }
    return state;
  }

  whileAnswering(run: () => void): void {
    this.#answering = true;
    run();
    this.#answering = false;
  }

  isAnswering(explicitly: boolean): boolean {
    return explicitly || this.#answering || this.#res.statusCode !== this.#status;
  }

  showAsUnbegun(): void {
    if (this.#shown) delete (this.#res as { headersSent?: boolean }).headersSent;
    this.#shown = false;
  }

  thaw(): void {
    this.showAsUnbegun();
    for (const [name, value] of this.#own) (this.#res as unknown as Record<string, unknown>)[name] = value;
    if (this.#watching) return;
    this.#res.statusCode = this.#status;
    setMessage(this.#res, this.#message);
  }

  /** Whoever was told to wait goes on, also where a wrapper (compression) keeps the listeners for itself. */
  drain(): void {
    const native = this.#res.listeners('drain');
    this.#res.emit('drain');
    for (const listener of this.#drains) if (!native.includes(listener)) listener.call(this.#res);
  }

  #replace(name: string, value: unknown): void {
    const target = this.#res as unknown as Record<string, unknown>;
    if (!this.#own.has(name)) this.#own.set(name, target[name]);
    target[name] = value;
  }

  #hear(name: (typeof LISTENERS)[number]): void {
    const original = this.#res[name] as (...args: unknown[]) => unknown;
    this.#replace(name, (event: unknown, listener: Listener) => {
      if (event === 'drain') this.#drains.push(listener);
      return original.call(this.#res, event, listener);
    });
  }
}
