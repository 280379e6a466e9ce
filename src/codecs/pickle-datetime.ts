/** The state bytes in which Python pickles `datetime`, `date` and `time`, both ways. */
import { SessionDecodeError, SessionEncodeError } from '../errors.ts';
import { DateTime, PlainDate, PlainTime, TimeDelta } from './values.ts';

const DAY = 86_400;
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const TIME = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{6}|\d{3}))?)?(?:(Z)|([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;

/** A state for Python, and the zone that goes with it: seconds east of UTC, null when there is none. */
export interface State {
  readonly bytes: Uint8Array;
  readonly offset: number | null;
}

/**
 * @param state year (2 bytes, big-endian), month, day, hour, minute, second, microseconds (3 bytes). The high bit of the
 * month is Python's `fold`, which has no counterpart and is dropped
 * @param offset seconds east of UTC; null: naive
 */
export function readDateTime(state: Uint8Array, offset: number | null): Date {
  if (state.length !== 10) throw malformed();
  const midnight = milliseconds(state[0]! * 256 + state[1]!, state[2]! & 0x7f, state[3]!);
  const time = midnight - (offset ?? 0) * 1000;
  const micros = microseconds(state, 4);
  const whole = time + Math.floor(micros / 1000);
  return offset === 0 && micros % 1000 === 0 ? new Date(whole) : new DateTime(whole, micros % 1000, offset);
}

export function readDate(state: Uint8Array): PlainDate {
  if (state.length !== 4) throw malformed();
  const midnight = milliseconds(state[0]! * 256 + state[1]!, state[2]!, state[3]!);
  return new PlainDate(new Date(midnight).toISOString().slice(0, 10));
}

export function readTime(state: Uint8Array, offset: number | null): PlainTime {
  if (state.length !== 6) throw malformed();
  const unfolded = Uint8Array.from(state);
  unfolded[0]! &= 0x7f;
  const micros = microseconds(unfolded, 0);
  // `isoformat()` is what `DateTime` prints: the time of day of a day that is cut off again.
  const day = new DateTime(Math.floor(micros / 1000) - (offset ?? 0) * 1000, micros % 1000, offset);
  return new PlainTime(day.toISOString().slice('1970-01-01T'.length));
}

export function readTimeDelta(days: unknown, seconds: unknown, micros: unknown): TimeDelta {
  if (!isTimeDelta(days, seconds, micros)) throw malformed();
  return new TimeDelta(days as number, seconds as number, micros as number);
}

/** @throws SessionEncodeError when it is no date between the years 1 and 9999 */
export function dateTimeState(date: Date): State {
  const offset = date instanceof DateTime ? date.offset : 0;
  const micros = date instanceof DateTime ? date.microsecond : 0;
  const wall = new Date(date.getTime() + (offset ?? 0) * 1000);
  const year = wall.getUTCFullYear();
  if (!(year >= 1 && year <= 9999) || !isOffset(offset) || !isWithin(micros, 0, 999)) {
    throw new SessionEncodeError('pickle: a date that Python cannot hold');
  }
  const fraction = wall.getUTCMilliseconds() * 1000 + micros;
  const bytes = [year >> 8, year & 0xff, wall.getUTCMonth() + 1, wall.getUTCDate(), wall.getUTCHours()];
  bytes.push(wall.getUTCMinutes(), wall.getUTCSeconds(), fraction >> 16, (fraction >> 8) & 0xff, fraction & 0xff);
  return { bytes: Uint8Array.from(bytes), offset };
}

/** @throws SessionEncodeError when the text is no date */
export function dateState(date: PlainDate): State {
  const [, year, month, day] = DATE.exec(date.iso)?.map(Number) ?? [];
  if (year === undefined || !isDay(year, month!, day!)) throw new SessionEncodeError('pickle: a malformed date');
  return { bytes: Uint8Array.of(year >> 8, year & 0xff, month!, day!), offset: null };
}

/** @throws SessionEncodeError when the text is no time of day */
export function timeState(time: PlainTime): State {
  const match = TIME.exec(time.iso);
  const [hour, minute, second] = [Number(match?.[1]), Number(match?.[2]), Number(match?.[3] ?? 0)];
  const size = Number(match?.[7] ?? 0) * 3600 + Number(match?.[8] ?? 0) * 60 + Number(match?.[9] ?? 0);
  const offset = match?.[5] ? 0 : match?.[6] ? (match[6] === '-' ? -size : size) : null;
  if (!(hour < 24 && minute < 60 && second < 60) || !isOffset(offset)) {
    throw new SessionEncodeError('pickle: a malformed time of day');
  }
  const fraction = Number((match?.[4] ?? '').padEnd(6, '0'));
  return {
    bytes: Uint8Array.of(hour, minute, second, fraction >> 16, (fraction >> 8) & 0xff, fraction & 0xff),
    offset,
  };
}

/** Whether Python could hold it, normalised as `TimeDelta` says. */
export function isTimeDelta(days: unknown, seconds: unknown, micros: unknown): boolean {
  return isWithin(days, -999_999_999, 999_999_999) && isWithin(seconds, 0, DAY - 1) && isWithin(micros, 0, 999_999);
}

/** The seconds of a `timezone`'s offset; Python keeps it within one day. */
export function zoneOffset(delta: unknown): number {
  if (!(delta instanceof TimeDelta) || delta.microseconds !== 0) throw malformed();
  const offset = delta.days * DAY + delta.seconds;
  if (!isOffset(offset)) throw malformed();
  return offset;
}

function isOffset(offset: number | null): boolean {
  return offset === null || isWithin(offset, 1 - DAY, DAY - 1);
}

function isWithin(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

function isDay(year: number, month: number, day: number): boolean {
  if (!isWithin(year, 1, 9999) || !isWithin(month, 1, 12)) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return isWithin(day, 1, month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31);
}

function milliseconds(year: number, month: number, day: number): number {
  if (!isDay(year, month, day)) throw malformed();
  // Not Date.UTC: it moves years below 100 into the 20th century.
  return new Date(0).setUTCFullYear(year, month - 1, day);
}

function microseconds(state: Uint8Array, at: number): number {
  const [hour, minute, second] = [state[at]!, state[at + 1]!, state[at + 2]!];
  const fraction = state[at + 3]! * 65_536 + state[at + 4]! * 256 + state[at + 5]!;
  if (hour > 23 || minute > 59 || second > 59 || fraction > 999_999) throw malformed();
  return (hour * 3600 + minute * 60 + second) * 1_000_000 + fraction;
}

function malformed(): SessionDecodeError {
  return new SessionDecodeError('pickle: a malformed date or time');
}
