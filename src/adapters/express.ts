/** Express 5 and 4, and every framework with Connect's middleware. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSessionInterface, type SessionOptions } from '../core/options.ts';
import type { Session } from '../core/session.ts';
import type { SessionInterface } from '../core/session-interface.ts';
import { embeddedStore } from '../stores/embedded.ts';
import { placeOf, serveWithSession } from './node-session.ts';

declare global {
  namespace Express {
    interface Request {
      session: Session;
      /** `session.sid` under express-session's name: null where the data is in the cookie. */
      sessionID: string | null;
    }
  }
}

export interface ExpressOptions {
  /** Where a request has its session. Default `session`; another one for a second session with a cookie of its own. */
  readonly property?: string;
}

export type SessionMiddleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

/**
 * Middleware that gives every request below it `req.session`, and saves it before the response begins. What fails goes to
 * `next(error)`. Behind a proxy that ends TLS, set Express's `trust proxy`: it decides whether the cookie is `Secure`.
 *
 * `req.session = null` ends the session, as with cookie-session.
 * @param options how sessions are kept, or an interface of your own; nothing: the secure profile on the embedded store
 * @throws SessionConfigError
 */
export function sessions(
  options: SessionOptions | SessionInterface = {},
  { property }: ExpressOptions = {},
): SessionMiddleware {
  const sessionInterface = createSessionInterface(options, embeddedStore);
  const settings = { place: placeOf(property) };
  return (req, res, next) => serveWithSession(sessionInterface, settings, req, res, next);
}
