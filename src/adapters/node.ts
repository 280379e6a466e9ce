/** Plain `node:http` and `node:https` servers. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { createSessionInterface, type SessionOptions } from '../core/options.ts';
import type { Session } from '../core/session.ts';
import type { SessionInterface } from '../core/session-interface.ts';
import { isPromise } from '../core/store.ts';
import { embeddedStore } from '../stores/embedded.ts';
import { placeOf, serveWithSession } from './node-session.ts';

export type SessionIncomingMessage = IncomingMessage & { session: Session };

/** May answer with a promise; what it throws or rejects with goes to {@link NodeOptions.onError}. */
export type SessionRequestListener = (req: SessionIncomingMessage, res: ServerResponse) => unknown;

export interface NodeOptions {
  /** Where a request has its session. Default `session`; another one for a second session with a cookie of its own. */
  readonly property?: string;
  /** Whether `X-Forwarded-Proto` decides if a cookie is `Secure`: only behind a proxy that sets it. Default false. */
  readonly trustProxy?: boolean;
  /** Answers a request whose handler or session failed. Default: prints the error, and answers a bare 500. */
  readonly onError?: (error: unknown, req: IncomingMessage, res: ServerResponse) => void;
}

/**
 * Wraps request listeners: `http.createServer(sessions({...})((req, res) => …))` gives the listener `req.session`, and
 * saves it before the response begins.
 * @param options how sessions are kept, or an interface of your own; nothing: the secure profile on the embedded store
 * @throws SessionConfigError
 */
export function sessions(
  options: SessionOptions | SessionInterface = {},
  { onError = answer500, property, trustProxy = false }: NodeOptions = {},
): (listener: SessionRequestListener) => RequestListener {
  const sessionInterface = createSessionInterface(options, embeddedStore);
  const settings = { place: placeOf(property), trustProxy };
  return (listener) => (req, res) => {
    const fail = (error: unknown): void => onError(error, req, res);
    serveWithSession(sessionInterface, settings, req, res, (error) => {
      if (error !== undefined) {
        fail(error);
        return;
      }
      try {
        const running = listener(req as SessionIncomingMessage, res);
        if (isPromise(running)) running.then(undefined, fail);
      } catch (thrown) {
        fail(thrown);
      }
    });
  };
}

function answer500(error: unknown, _req: IncomingMessage, res: ServerResponse): void {
  process.stderr.write(`${inspect(error)}\n`);
  if (res.headersSent) {
    res.destroy();
    return;
  }
  for (const name of res.getHeaderNames()) if (name !== 'set-cookie' && name !== 'vary') res.removeHeader(name);
  res.writeHead(500, { 'Content-Type': 'text/plain; charset=utf-8' });
  res.end('Internal Server Error\n');
}
