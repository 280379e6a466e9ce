/**
 * The save loop. The operations are applied to the record as it was read and written on the condition that it still is
 * that; if not, they are applied to what is there now, and so on. Nobody's write is lost, and what is gone stays gone.
 */
import type { Codec, OpenRecord } from '../codecs/codec.ts';
import { SessionConflictError, SessionDecodeError, SessionEncodeError } from '../errors.ts';
import type { GuardedStore } from './guarded-store.ts';
import type { SessionState } from './state.ts';
import { type Awaitable, chain, isPromise, type StoredRecord, type WriteResult } from './store.ts';

export interface Target {
  readonly store: GuardedStore;
  /** Opens any format that is read. @throws SessionDecodeError */
  readonly open: (bytes: Uint8Array) => OpenRecord;
  /** The first one writes; the others read, and write what only they can hold. */
  readonly codecs: readonly Codec[];
  /** When what is now in the state ends, in milliseconds since 1970: it may be another request that decides it. */
  expiresAt(): number;
}

/**
 * - `StoredRecord`: what is stored now.
 * - `'emptied'`: nothing worth a record was left; there is none now.
 * - `'taken'`: there is a record under a key that was to be new: it is somebody else's.
 * - `'undecodable'`: what is there cannot be read after all; the state has begun anew.
 * - `'gone'`: the record was deleted or expired in the meantime; nothing was written.
 */
export type Outcome = StoredRecord | 'emptied' | 'gone' | 'taken' | 'undecodable';

const MAX_ATTEMPTS = 100;
/** Attempts without a pause: a conflict that another process caused is usually over by then. */
const EAGER = 3;
const MAX_PAUSE_MS = 50;

/** Commits to the record's own key. `stored` is what was read; undefined: there is none yet. */
export function commit(
  target: Target,
  state: SessionState,
  key: string,
  stored: StoredRecord | undefined,
): Awaitable<Outcome> {
  let expected = stored?.bytes;
  const attempt = (): Awaitable<Outcome | undefined> => {
    const record = encode(target, state);
    if (record === 'undecodable') return record;
    if (record === null && expected === undefined) return 'emptied';
    const expiresAt = target.expiresAt();
    return chain(put(target, key, record, expiresAt, expected), (result) => {
      if (result === 'written') return record ? { bytes: record, expiresAt } : 'emptied';
      if (expected === undefined && result !== 'gone') return 'taken';
      if (result === 'gone' || !rebase(target, state, result.conflict)) return 'gone';
      expected = result.conflict.bytes;
      return undefined;
    });
  };
  return retry(attempt);
}

/**
 * Commits to a new key and retires the old one: the new record first, so that a crash in between loses nothing. The old
 * record goes only as it was when it was copied; a write to it in between is carried over.
 */
export function move(
  target: Target,
  state: SessionState,
  from: string,
  stored: StoredRecord,
  to: string,
): Awaitable<Outcome> {
  let source = stored.bytes;
  let copy: Uint8Array | undefined;
  const attempt = (): Awaitable<Outcome | undefined> => {
    const record = encode(target, state);
    if (record === 'undecodable') return record;
    const expiresAt = target.expiresAt();
    return chain(put(target, to, record, expiresAt, copy), (copied) => {
      if (copied !== 'written') return 'gone';
      copy = record ?? undefined;
      return chain(target.store.write(from, null, expiresAt, source), (retired) => {
        if (retired === 'written') return copy ? { bytes: copy, expiresAt } : 'emptied';
        if (retired !== 'gone' && rebase(target, state, retired.conflict)) {
          source = retired.conflict.bytes;
          return undefined;
        }
        // Logged out meanwhile: the copy must not outlive the session.
        return chain(target.store.delete(to), () => 'gone' as const);
      });
    });
  };
  return retry(attempt);
}

function encode(target: Target, state: SessionState): Uint8Array | null | 'undecodable' {
  if (state.isEmpty()) return null;
  const [codec, ...others] = target.codecs as [Codec, ...Codec[]];
  const patch = state.patch();
  try {
    return codec.write(state.base, patch);
  } catch (error) {
    if (error instanceof SessionDecodeError && state.hooks?.undecodable) {
      state.hooks.undecodable(error);
      return 'undecodable';
    }
    if (!(error instanceof SessionEncodeError)) throw error;
    // What the handler set can be written: something that is in the record already cannot, in this format.
    codec.write(undefined, patch);
    for (const other of others) {
      try {
        return other.write(state.base, patch);
      } catch {
        // The next one, or the first error.
      }
    }
    throw error;
  }
}

/** A record that comes out as it was needs no write, only a new deadline. */
function put(
  target: Target,
  key: string,
  record: Uint8Array | null,
  expiresAt: number,
  expected: Uint8Array | undefined,
): Awaitable<WriteResult> {
  if (record && expected && equal(record, expected)) {
    return chain(target.store.touch(key, expiresAt), (alive) => (alive ? 'written' : 'gone'));
  }
  return target.store.write(key, record, expiresAt, expected);
}

/** False when what is there now is no session: then there is nothing to apply anything to. */
function rebase(target: Target, state: SessionState, record: StoredRecord): boolean {
  try {
    state.rebase(target.open(record.bytes));
    return true;
  } catch (error) {
    if (error instanceof SessionDecodeError) return false;
    throw error;
  }
}

function retry(attempt: () => Awaitable<Outcome | undefined>): Awaitable<Outcome> {
  for (let n = 1; n <= EAGER; n++) {
    const outcome = attempt();
    if (isPromise(outcome)) return outcome.then((known) => known ?? retryLater(attempt, n));
    if (outcome !== undefined) return outcome;
  }
  return retryLater(attempt, EAGER);
}

async function retryLater(attempt: () => Awaitable<Outcome | undefined>, done: number): Promise<Outcome> {
  for (let n = done + 1; n <= MAX_ATTEMPTS; n++) {
    if (n > EAGER) await pause(Math.random() * Math.min(MAX_PAUSE_MS, 2 ** (n - EAGER)));
    const outcome = await attempt();
    if (outcome !== undefined) return outcome;
  }
  throw new SessionConflictError(MAX_ATTEMPTS);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
