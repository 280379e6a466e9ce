/** A store whose commands are counted, and that can be late, held back or out of order. */
import type { Awaitable, SessionStore, StoredRecord, WriteResult } from '../core/store.ts';

export class WatchedStore implements SessionStore {
  readonly name = 'watched';
  readonly synchronous: boolean;
  /** The verbs asked for, in order. */
  commands: string[] = [];
  /** Every verb fails. */
  broken = false;
  readonly #store: SessionStore;
  #held: Promise<void> | undefined;
  #release: (() => void) | undefined;
  #waiters: (() => void)[] = [];

  /** @param late whether it answers with promises, each a moment later */
  constructor(store: SessionStore, late: boolean) {
    this.#store = store;
    this.synchronous = !late;
  }

  /** Writes wait from now on, until `release`. */
  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#release?.();
    this.#held = undefined;
  }

  /** Resolves when a write is asked for. */
  written(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  read(key: string): Awaitable<StoredRecord | undefined> {
    return this.#run('read', () => this.#store.read(key));
  }

  write(key: string, record: Uint8Array | null, expiresAt: number, expected: Uint8Array | undefined) {
    return this.#run<WriteResult>('write', () => this.#store.write(key, record, expiresAt, expected));
  }

  touch(key: string, expiresAt: number): Awaitable<boolean> {
    return this.#run('touch', () => this.#store.touch(key, expiresAt));
  }

  delete(key: string): Awaitable<boolean> {
    return this.#run('delete', () => this.#store.delete(key));
  }

  #run<T>(verb: string, run: () => Awaitable<T>): Awaitable<T> {
    this.commands.push(verb);
    const held = verb === 'write' ? this.#held : undefined;
    if (verb === 'write') for (const waiter of this.#waiters.splice(0)) waiter();
    const attempt = (): Awaitable<T> => {
      if (this.broken) throw new Error('the store is out of order');
      return run();
    };
    if (held) return held.then(attempt);
    if (this.synchronous) return attempt();
    return new Promise<void>((resolve) => setTimeout(resolve, 2)).then(attempt);
  }
}
