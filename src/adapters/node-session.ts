import type { IncomingMessage, ServerResponse } from 'node:http';
import { runWithSession } from '../core/context.ts';
import { SessionExchange } from '../core/exchange.ts';
import type { Session } from '../core/session.ts';
import type { SessionInterface } from '../core/session-interface.ts';
import { isPromise } from '../core/store.ts';
import { holdResponse } from './held-response.ts';
import { NodeRequest } from './node-request.ts';

/**
 * Opens the session of a Node request, runs `next` with it as `req.session` and as the imported `session`, and has it
 * saved before the response begins.
 * @param next runs the handler; with an error, it answers that
 */
export function serveWithSession(
  sessionInterface: SessionInterface,
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
): void {
  const carrier = req as IncomingMessage & { session?: unknown };
  const exchange = new SessionExchange(sessionInterface, new NodeRequest(req), () => carrier.session);
  const start = (session: Session): void => {
    carrier.session = session;
    holdResponse(res, exchange, next);
    runWithSession(session, next);
  };
  let opened: ReturnType<SessionExchange['open']>;
  try {
    opened = exchange.open();
  } catch (error) {
    next(error);
    return;
  }
  if (isPromise(opened)) opened.then(start, next);
  else start(opened);
}
