/**
 * What happened to sessions, for logs, metrics and alarms. An event never carries an id, a key, a cookie or session data.
 */
import type { SessionStoreError } from '../errors.ts';

/** Why a request that offered a session got a fresh one. */
export type NotResumedReason =
  /** The cookie's signature or seal was made by none of the keys, or the cookie is damaged. */
  | 'bad-signature'
  /** The cookie is older than the lifetime, or the record's absolute deadline has passed. */
  | 'expired'
  /** The cookie cannot be an id that anyone issued. */
  | 'malformed-id'
  /** The store knows no such id: it expired, was deleted, or never existed. */
  | 'unknown-id'
  /** The content behind a right signature or id is not a session. */
  | 'undecodable';

export type SessionEvent =
  | {
      readonly type: 'not-resumed';
      readonly reason: NotResumedReason;
      readonly cause?: unknown;
      /** The library whose session it was, where it was not one of ours (`flacon/connect`). */
      readonly from?: string;
    }
  /** A session of another library goes on as one of ours (`flacon/connect`). */
  | { readonly type: 'migrated'; readonly from: string }
  /** A first record was stored, or a first cookie made. */
  | { readonly type: 'created' }
  | { readonly type: 'regenerated' }
  | { readonly type: 'destroyed' }
  /** Changes were dropped and the cookie cleared: the session was logged out, or expired, while the request was served. */
  | { readonly type: 'gone' }
  /** The store failed; the policy decided whether the request fails, too. */
  | { readonly type: 'store-error'; readonly error: SessionStoreError }
  /** Changes made after the response had begun could not be saved. */
  | { readonly type: 'late-save-failed'; readonly error: unknown };

/** What it answers, a promise included, and what it throws, is of no consequence. */
export type SessionEventListener = (event: SessionEvent) => void;

/** Calls the listener; what it throws is its own affair and never changes a request's fate. */
export function emit(listener: SessionEventListener | undefined, event: SessionEvent): void {
  if (!listener) return;
  try {
    const answer = listener(event) as unknown;
    if (answer instanceof Promise) answer.catch(() => {});
  } catch {
    // A broken log must not break logins.
  }
}
