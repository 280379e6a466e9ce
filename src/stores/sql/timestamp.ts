/**
 * Points in time as SQLAlchemy writes them: UTC without a zone, `YYYY-MM-DD HH:MM:SS.ffffff`. What never expires has Python's
 * `datetime.max`, the last one that Flask can read.
 */

/** The beginning of the last second but one of the year 9999, in milliseconds since 1970. What is later is "never". */
const LATEST = 253_402_300_798_000;
const NEVER = '9999-12-31 23:59:59.999999';

/** The last seconds that were written, by their last bits: now, and now with the usual lifetime, come again and again. */
const recent = Array.from({ length: 16 }, () => ({ second: -1, text: '' }));

/**
 * @param time milliseconds since 1970, cut to microseconds
 * @param fraction false: cut to seconds, without a fraction
 */
export function toTimestamp(time: number, fraction: boolean): string {
  if (time === Number.POSITIVE_INFINITY) return fraction ? NEVER : NEVER.slice(0, 19);
  const bounded = Math.max(0, Math.min(time, LATEST));
  const second = Math.floor(bounded / 1000);
  const known = recent[second & 15] as (typeof recent)[number];
  if (known.second !== second) {
    const iso = new Date(second * 1000).toISOString();
    known.text = `${iso.slice(0, 10)} ${iso.slice(11, 19)}`;
    known.second = second;
  }
  if (!fraction) return known.text;
  // A number of this size tells a quarter of a microsecond.
  const microseconds = Math.min(Math.floor((bounded - second * 1000) * 1000 + 0.25), 999_999);
  return `${known.text}.${String(1_000_000 + microseconds).slice(1)}`;
}

/** Milliseconds since 1970 from a column that a server turned into a number; -Infinity for what is none. */
export function fromMilliseconds(value: unknown): number {
  const time = value === null ? Number.NaN : Number(value);
  if (Number.isNaN(time)) return Number.NEGATIVE_INFINITY;
  return time > LATEST + 999 ? Number.POSITIVE_INFINITY : time;
}

/** The same from text, with as many digits of a fraction as there are. */
export function fromText(value: unknown): number {
  if (typeof value !== 'string' || value[4] !== '-' || value[7] !== '-' || value[13] !== ':' || value[16] !== ':') {
    return Number.NEGATIVE_INFINITY;
  }
  const month = digits(value, 5, 7) - 1;
  const time = Date.UTC(
    digits(value, 0, 4),
    month,
    digits(value, 8, 10),
    digits(value, 11, 13),
    digits(value, 14, 16),
    digits(value, 17, 19),
  );
  const { length } = value;
  if (length === 19) return fromMilliseconds(time);
  const fraction = value[19] === '.' && length > 20 && length <= 26 ? digits(value, 20, length) : Number.NaN;
  return fromMilliseconds(time + (fraction * 10 ** (26 - length)) / 1000);
}

/** NaN where something else stands. */
function digits(text: string, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    number = 10 * number + digit;
  }
  return number;
}
