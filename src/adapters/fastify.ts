/** Fastify 5. */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { runWithSession } from '../core/context.ts';
import { createSessionInterface, type SessionOptions } from '../core/options.ts';
import type { Session as FlaconSession } from '../core/session.ts';
import type { SessionInterface } from '../core/session-interface.ts';
import { isPromise } from '../core/store.ts';
import { embeddedStore } from '../stores/embedded.ts';
import { answerFailure, clearAnswer, putEffects } from './fastify-reply.ts';
import { FastifySessionRequest } from './fastify-request.ts';
import { bindExchange, type Carrier, NodeExchange, type Place, placeOf } from './node-session.ts';

declare module 'fastify' {
  interface FastifyRequest {
    // Not by the name `Session`: that is another one in here, where @fastify/session is imported, too.
    get session(): FlaconSession;
    /** Null ends the session. */
    set session(value: FlaconSession | null);
  }
}

export interface FastifyOptions {
  /** Where a request has its session. Default `session`; another one for a second session with a cookie of its own. */
  readonly property?: string;
}

/**
 * A plugin: `app.register(sessions({...}))` gives requests `request.session`, and saves it before the response begins. At
 * the root it serves every route, registered inside of another plugin that plugin's routes. What fails goes to Fastify's
 * error handler. Behind a proxy that ends TLS, set Fastify's `trustProxy`: it decides whether the cookie is `Secure`.
 *
 * `request.session = null` ends the session.
 * @param options how sessions are kept, or an interface of your own; nothing: the secure profile on the embedded store
 * @throws SessionConfigError
 */
export function sessions(
  options: SessionOptions | SessionInterface = {},
  { property }: FastifyOptions = {},
): FastifyPluginAsync {
  const sessionInterface = createSessionInterface(options, embeddedStore);
  const place = placeOf(property);
  const plugin: FastifyPluginAsync = async (app) => {
    const { get: getter, set: setter } = place.accessor;
    app.decorateRequest(place.property, { getter, setter } as never);
    app.addHook('onRequest', (request, reply, next) => open(sessionInterface, place, request, reply, next));
    app.addHook('onSend', (request, reply, payload, next) => {
      const exchange = exchangeOf(request, place);
      // With a session that nobody used there is nothing to do, and its response is not held.
      if (!exchange || exchange.isIdle) next();
      // The first `reply.send` goes on; the other one ends here.
      else if (!saving.has(exchange)) return save(exchange, reply, payload, next);
    });
    // Fastify began to listen to the response before there was a session.
    app.addHook('onResponse', (request, _reply, next) => {
      const exchange = exchangeOf(request, place);
      if (exchange) runWithSession(exchange, next);
      else next();
    });
  };
  return Object.assign(plugin, PLUGIN);
}

/** What the package `fastify-plugin` would add: the scope that the plugin is registered in has the session, and not one below it. */
const PLUGIN = {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'flacon',
  [Symbol.for('plugin-meta')]: { name: 'flacon', fastify: '>=5' },
};

/**
 * Whose answer waits for the save. A handler that neither returns nor awaits its `reply.send` (Nest 11 does so to redirect) has
 * Fastify send a second, empty answer meanwhile, which would overtake the first.
 */
const saving = new WeakSet<NodeExchange>();

function exchangeOf(request: FastifyRequest, place: Place): NodeExchange | undefined {
  return (request as unknown as Carrier)[place.exchange] as NodeExchange | undefined;
}

function open(
  sessionInterface: SessionInterface,
  place: Place,
  request: FastifyRequest,
  reply: FastifyReply,
  next: (error?: Error) => void,
): void {
  // The same interface in a scope and in one above it is as good as once.
  if (exchangeOf(request, place)?.interface === sessionInterface) {
    next();
    return;
  }
  const exchange = new NodeExchange(sessionInterface, new FastifySessionRequest(request), reply.raw, (error) =>
    answerFailure(error, reply),
  );
  const start = (): void => {
    (request as unknown as Carrier)[place.exchange] = exchange;
    bindExchange(exchange, place, request.raw, reply.raw);
    if (!exchange.isIdle) exchange.hold();
    runWithSession(exchange, next);
  };
  const opened = exchange.open();
  if (isPromise(opened)) opened.then(start, next);
  else start();
}

/** What other hooks change from here on is saved when the response begins, or ends, by the hold on `reply.raw`. */
function save(
  exchange: NodeExchange,
  reply: FastifyReply,
  payload: unknown,
  next: (error: null, payload: unknown) => void,
): Promise<unknown> | undefined {
  const fail = (error: unknown): never => {
    clearAnswer(reply, payload);
    throw error;
  };
  let effects: ReturnType<NodeExchange['save']>;
  try {
    effects = exchange.save();
  } catch (error) {
    return fail(error);
  }
  if (isPromise(effects)) {
    saving.add(exchange);
    const saved = effects.finally(() => saving.delete(exchange));
    return saved.then((all) => putEffects(reply, payload, all), fail);
  }
  const sent = putEffects(reply, payload, effects);
  runWithSession(exchange, () => next(null, sent));
  return undefined;
}
