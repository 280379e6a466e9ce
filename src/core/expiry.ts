/** An end of a session's own, in place of the interface's: `session.setExpiry`. The record keeps it under one key. */
import type { OpenRecord } from '../codecs/codec.ts';
import { Float } from '../codecs/values.ts';
import { LIFETIME_FORMS, type Lifetime, lifetimeSeconds, MAX_LIFETIME } from './lifetime.ts';

/**
 * The key: a number, of seconds without use, or the text of a date in UTC (RFC 3339, with milliseconds). Every format can
 * hold either, and Flask keeps them. Anything else that stands there counts as nothing.
 */
export const EXPIRY = '_flacon_expiry';

/** Seconds without use after which a session ends, or when it ends however much it is used. */
export type Expiry = Lifetime | Date;

/** Seconds without use, or milliseconds since 1970. */
export type OwnExpiry =
  | { readonly idle: number; readonly at?: undefined }
  | { readonly at: number; readonly idle?: undefined };

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** The end of the year 9999, and so of Python's dates. */
const MAX_DATE = 253_402_300_799_999;
/** 400 days in seconds: browsers keep no cookie for longer (RFC 6265bis section 5.5), and not every store a record. */
const MAX_AGE = 400 * 86_400;
const LONG_PAST = new Date(0).toISOString();

/**
 * What the record is to keep; undefined for 0: nothing, the cookie ends when the browser closes. A time that has passed,
 * as a date or as a negative number of seconds, ends the session when it is saved.
 * @throws TypeError when it is none, or beyond the year 9999
 */
export function writtenExpiry(value: unknown): number | string | undefined {
  if (value instanceof Date) {
    const time = value.getTime();
    if (!(time <= MAX_DATE)) throw refused();
    return time > 0 ? value.toISOString() : LONG_PAST;
  }
  const seconds = lifetimeSeconds(value);
  if (seconds === undefined || seconds > MAX_LIFETIME) throw refused();
  if (seconds < 0) return LONG_PAST;
  return seconds === 0 ? undefined : seconds;
}

function refused(): TypeError {
  return new TypeError(`session.setExpiry: expected ${LIFETIME_FORMS}, a Date, or null`);
}

/** What a record keeps under {@link EXPIRY}, whoever wrote it; undefined when it is of no use. Never throws. */
function readExpiry(kept: unknown): OwnExpiry | undefined {
  const value = kept instanceof Float ? kept.value : kept;
  if (typeof value === 'number') return value > 0 && value <= MAX_LIFETIME ? { idle: value } : undefined;
  if (typeof value !== 'string' || !DATE.test(value)) return undefined;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : { at };
}

/** The end that a record has of its own. A record without one costs no more than looking for the key. */
export function recordedExpiry(record: Pick<OpenRecord, 'has' | 'get'>): OwnExpiry | undefined {
  return record.has(EXPIRY) ? readExpiry(record.get(EXPIRY)) : undefined;
}

/** Whether it is a date, and over. */
export function hasPassed(own: OwnExpiry | undefined, now: number): boolean {
  return own?.at !== undefined && own.at <= now;
}

/** Seconds without use after which such a session is over in any case: a date does not hold it longer than its cookie. */
export function idleTimeOf(own: OwnExpiry): number {
  return Math.min(own.idle ?? MAX_AGE, MAX_AGE);
}

/** @returns milliseconds since 1970 at which a session ends that was last used `now`, in the same unit */
export function endOf(own: OwnExpiry, now: number): number {
  const idle = now + Math.ceil(idleTimeOf(own) * 1000);
  return own.at === undefined ? idle : Math.min(own.at, idle);
}
