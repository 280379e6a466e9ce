/** A store behind a deadline: whatever goes wrong comes out as a `SessionStoreError`, in time. */
import { SessionError, SessionStoreError } from '../errors.ts';
import { emit, type SessionEventListener } from './events.ts';
import { type Awaitable, isPromise, type SessionStore, type StoredRecord, type WriteResult } from './store.ts';
import { type Watchers, watchersOf } from './watchers.ts';

export class GuardedStore {
  readonly store: SessionStore;
  /** Milliseconds; 0: none. */
  readonly #deadline: number;
  readonly #onEvent: SessionEventListener | undefined;
  readonly #watchers: Watchers;

  /** @param timeout seconds that one operation may take */
  constructor(store: SessionStore, timeout: number, onEvent?: SessionEventListener) {
    this.store = store;
    this.#deadline = timeout * 1000;
    this.#onEvent = onEvent;
    this.#watchers = watchersOf(store);
  }

  /** Calls when an answer of the store says that nothing is under the key any more, until what this answers is called. */
  watch(key: string, gone: () => void): () => void {
    return this.#watchers.add(key, gone);
  }

  read(key: string): Awaitable<StoredRecord | undefined> {
    return this.#guard('read', key, () => this.store.read(key), isMissing);
  }
  write(
    key: string,
    record: Uint8Array | null,
    expiresAt: number,
    expected: Uint8Array | undefined,
  ): Awaitable<WriteResult> {
    const call = () => this.store.write(key, record, expiresAt, expected);
    return this.#guard('write', key, call, record === null ? isDeleted : isGone);
  }
  touch(key: string, expiresAt: number): Awaitable<boolean> {
    return this.#guard('touch', key, () => this.store.touch(key, expiresAt), isFalse);
  }
  delete(key: string): Awaitable<boolean> {
    return this.#guard('delete', key, () => this.store.delete(key), always);
  }

  /** @param meansGone whether the answer says that nothing is under the key now */
  #guard<T>(operation: string, key: string, call: () => Awaitable<T>, meansGone: (value: T) => boolean): Awaitable<T> {
    let answer: Awaitable<T>;
    try {
      answer = call();
    } catch (cause) {
      throw this.#failed(operation, cause);
    }
    if (isPromise(answer)) return this.#inTime(operation, key, answer, meansGone);
    if (!this.#watchers.isEmpty && meansGone(answer)) this.#watchers.tell(key);
    return answer;
  }

  #inTime<T>(operation: string, key: string, answer: Promise<T>, meansGone: (value: T) => boolean): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer =
        this.#deadline > 0
          ? setTimeout(() => reject(this.#failed(operation, undefined, true)), this.#deadline)
          : undefined;
      answer.then(
        (value) => {
          clearTimeout(timer);
          if (!this.#watchers.isEmpty && meansGone(value)) this.#watchers.tell(key);
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

const isMissing = (record: StoredRecord | undefined) => record === undefined;
const isGone = (result: WriteResult) => result === 'gone';
const isDeleted = (result: WriteResult) => result === 'gone' || result === 'written';
const isFalse = (alive: boolean) => !alive;
const always = () => true;
