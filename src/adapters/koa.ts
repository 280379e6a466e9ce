/** Koa 3. */
import type { Context, Middleware } from 'koa';
import { runWithSession } from '../core/context.ts';
import { createSessionInterface, type SessionOptions } from '../core/options.ts';
import type { Session } from '../core/session.ts';
import type { SessionInterface } from '../core/session-interface.ts';
import { embeddedStore } from '../stores/embedded.ts';
import { KoaExchange, streamInContext } from './koa-exchange.ts';
import { KoaSessionRequest } from './koa-request.ts';
import { bindExchange, type Carrier, type Place, placeOf } from './node-session.ts';

declare module 'koa' {
  interface ExtendableContext {
    get session(): Session;
    /** Null ends the session, as with koa-session. */
    set session(value: Session | null);
  }
}

export interface KoaOptions {
  /** Where a context has its session. Default `session`; another one for a second session with a cookie of its own. */
  readonly property?: string;
}

/**
 * Middleware that gives everything below it `ctx.session`, and saves it before the response begins. What fails is thrown: to
 * the middleware above, and to `app.on('error')`. Behind a proxy that ends TLS, set `app.proxy`: it decides whether the
 * cookie is `Secure`.
 *
 * `ctx.session = null` ends the session, as with koa-session.
 * @param options how sessions are kept, or an interface of your own; nothing: the secure profile on the embedded store
 * @throws SessionConfigError
 */
export function sessions(options: SessionOptions | SessionInterface = {}, { property }: KoaOptions = {}): Middleware {
  const sessionInterface = createSessionInterface(options, embeddedStore);
  const place = placeOf(property);
  return async (ctx, next) => {
    // Twice the same middleware is as good as once.
    if ((ctx as unknown as Carrier)[place.exchange]?.interface === sessionInterface) return next();
    const exchange = new KoaExchange(sessionInterface, new KoaSessionRequest(ctx), ctx.res, (error) =>
      ctx.onerror(error as Error),
    );
    await exchange.open();
    giveAccess(ctx, place);
    (ctx as unknown as Carrier)[place.exchange] = exchange;
    bindExchange(exchange, place, ctx.req, ctx.res);
    if (!exchange.isIdle) exchange.hold();
    await runWithSession(exchange, next);
    streamInContext(ctx, exchange);
    await exchange.saveEarly(ctx);
  };
}

/** Once for all contexts of an application. */
function giveAccess(ctx: Context, place: Place): void {
  if (place.accessible in ctx) return;
  const { context } = ctx.app;
  const owner = Object.prototype.isPrototypeOf.call(context, ctx) ? context : ctx;
  Object.defineProperty(owner, place.property, place.accessor);
  Object.defineProperty(owner, place.accessible, { value: true });
}
