import type { Context } from 'koa';
import { runWithSession } from '../core/context.ts';
import type { SessionEffects } from '../core/effects.ts';
import { type Awaitable, chain, isPromise } from '../core/store.ts';
import { NodeExchange } from './node-session.ts';

/**
 * Saved when the middleware below has done its work, so that a failure reaches the middleware above; the headers wait for
 * the response to begin, since Koa's error page removes those that are there.
 */
export class KoaExchange extends NodeExchange {
  #used = false;
  #effects: Awaitable<SessionEffects> | undefined;

  override get session() {
    this.#used = true;
    return super.session;
  }

  override replace(value: unknown): void {
    this.#used = true;
    super.replace(value);
  }

  /**
   * After the middleware below. A session that was not used, a response that has begun or that Koa will not send: these are
   * saved where the response begins.
   * @throws SessionError when saving fails
   */
  saveEarly(ctx: Context): Awaitable<void> {
    if (!this.#used || this.#effects || ctx.respond === false) return undefined;
    return chain(this.save(), () => undefined);
  }

  /** Again: what was changed since is saved, too. After a failure there is nothing left to save. */
  override save(): Awaitable<SessionEffects> {
    if (this.#effects) return chain(this.#effects, (effects) => chain(this.finish(), () => effects));
    const forget = (): void => {
      this.#effects = {};
    };
    try {
      this.#effects = super.save();
    } catch (error) {
      forget();
      throw error;
    }
    if (isPromise(this.#effects)) this.#effects.then(undefined, forget);
    return this.#effects;
  }
}

/**
 * Koa reads a body that streams when the middleware is done, outside of the request's context: what makes its pieces finds
 * the imported session nevertheless.
 */
export function streamInContext(ctx: Context, exchange: KoaExchange): void {
  const body: unknown = ctx.body instanceof Response ? ctx.body.body : ctx.body;
  if (typeof body !== 'object' || body === null) return;
  if ('pipe' in body && typeof body.pipe === 'function') {
    const { pipe } = body;
    body.pipe = (...args: unknown[]) => runWithSession(exchange, () => pipe.apply(body, args));
  } else if (body instanceof ReadableStream) {
    const reader = body[Symbol.asyncIterator].bind(body);
    Object.defineProperty(body, Symbol.asyncIterator, {
      value: () => {
        const pieces = reader();
        return { next: () => runWithSession(exchange, () => pieces.next()), return: () => pieces.return?.() };
      },
      configurable: true,
    });
  }
}
