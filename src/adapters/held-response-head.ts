/**
 * A response whose beginning waits for a save counts as begun: what the handler has decided by then goes out, whatever is
 * done to the status and the headers meanwhile (by error handling, say, when the handler throws after `res.end()`).
 */
import type { ServerResponse } from 'node:http';

const SETTERS = ['setHeader', 'appendHeader', 'setHeaders', 'removeHeader'] as const;

export class FrozenHead {
  readonly #res: ServerResponse;
  readonly #status: number;
  readonly #message: string;
  readonly #setters: Record<string, unknown>;

  constructor(res: ServerResponse) {
    this.#res = res;
    this.#status = res.statusCode;
    this.#message = res.statusMessage;
    this.#setters = Object.fromEntries(SETTERS.map((name) => [name, res[name]]));
    const ignore = () => res;
    for (const name of SETTERS) Object.assign(res, { [name]: ignore });
  }

  /** What a handler that asks is told, once a part of the body is waiting but not its end. */
  showAsBegun(): void {
    Object.defineProperty(this.#res, 'headersSent', { value: true, configurable: true });
  }

  thaw(): void {
    const res = this.#res;
    Object.assign(res, this.#setters);
    delete (res as { headersSent?: boolean }).headersSent;
    res.statusCode = this.#status;
    res.statusMessage = this.#message;
  }
}
