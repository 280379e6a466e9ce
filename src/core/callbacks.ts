/** The members of a session that take a callback, as express-session's do: for Passport, and what else was written for it. */
import { PlainRecord } from './plain-record.ts';
import { SessionState } from './state.ts';

/** Called once, later than the call it was given to; with undefined when all went well. */
export type SessionCallback = (error?: unknown) => void;

/**
 * Begins the work at once and calls back when it is done. What the callback throws is not caught, as with every callback: it
 * would otherwise be told of its own failure.
 * @param work may throw, or answer with a promise
 */
export function callBack(callback: SessionCallback, work: () => unknown): void {
  const call = (error?: unknown): void => queueMicrotask(() => callback(error));
  new Promise((resolve) => resolve(work())).then(() => call(), call);
}

/** What a session holds now, to read while the session itself goes on empty. */
export function pastOf(state: SessionState): SessionState {
  const past = new SessionState();
  past.isNew = state.isNew;
  past.rebase(new PlainRecord(state.keys().map((key) => [key, state.get(key)])));
  past.readOnly =
    'this is the session as it was before regenerate(callback), which began another one: write to the session of the request';
  return past;
}
