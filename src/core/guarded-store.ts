/** A store behind a deadline: whatever goes wrong comes out as a `SessionStoreError`, in time. */
import { SessionError, SessionStoreError } from '../errors.ts';
import { emit, type SessionEventListener } from './events.ts';
import { type Awaitable, isPromise, type SessionStore, type StoredRecord, type WriteResult } from './store.ts';

export class GuardedStore {
  readonly store: SessionStore;
  /** Milliseconds; 0: none. */
  readonly #deadline: number;
  readonly #onEvent: SessionEventListener | undefined;

  /** @param timeout seconds that one operation may take */
  constructor(store: SessionStore, timeout: number, onEvent?: SessionEventListener) {
    this.store = store;
    this.#deadline = timeout * 1000;
    this.#onEvent = onEvent;
  }

  read(key: string): Awaitable<StoredRecord | undefined> {
    return this.#guard('read', () => this.store.read(key));
  }
  write(
    key: string,
    record: Uint8Array | null,
    expiresAt: number,
    expected: Uint8Array | undefined,
  ): Awaitable<WriteResult> {
    return this.#guard('write', () => this.store.write(key, record, expiresAt, expected));
  }
  touch(key: string, expiresAt: number): Awaitable<boolean> {
    return this.#guard('touch', () => this.store.touch(key, expiresAt));
  }
  delete(key: string): Awaitable<boolean> {
    return this.#guard('delete', () => this.store.delete(key));
  }

  #guard<T>(operation: string, call: () => Awaitable<T>): Awaitable<T> {
    let answer: Awaitable<T>;
    try {
      answer = call();
    } catch (cause) {
      throw this.#failed(operation, cause);
    }
    return isPromise(answer) ? this.#inTime(operation, answer) : answer;
  }

  #inTime<T>(operation: string, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer =
        this.#deadline > 0
          ? setTimeout(() => reject(this.#failed(operation, undefined, true)), this.#deadline)
          : undefined;
      answer.then(
        (value) => {
          clearTimeout(timer);
          resolve(value);
        },
        (cause) => {
          clearTimeout(timer);
          reject(this.#failed(operation, cause));
        },
      );
    });
  }

  /**
   * The driver's own message may hold keys or data: it stays in the cause. What a store says in this package's own errors
   * (a missing driver, a deadline that it cannot hold) is told as it is.
   */
  #failed(operation: string, cause: unknown, timeout = false): SessionError {
    if (cause instanceof SessionStoreError) emit(this.#onEvent, { type: 'store-error', error: cause });
    if (cause instanceof SessionError) return cause;
    const { name } = this.store;
    const what = timeout ? `did not answer within ${this.#deadline / 1000} s` : 'failed';
    const error = new SessionStoreError(name, operation, `session store ${name}: ${operation} ${what}`, {
      cause,
      timeout,
    });
    emit(this.#onEvent, { type: 'store-error', error });
    return error;
  }
}
