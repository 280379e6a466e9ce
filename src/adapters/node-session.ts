import { EventEmitter } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { runWithSession, type SessionHolder } from '../core/context.ts';
import { SessionExchange } from '../core/exchange.ts';
import type { SessionInterface, SessionRequest } from '../core/session-interface.ts';
import { isPromise } from '../core/store.ts';
import { SessionConfigError } from '../errors.ts';
import { holdResponse } from './held-response.ts';
import { NodeRequest } from './node-request.ts';
import { requestMembers } from './request-members.ts';

/** Where requests keep the exchange of one property, and whether they have its accessor. */
export interface Place {
  readonly property: string;
  readonly exchange: symbol;
  /** On what has the accessor: looking for it costs less than looking for where it would be. */
  readonly accessible: symbol;
  readonly accessor: PropertyDescriptor;
}
export type Carrier = Record<symbol, SessionExchange | undefined>;

const places = new Map<string, Place>();

/**
 * Its symbols are the process's, as the prototypes are that get the accessor: also where both the ESM and the CommonJS build
 * of this package are loaded.
 * @param property of the request, `session` unless several interfaces serve the same request
 * @throws SessionConfigError
 */
export function placeOf(property = 'session'): Place {
  const known = places.get(property);
  if (known) return known;
  if (typeof property !== 'string' || !/^[a-z_$][\w$]*$/i.test(property) || property in IncomingMessage.prototype) {
    const given = typeof property === 'string' ? JSON.stringify(property.slice(0, 60)) : `a ${typeof property}`;
    throw new SessionConfigError('property', given, 'the name of a property that requests do not have by themselves');
  }
  const exchange = Symbol.for(`flacon.${property}`);
  const accessor: PropertyDescriptor = {
    get(this: Carrier) {
      return this[exchange]?.current;
    },
    set(this: Carrier, value: unknown) {
      if (this[exchange]) this[exchange].replace(value);
      else Object.defineProperty(this, property, { value, writable: true, enumerable: true, configurable: true });
    },
    enumerable: true,
    configurable: true,
  };
  const place: Place = { property, exchange, accessible: Symbol.for(`flacon.${property}.accessible`), accessor };
  places.set(property, place);
  return place;
}

export interface NodeSessionOptions {
  readonly place: Place;
  readonly trustProxy?: boolean;
}

/** The response is held from the session's first use on: one that never uses it goes its way as if nobody was here. */
export class NodeExchange extends SessionExchange {
  readonly #res: ServerResponse;
  readonly #fail: (error: unknown) => void;
  #holds = false;

  constructor(
    sessionInterface: SessionInterface,
    request: SessionRequest,
    res: ServerResponse,
    fail: (error: unknown) => void,
  ) {
    super(sessionInterface, request);
    this.#res = res;
    this.#fail = fail;
  }

  hold(): void {
    if (this.#holds) return;
    this.#holds = true;
    // What stands for the response of an upgrade request (Socket.IO's `io.engine.use`) takes no cookie, and waits for none.
    const isUpgrade = this.#res.req?.headers.upgrade !== undefined && !(this.#res instanceof ServerResponse);
    if (isUpgrade) this.detach();
    else holdResponse(this.#res, this, this.#fail);
  }

  protected override beforeUse(): void {
    if (this.#res.writableEnded) this.miss();
    else this.hold();
  }
}

/**
 * Opens the session of a Node request, runs `next` with it as `req.session` and as the imported `session`, and has it
 * saved before the response begins.
 * @param next runs the handler; with an error, it answers that
 */
export function serveWithSession(
  sessionInterface: SessionInterface,
  { place, trustProxy }: NodeSessionOptions,
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
): void {
  // Twice the same middleware is as good as once.
  if ((req as unknown as Carrier)[place.exchange]?.interface === sessionInterface) {
    next();
    return;
  }
  const request = new NodeRequest(req, trustProxy);
  const exchange = new NodeExchange(sessionInterface, request, res, next);
  if (!sessionInterface.opensLazily) {
    serveOpened(exchange, place, req, res, next);
    return;
  }
  bindExchange(exchange, place, req, res);
  if (sessionInterface.savesUntouched(request)) exchange.hold();
  runWithSession(exchange, next);
}

/** A function of its own: what closures share would be made for each request of the others, too. */
function serveOpened(
  exchange: NodeExchange,
  place: Place,
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
): void {
  const start = (): void => {
    bindExchange(exchange, place, req, res);
    exchange.hold();
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

/** Makes it the request's, in its property and for the listeners of what Node emits. */
export function bindExchange(exchange: SessionExchange, place: Place, req: IncomingMessage, res: ServerResponse): void {
  (req as unknown as Carrier)[place.exchange] = exchange;
  // Nearly every program has one place, and looking for what is not there costs.
  if (places.size > 1) (req as Message)[LATEST] = exchange;
  if (!(place.accessible in req)) prepare(place, req, res);
}

/** Once for all requests of a framework, or for each where they share nothing. */
function prepare(place: Place, req: IncomingMessage, res: ServerResponse): void {
  const owner = prototypeOf(req, IncomingMessage.prototype);
  Object.defineProperty(owner, place.property, place.accessor);
  if (place.property === 'session' && owner !== req) {
    Object.defineProperties(owner, requestMembers(place.exchange));
  }
  Object.defineProperty(owner, place.accessible, { value: true });
  listenInContext(owner);
  listenInContext(prototypeOf(res, ServerResponse.prototype));
}

/**
 * The prototype that a framework puts between all of its requests (or responses) and Node's own (`express.request`), so
 * that a request which does not use its session pays nothing; the request itself where there is none such.
 */
function prototypeOf(message: object, native: object): object {
  let owner = message;
  for (let next = Object.getPrototypeOf(message); next !== native; next = Object.getPrototypeOf(next)) {
    if (next === null) return message;
    owner = next;
  }
  return owner;
}

const LISTENS = Symbol.for('flacon.listens');
const SESSION = Symbol.for('flacon.session');
/** On a request with several interfaces: the exchange of the one that was set up last. */
const LATEST = Symbol.for('flacon.latest');
type Message = EventEmitter & {
  readonly req?: Message;
  readonly [SESSION]?: SessionHolder | undefined;
  [LATEST]?: SessionHolder | undefined;
};

/** Of the message's own request, whatever request a listener is given to it in. */
function holderOf(message: Message): SessionHolder | undefined {
  const request = message.req ?? message;
  return request[LATEST] ?? request[SESSION];
}

/** Node emits what happens to a connection outside of any request; its listeners are a request's all the same. */
function listenInContext(owner: object): void {
  if (LISTENS in owner) return;
  const native = Object.getPrototypeOf(owner);
  for (const method of ['on', 'addListener', 'prependListener'] as const) {
    const value = function (this: Message, ...args: unknown[]): unknown {
      if (this.emit === native.emit && holderOf(this)) this.emit = emitInContext;
      return native[method].apply(this, args);
    };
    Object.defineProperty(owner, method, { value, writable: true, configurable: true });
  }
  Object.defineProperty(owner, LISTENS, { value: true });
}

function emitInContext(this: Message, ...args: unknown[]): boolean {
  return runWithSession(holderOf(this) as SessionHolder, () => EventEmitter.prototype.emit.apply(this, args as never));
}
