/** Elysia 1, on every runtime that it runs on. */
import type { AnyElysia, Elysia } from 'elysia';
import { lazySession } from '../core/context.ts';
import { SessionExchange } from '../core/exchange.ts';
import { createSessionInterface, type SessionOptions } from '../core/options.ts';
import type { Session } from '../core/session.ts';
import type { SessionInterface } from '../core/session-interface.ts';
import { type Awaitable, chain } from '../core/store.ts';
import { SessionConfigError } from '../errors.ts';
import { AOT, type ElysiaApp, type ElysiaContext, requestSessions, withSessions } from './elysia-request.ts';
import { FetchRequest } from './fetch-request.ts';

export interface ElysiaOptions<Name extends string = 'session'> {
  /** The property of the context that is the session. Default `session`; another one for a second session with a cookie of its own. */
  readonly property?: Name;
  /** Whether `X-Forwarded-Proto` decides if a cookie is `Secure`: only behind a proxy that sets it. Default false. */
  readonly trustProxy?: boolean;
}

/** How Elysia's types write that there is nothing. */
// biome-ignore lint/complexity/noBannedTypes: its own spelling, which others are not assignable to
type None = {};
type Nothing = { derive: None; resolve: None; schema: None; standaloneSchema: None; response: None };

/** What `app.use` makes of it: the same application, whose handlers have the session. */
export type SessionPlugin<Name extends string> = (
  app: AnyElysia,
) => Elysia<
  '',
  { decorator: None; store: None; derive: None; resolve: None },
  { typebox: None; error: None },
  { schema: None; standaloneSchema: None; macro: None; macroFn: None; parser: None; response: None },
  None,
  Nothing,
  Omit<Nothing, 'derive'> & { derive: { readonly [K in Name]: Session } }
>;

/**
 * A plugin: `new Elysia().use(sessions({...}))` gives every handler that is added after it `({ session })`, and saves it before
 * the response begins. It is `local` to the instance that uses it, as everything in Elysia is: `.as('scoped')` and
 * `.as('global')` share it with the instances above. What fails goes to `onError`, whose answer has the session's cookie, too,
 * unless it was the save that failed.
 * @param options how sessions are kept, or an interface of your own; a store has to be named, or `'cookie'`
 * @throws SessionConfigError; `app.use` does, too, for an instance with `aot: false`
 */
export function sessions<const Name extends string = 'session'>(
  options: SessionOptions | SessionInterface,
  { property = 'session' as Name, trustProxy = false }: ElysiaOptions<Name> = {},
): SessionPlugin<Name> {
  const sessionInterface = createSessionInterface(options);
  const plugin = (app: ElysiaApp): ElysiaApp => {
    if (app.config.aot === false) throw new SessionConfigError('aot', 'false', AOT);
    const atOnce = (context: ElysiaContext): Awaitable<object> => {
      const all = requestSessions(context, app);
      // Twice the same plugin is as good as once.
      if (all.has(property, sessionInterface)) return {};
      const exchange = new SessionExchange(sessionInterface, new FetchRequest(context.request, trustProxy));
      const ready = (): object => {
        all.add(property, exchange);
        return { [property]: lazySession(exchange) };
      };
      return chain(exchange.open(), ready);
    };
    const awaited = async (context: ElysiaContext) => atOnce(context);
    // Elysia reads a function's text for what it uses of the context, and would prepare all of it for one that passes it on. A
    // bound function has no text.
    const derive = sessionInterface.opensLazily ? atOnce.bind(undefined) : awaited.bind(undefined);
    return app.wrap(withSessions).derive(derive);
  };
  return plugin as unknown as SessionPlugin<Name>;
}
