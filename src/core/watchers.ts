/**
 * Who wants to know when a record is gone: sockets that were opened with its session. Every answer of a store that says so
 * tells them, whoever asked: a logout, a save that came too late, a look at an expired record. Of other processes nothing
 * is heard here.
 */
import type { SessionStore } from './store.ts';

export class Watchers {
  readonly #listeners = new Map<string, Set<() => void>>();

  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }

  /** @returns ends it */
  add(key: string, gone: () => void): () => void {
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners);
    // The same function twice is two listeners.
    const listener = () => gone();
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(key) === listeners) this.#listeners.delete(key);
    };
  }

  /** Once: what is gone does not come back under the same key. */
  tell(key: string): void {
    const listeners = this.#listeners.get(key);
    if (!listeners) return;
    this.#listeners.delete(key);
    for (const listener of listeners) listener();
  }
}

/** For the process, even where both the ESM and the CommonJS build of this package are loaded. */
const KEY = Symbol.for('flacon.watchers');
const shared = globalThis as { [KEY]?: WeakMap<SessionStore, Watchers> };
shared[KEY] ??= new WeakMap();
const byStore: WeakMap<SessionStore, Watchers> = shared[KEY];

/** One for each store, whatever the number of interfaces over it. */
export function watchersOf(store: SessionStore): Watchers {
  const watchers = byStore.get(store) ?? new Watchers();
  byStore.set(store, watchers);
  return watchers;
}
