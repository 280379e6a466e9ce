/**
 * Points in time as SQLAlchemy writes them: UTC without a zone, `YYYY-MM-DD HH:MM:SS.ffffff`. What never expires has Python's
 * `datetime.max`, the last one that Flask can read.
 */

/** The beginning of the second before the last of the year 9999, in milliseconds since 1970: the latest deadline that is not "never". */
const LATEST = 253_402_300_798_000;
const NEVER = '9999-12-31 23:59:59.999999';

/**
 * @param time milliseconds since 1970, cut to microseconds
 * @param fraction false: cut to seconds, without a fraction
 */
export function toTimestamp(time: number, fraction: boolean): string {
  const text = microseconds(time);
  return fraction ? text : text.slice(0, 19);
}

function microseconds(time: number): string {
  if (time === Number.POSITIVE_INFINITY) return NEVER;
  const bounded = Math.max(0, Math.min(time, LATEST));
  const whole = Math.floor(bounded);
  // A number of this size tells a quarter of a microsecond.
  const rest = Math.floor((bounded - whole) * 1000 + 0.25);
  const iso = new Date(whole).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}${String(rest).padStart(3, '0')}`;
}

/** Milliseconds since 1970 from a column that a server turned into a number; -Infinity for what is none. */
export function fromMilliseconds(value: unknown): number {
  const time = value === null ? Number.NaN : Number(value);
  if (Number.isNaN(time)) return Number.NEGATIVE_INFINITY;
  return time > LATEST + 999 ? Number.POSITIVE_INFINITY : time;
}

const TEXT = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?$/;

/** The same from text. */
export function fromText(value: unknown): number {
  const parts = typeof value === 'string' ? TEXT.exec(value) : null;
  if (!parts) return Number.NEGATIVE_INFINITY;
  const [, day, time, fraction = ''] = parts;
  return fromMilliseconds(Date.parse(`${day}T${time}Z`) + Number(fraction.padEnd(6, '0')) / 1000);
}
