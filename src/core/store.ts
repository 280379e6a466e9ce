/**
 * The contract between the engine and a place that keeps records. A store keeps opaque bytes under a key until a deadline;
 * it knows nothing of sessions, cookies or formats.
 */

export type Awaitable<T> = T | Promise<T>;

/** What a store holds under a key. */
export interface StoredRecord {
  /** Nobody changes bytes that were handed over, to a store or by it: a store need not copy them. */
  readonly bytes: Uint8Array;
  /**
   * The deadline, in milliseconds since 1970; `Number.POSITIVE_INFINITY` where it never expires. A store that can tell less
   * than a millisecond apart keeps an earlier one than it was given, never a later one.
   */
  readonly expiresAt: number;
}

/**
 * The outcome of a conditional write: `'written'`, `'gone'` (an update found nothing: deleted or expired; nothing was
 * written), or what is there instead of what was expected (nothing was written).
 */
export type WriteResult = 'written' | 'gone' | { readonly conflict: StoredRecord };

/**
 * Keys are text of at most 250 bytes of visible ASCII when they come from the engine. Every verb may answer directly or
 * with a promise; a store whose every answer is direct declares `synchronous: true`, and is then read only when the session
 * is first touched. A failure of the system behind the store is thrown (or rejected) as it comes: the engine wraps it in a
 * `SessionStoreError`. "Not there" is never an error.
 *
 * Expired is not found, for every verb: a record whose `expiresAt` is at or before now does not exist.
 */
export interface SessionStore {
  /** For errors and events: `'memory'`, `'redis'`, … */
  readonly name: string;
  /**
   * True when `read` always answers directly, and every other verb does unless somebody else is writing at that moment:
   * then, and only then, it may return a promise.
   */
  readonly synchronous?: boolean;
  /** False where the place behind cannot compare and set: two processes may then lose a write. Absent means true. */
  readonly atomic?: boolean;

  /** The record, or undefined when there is none or it has expired. Never creates, extends or deletes anything visible. */
  read(key: string): Awaitable<StoredRecord | undefined>;

  /**
   * Writes if, and only if, what is there is what the caller expects, as one atomic step.
   *
   * - `expected` undefined: nothing is there (create). A live record there is a conflict.
   * - `expected` bytes: exactly these bytes are there (update). Other bytes are a conflict; nothing there is `'gone'`, and
   *   the record is not created.
   * - `record` null: delete under the same condition. With `expected` undefined it writes nothing (`'written'`, or the
   *   conflict).
   * - `expiresAt`: milliseconds since 1970. At or before now: as `record` null.
   */
  write(
    key: string,
    record: Uint8Array | null,
    expiresAt: number,
    expected: Uint8Array | undefined,
  ): Awaitable<WriteResult>;

  /** Moves the deadline of a live record, to a later or an earlier time. False: it is gone; it is never recreated. */
  touch(key: string, expiresAt: number): Awaitable<boolean>;

  /** Deletes whatever is there. True when a live record was. */
  delete(key: string): Awaitable<boolean>;

  /** Deletes up to `limit` expired records and answers how many it deleted. For stores that do not expire by themselves. */
  sweep?(limit: number): Awaitable<number>;

  /** Releases what the store itself opened: connections, files, timers. Safe to call twice. */
  close?(): Awaitable<void>;
}

/** Continues with a value that may be a promise, without making one out of a value that is not. */
export function chain<T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return isPromise(value) ? value.then(next) : next(value);
}

export function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
