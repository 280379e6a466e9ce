/**
 * Property access to a session: `session.user = u`, `'user' in session`, `delete session.user`, `Object.keys(session)`.
 * Names of members (`get`, `save`, `toString`, …) and `then` are never data here; `session.set(name, value)` reaches those.
 */
import type { SessionState } from './state.ts';

const STATE = Symbol('flacon.state');

/** Its constructor returns a proxy, so that the private fields of a subclass live on the proxy that handlers hold. */
export class Dictionary {
  [STATE]!: SessionState;

  constructor(state: SessionState) {
    Object.defineProperty(this, STATE, { value: state, writable: true, configurable: true });
    // biome-ignore lint/correctness/noConstructorReturn: `this` must be the proxy in every method
    return new Proxy(this, HANDLER);
  }
}

/** Makes the properties those of another state. */
export function showState(dictionary: Dictionary, state: SessionState): void {
  dictionary[STATE] = state;
}

const HANDLER: ProxyHandler<Dictionary> = {
  get(target, key, receiver) {
    if (typeof key === 'symbol' || key in target) return Reflect.get(target, key, receiver);
    // `await session` asks every object for `then`; that is no use of the session.
    return key === 'then' ? undefined : use(target).get(key);
  },
  set(target, key, value, receiver) {
    if (typeof key === 'string' && !isReserved(target, key)) use(target).set(key, value);
    else if (key === STATE) target[STATE] = value;
    else if (!isAccessor(target, key)) throw refused(key);
    else Reflect.set(target, key, value, receiver);
    return true;
  },
  has(target, key) {
    return typeof key === 'symbol' || isReserved(target, key) ? Reflect.has(target, key) : use(target).has(key);
  },
  deleteProperty(target, key) {
    if (typeof key === 'symbol' || isReserved(target, key)) throw refused(key);
    use(target).delete(key);
    return true;
  },
  ownKeys(target) {
    return use(target)
      .keys()
      .filter((key) => !isReserved(target, key));
  },
  getOwnPropertyDescriptor(target, key) {
    if (typeof key === 'symbol' || isReserved(target, key)) return undefined;
    const state = use(target);
    if (!state.has(key)) return undefined;
    return { value: state.get(key), writable: true, enumerable: true, configurable: true };
  },
  defineProperty(target, key, descriptor) {
    if (typeof key === 'symbol' || isReserved(target, key) || !('value' in descriptor)) throw refused(key);
    use(target).set(key, descriptor.value);
    return true;
  },
  preventExtensions() {
    throw new TypeError('a session cannot be frozen or sealed');
  },
  setPrototypeOf() {
    throw new TypeError('the prototype of a session cannot be changed');
  },
};

function use(target: Dictionary): SessionState {
  const state = target[STATE];
  state.accessed = true;
  return state;
}

function isReserved(target: Dictionary, key: string): boolean {
  return key === 'then' || key in target;
}

/** Members that are meant to be set: `modified`, `permanent`, and what a subclass adds. */
function isAccessor(target: object, key: string | symbol): boolean {
  for (let owner: object | null = target; owner && owner !== Object.prototype; owner = Object.getPrototypeOf(owner)) {
    const descriptor = Object.getOwnPropertyDescriptor(owner, key);
    if (descriptor) return descriptor.set !== undefined;
  }
  return false;
}

function refused(key: string | symbol): TypeError {
  if (typeof key === 'symbol') return new TypeError('a session holds text keys only');
  return new TypeError(`"${key}" is a member of every session: use session.set('${key}', value) for data of that name`);
}
