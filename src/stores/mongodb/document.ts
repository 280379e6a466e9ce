/** A record as the document that Flask-Session keeps, in both directions. */
import type { StoredRecord } from '../../core/store.ts';

/** Besides `_id`, which is the server's. */
export interface SessionDocument {
  readonly id: string;
  /** Binary, subtype 0. Flask-Session under Python 2 may have left text. */
  readonly val: unknown;
  /** BSON keeps milliseconds. */
  readonly expiration: Date;
}

/** How "never expires" is stored: the last millisecond of the last year that Python knows. */
const NEVER = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The update of Flask-Session, byte for byte: the whole of the document, in its order. */
export function setDocument(id: string, val: Uint8Array, expiresAt: number): { $set: SessionDocument } {
  return { $set: { id, val, expiration: toDate(expiresAt) } };
}

export function toDate(expiresAt: number): Date {
  return new Date(Math.min(Math.floor(expiresAt), NEVER));
}

export function toRecord(found: SessionDocument): StoredRecord {
  const at = found.expiration.getTime();
  return { bytes: bytesOf(found), expiresAt: at >= NEVER ? Number.POSITIVE_INFINITY : at };
}

/** What is neither binary nor text is no record; no bytes say so. */
function bytesOf({ val }: SessionDocument): Uint8Array {
  if (val instanceof Uint8Array) return val;
  return new TextEncoder().encode(typeof val === 'string' ? val : '');
}
