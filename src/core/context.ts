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

/**
 * The session of the request being served: usable in any code that the handler calls, across `await` and timers. An event
 * listener runs where the event is emitted: one that Node emits by itself (`finish`, `end`) may be outside of the request.
 * @throws SessionContextError outside of a request, at every use
 */
export const session: Session = new Proxy(Object.create(SessionMembers.prototype) as Session, {
  get(_target, key) {
    // Asking for `then` is what `await` and `Promise.resolve` do with every value: no use of a session.
    if (key === 'then') return undefined;
    const current = currentSession();
    const value: unknown = Reflect.get(current, key, current);
    return typeof value === 'function' && key !== 'constructor' ? value.bind(current) : value;
  },
  set: (_target, key, value) => {
    const current = currentSession();
    return Reflect.set(current, key, value, current);
  },
  has: (_target, key) => Reflect.has(currentSession(), key),
  deleteProperty: (_target, key) => Reflect.deleteProperty(currentSession(), key),
  ownKeys: () => Reflect.ownKeys(currentSession()),
  getOwnPropertyDescriptor: (_target, key) => Reflect.getOwnPropertyDescriptor(currentSession(), key),
  preventExtensions() {
    throw new TypeError('a session cannot be frozen or sealed');
  },
  setPrototypeOf() {
    throw new TypeError('the prototype of a session cannot be changed');
  },
  defineProperty: (_target, key, descriptor) => Reflect.defineProperty(currentSession(), key, descriptor),
});
