/** Next.js 15 and later, App Router: route handlers, server actions and server components, on the Node.js runtime. */
import { currentHolder, lazySession, runWithSession } from '../core/context.ts';
import { SessionExchange } from '../core/exchange.ts';
import { createSessionInterface, type SessionOptions } from '../core/options.ts';
import type { Session } from '../core/session.ts';
import type { SessionInterface } from '../core/session-interface.ts';
import { stateOf } from '../core/session-values.ts';
import { SessionConfigError } from '../errors.ts';
import { embeddedStore } from '../stores/embedded.ts';
import { answerWith } from './fetch-response.ts';
import { type CookieJar, type IncomingHeaders, type Visit, visitOf } from './next-visit.ts';

/** What cannot be found here: Next.js's own functions, which its bundler has to give to the application. */
export interface NextOptions {
  /** `import { cookies } from 'next/headers'` */
  readonly cookies: () => Promise<CookieJar>;
  /** `import { headers } from 'next/headers'` */
  readonly headers: () => Promise<IncomingHeaders>;
  /** Whether `X-Forwarded-Proto` decides if a cookie is `Secure`: only behind a proxy that sets it. Default false. */
  readonly trustProxy?: boolean;
}

export interface NextSessions {
  /**
   * Makes a route handler or a server action one that has a session: the imported `session`, or `await getSession()`. The
   * function stays what it was, its arguments and its result included. The session is saved when it returns or throws, and
   * before a `redirect()` or `notFound()` goes on; a failed save stops those.
   *
   * The function that it makes throws `SessionStoreError`, `SessionConflictError`, `SessionEncodeError`,
   * `SessionCookieTooLargeError`, and `SessionReadOnlyError` where a page renders and the visitor needs a cookie.
   */
  readonly withSession: <Args extends unknown[], R>(
    serve: (...args: Args) => R | Promise<R>,
  ) => (...args: Args) => Promise<R>;
  /**
   * The session: the one to be saved inside of `withSession`; everywhere else, server components first of all, one to read,
   * in which writing throws a `SessionReadOnlyError`. A page that asks for it is rendered for every request.
   * @throws SessionStoreError
   */
  readonly getSession: () => Promise<Session>;
}

const READ_ONLY =
  'a server component can only read the session: change it in a server action or a route handler made by withSession(…)';

/**
 * Sessions for the application: call it once, in a file of its own, and import what it answers.
 * @param options how sessions are kept, or an interface of your own; `{}`: the secure profile on the embedded store
 * @param next `{ cookies, headers }` of `next/headers`
 * @throws SessionConfigError
 */
export function sessions(options: SessionOptions | SessionInterface, next: NextOptions): NextSessions {
  const { cookies, headers, trustProxy = false } = checked(next);
  const sessionInterface = createSessionInterface(options, embeddedStore);
  const visits = new WeakMap<object, Visit>();

  const withSession: NextSessions['withSession'] =
    (serve) =>
    async (...args) => {
      if (ownHolder(sessionInterface)) return serve(...args);
      const visit = visitOf(visits, await headers(), trustProxy);
      const exchange = new SessionExchange(sessionInterface, visit);
      await exchange.open();
      const save = async () => {
        const effects = await exchange.save();
        visit.reading = undefined;
        if (effects.setCookie !== undefined) {
          const isMissed = needsCookie(exchange.session, sessionInterface.readCookie(visit));
          visit.tell(effects, await cookies(), isMissed);
        }
        return effects;
      };
      const result = await runWithSession(exchange, async () => serve(...args)).catch(async (error) => {
        await save().catch((unsaved) => {
          throw isSignal(error) ? unsaved : error;
        });
        throw error;
      });
      const { vary, private: isPrivate } = await save();
      if (!isResponse(result) || !(vary || isPrivate || exchange.savesLate)) return result;
      // The cookies are Next.js's to send: it would encode those of a header anew.
      return answerWith({ vary: vary ?? false, private: isPrivate ?? false }, result, exchange) as typeof result;
    };

  const getSession: NextSessions['getSession'] = async () => {
    const holder = ownHolder(sessionInterface);
    if (holder) return lazySession(holder);
    const visit = visitOf(visits, await headers(), trustProxy);
    visit.reading ??= read(new SessionExchange(sessionInterface, visit));
    return visit.reading;
  };

  return { withSession, getSession };
}

function checked(next: NextOptions): NextOptions {
  for (const name of ['cookies', 'headers'] as const) {
    if (typeof next?.[name] !== 'function') {
      throw new SessionConfigError(
        name,
        `a ${typeof next?.[name]}`,
        `the function: import { ${name} } from 'next/headers'`,
      );
    }
  }
  return next;
}

/** The exchange of a function around this one. */
function ownHolder(sessionInterface: SessionInterface) {
  const holder = currentHolder() as SessionExchange | undefined;
  return holder?.interface === sessionInterface ? holder : undefined;
}

/** Reading counts as a use, which moves the end of idleness. A cookie that would tell the visitor so has to wait. */
async function read(exchange: SessionExchange): Promise<Session> {
  await exchange.open();
  const { session } = exchange;
  await session.load();
  await exchange.save();
  stateOf(session).readOnly ??= READ_ONLY;
  return session;
}

/** Whether the session is lost, or a change of it, without the new cookie. Most often that only moves its end. */
function needsCookie(session: Session, offered: string | undefined): boolean {
  const { sid } = session;
  // A signature may follow.
  if (sid !== null) return !offered?.startsWith(sid);
  const state = stateOf(session);
  return state.modified || state.hasOperations;
}

/** What `redirect()`, `notFound()` and others throw is no failure. */
function isSignal(error: unknown): boolean {
  const { digest } = (error ?? {}) as { digest?: unknown };
  return typeof digest === 'string' && digest.startsWith('NEXT_');
}

/** That of another realm, too. */
function isResponse(value: unknown): value is Response {
  return value instanceof Response || Object.prototype.toString.call(value) === '[object Response]';
}
