/**
 * What an adapter is made of, for those who bind a framework that has none here: docs/adapters/writing-an-adapter.md.
 *
 * ```ts
 * const exchange = new SessionExchange(sessionInterface, { cookie, secure });
 * await exchange.open();
 * const answer = await runWithSession(exchange, () => handler(lazySession(exchange)));
 * const { setCookie, moreCookies, vary, private } = await exchange.save(); // into the headers
 * await exchange.finish(); // when the body has been sent
 * ```
 */
export { lazySession, runWithSession, type SessionHolder } from '../core/context.ts';
export { type SessionEffects, withPrivate, withVary } from '../core/effects.ts';
export { SessionExchange } from '../core/exchange.ts';
