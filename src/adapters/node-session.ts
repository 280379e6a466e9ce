import { IncomingMessage, type ServerResponse } from 'node:http';
import { runWithSession } from '../core/context.ts';
import { SessionExchange } from '../core/exchange.ts';
import type { SessionInterface } from '../core/session-interface.ts';
import { isPromise } from '../core/store.ts';
import { holdResponse } from './held-response.ts';
import { NodeRequest } from './node-request.ts';

const EXCHANGE = Symbol('flacon.exchange');
/** On what has the accessor: looking for it costs less than looking for where it would be. */
const ACCESSIBLE = Symbol('flacon.accessible');
type Carrier = IncomingMessage & { [EXCHANGE]?: SessionExchange };

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
  // Twice the same middleware is as good as once.
  if ((req as Carrier)[EXCHANGE]?.interface === sessionInterface) {
    next();
    return;
  }
  const exchange = new SessionExchange(sessionInterface, new NodeRequest(req));
  const start = (): void => {
    (req as Carrier)[EXCHANGE] = exchange;
    if (!(ACCESSIBLE in req)) giveAccessor(req);
    holdResponse(res, exchange, next);
    runWithSession(exchange, next);
  };
  let opened: ReturnType<SessionExchange['open']>;
  try {
    opened = exchange.open();
  } catch (error) {
    next(error);
    return;
  }
  if (isPromise(opened)) opened.then(start, next);
  else start();
}

const ACCESSOR: PropertyDescriptor = {
  get(this: Carrier) {
    return this[EXCHANGE]?.current;
  },
  set(this: Carrier, value: unknown) {
    if (this[EXCHANGE]) this[EXCHANGE].replace(value);
    else Object.defineProperty(this, 'session', { value, writable: true, enumerable: true, configurable: true });
  },
  enumerable: true,
  configurable: true,
};

/**
 * `req.session`. On the prototype that a framework puts between all of its requests and Node's own (`express.request`), so
 * that a request which does not use its session pays nothing for it; on the request itself where there is none such.
 */
function giveAccessor(req: IncomingMessage): void {
  let owner: object = req;
  for (let next = Object.getPrototypeOf(req); next !== IncomingMessage.prototype; next = Object.getPrototypeOf(next)) {
    if (next === null) {
      owner = req;
      break;
    }
    owner = next;
  }
  Object.defineProperty(owner, 'session', ACCESSOR);
  Object.defineProperty(owner, ACCESSIBLE, { value: true });
}
