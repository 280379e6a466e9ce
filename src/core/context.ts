/** The session of the request being served, without passing it along (Flask's `session` proxy). */
import { AsyncLocalStorage } from 'node:async_hooks';
import { SessionContextError } from '../errors.ts';
import { type Session, SessionMembers } from './session.ts';

/** Where the session of a request is found: at its exchange, which opens it when it is first used. */
export interface SessionHolder {
  readonly session: Session;
}

/** One for the process, even where both the ESM and the CommonJS build of this package are loaded. */
const KEY = Symbol.for('flacon.context');
const shared = globalThis as { [KEY]?: AsyncLocalStorage<SessionHolder> };
shared[KEY] ??= new AsyncLocalStorage<SessionHolder>();
const context: AsyncLocalStorage<SessionHolder> = shared[KEY];

/** Runs a function in which `session` is this one; for adapters. */
export function runWithSession<R>(holder: SessionHolder, run: () => R): R {
  return context.run(holder, run);
}

/** What `session` is here, for adapters; undefined outside of a request. */
export function currentHolder(): SessionHolder | undefined {
  return context.getStore();
}

/** Whether `session` can be used here. */
export function hasSession(): boolean {
  return context.getStore() !== undefined;
}

/** @throws SessionContextError outside of a request */
export function currentSession(): Session {
  const current = context.getStore();
  if (!current) throw new SessionContextError();
  return current.session;
}

/** One class for all of them: its traps are shared, a proxy costs one small object. */
class StandIn implements ProxyHandler<Session> {
  readonly #find: () => Session;

  constructor(find: () => Session) {
    this.#find = find;
  }

  get(_target: Session, key: PropertyKey): unknown {
    // Asking for `then` is what `await` and `Promise.resolve` do with every value: no use of a session.
    if (key === 'then') return undefined;
    const current = this.#find();
    const value: unknown = Reflect.get(current, key, current);
    return typeof value === 'function' && key !== 'constructor' ? value.bind(current) : value;
  }

  set(_target: Session, key: PropertyKey, value: unknown): boolean {
    const current = this.#find();
    return Reflect.set(current, key, value, current);
  }

  has(_target: Session, key: PropertyKey): boolean {
    return Reflect.has(this.#find(), key);
  }

  deleteProperty(_target: Session, key: PropertyKey): boolean {
    return Reflect.deleteProperty(this.#find(), key);
  }

  ownKeys(): (string | symbol)[] {
    return Reflect.ownKeys(this.#find());
  }

  getOwnPropertyDescriptor(_target: Session, key: PropertyKey): PropertyDescriptor | undefined {
    return Reflect.getOwnPropertyDescriptor(this.#find(), key);
  }

  defineProperty(_target: Session, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    return Reflect.defineProperty(this.#find(), key, descriptor);
  }

  preventExtensions(): boolean {
    throw new TypeError('a session cannot be frozen or sealed');
  }

  setPrototypeOf(): boolean {
    throw new TypeError('the prototype of a session cannot be changed');
  }
}

/**
 * The session of the request being served: usable in any code that the handler calls, across `await`, timers and event
 * emitters. A listener on an emitter of one's own runs where the event is emitted.
 * @throws SessionContextError outside of a request, at every use
 */
export const session: Session = standIn(currentSession);

/**
 * A request's session, for frameworks that want a value where others ask a getter: opened when it is first used, so that
 * handing it out costs nothing.
 */
export function lazySession(holder: SessionHolder): Session {
  return standIn(() => holder.session);
}

function standIn(find: () => Session): Session {
  return new Proxy(Object.create(SessionMembers.prototype) as Session, new StandIn(find));
}
