/** The dates of HTTP, as which Flask's tagged JSON holds a datetime: written in one form, read in all that Python reads. */
import { SessionEncodeError } from '../errors.ts';
import { DateTime } from './values.ts';

/**
 * `Tue, 02 Jan 2024 03:04:05 GMT` (RFC 9110 section 5.6.7; Werkzeug `http_date`). The fraction of a second is dropped.
 * @param time milliseconds since 1970
 * @throws SessionEncodeError outside of the years 1 to 9999, which Python does not have
 */
export function formatHttpDate(time: number): string {
  const date = new Date(Math.floor(time / 1000) * 1000);
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) throw new SessionEncodeError('a date outside of the years 1 to 9999');
  return date.toUTCString();
}

const WEEKDAYS = new Set(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']);

const MONTHS = new Map(
  ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november']
    .concat('december')
    .flatMap((name, month) => [
      [name, month],
      [name.slice(0, 3), month],
    ]),
);

/** Hours and minutes east of UTC, as one decimal number: -400 is four hours west. */
const ZONES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    UT: 0,
    UTC: 0,
    GMT: 0,
    Z: 0,
    AST: -400,
    ADT: -300,
    EST: -500,
    EDT: -400,
    CST: -600,
    CDT: -500,
  }).concat(Object.entries({ MST: -700, MDT: -600, PST: -800, PDT: -700 })),
);

/**
 * Reads the spellings of RFC 2822, RFC 850 and C's asctime, with a missing zone as UTC and a year below 100 as one of 1969
 * to 2068 (Werkzeug `parse_date`). The weekday is not checked.
 * @returns null when it is no date; a `DateTime` when the zone is not UTC
 */
export function parseHttpDate(text: string): Date | null {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const fields = arrange(withoutWeekday(words));
  if (!fields) return null;
  const month = MONTHS.get(fields.month);
  const day = number(fields.day);
  const time = clock(fields.time);
  let year = number(fields.year);
  if (month === undefined || !time) return null;
  if (year < 100) year += year > 68 ? 1900 : 2000;
  const date = new Date(Date.UTC(year, month, day, ...time));
  // Date.UTC carries a 30th of February over into March: then it is no date.
  if (!(year <= 9999) || date.getUTCMonth() !== month || date.getUTCDate() !== day) return null;
  const offset = zone(fields.zone);
  if (offset === undefined) return null;
  return offset === 0 ? date : new DateTime(date.getTime() - offset * 1000, 0, offset);
}

function withoutWeekday(words: readonly string[]): string[] {
  const [first = '', ...rest] = words;
  if (first.endsWith(',') || WEEKDAYS.has(first.toLowerCase())) return rest;
  // `Tue,02 Jan`: without a space.
  return [first.slice(first.lastIndexOf(',') + 1), ...rest];
}

interface Fields {
  day: string;
  /** In lower case. */
  month: string;
  year: string;
  time: string;
  zone: string;
}

/** Which word is which. */
function arrange(words: readonly string[]): Fields | undefined {
  let all = words;
  if (words.length === 3) {
    // RFC 850: 02-Jan-24.
    const date = (words[0] as string).split('-');
    if (date.length === 3) all = [...date, ...words.slice(1)];
  }
  let [day, month, year, time, zone = ''] = all;
  if (!day || !month || !year || time === undefined) return undefined;
  if (all.length === 4) {
    const plus = time.indexOf('+');
    const sign = plus === -1 ? time.indexOf('-') : plus;
    if (sign > 0) [time, zone] = [time.slice(0, sign), time.slice(sign)];
  }
  if (!MONTHS.has(month.toLowerCase())) [day, month] = [month, day];
  // asctime has the year last, and some put the zone before it.
  if (year.indexOf(':') > 0) [year, time] = [time, year];
  year = withoutComma(year);
  if (!/^\d/.test(year)) [year, zone] = [zone, year];
  return { day: withoutComma(day), month: month.toLowerCase(), year, time: withoutComma(time), zone };
}

function withoutComma(word: string): string {
  return word.endsWith(',') ? word.slice(0, -1) : word;
}

function number(digits: string | undefined): number {
  return digits !== undefined && /^\d{1,9}$/.test(digits) ? Number(digits) : Number.NaN;
}

/** Hour, minute, second. */
function clock(text: string): [number, number, number] | undefined {
  const parts = text.split(text.includes(':') ? ':' : '.');
  if (parts.length < 2 || parts.length > 3) return undefined;
  const [hour, minute, second] = [number(parts[0]), number(parts[1]), number(parts[2] ?? '0')];
  return hour < 24 && minute < 60 && second < 60 ? [hour, minute, second] : undefined;
}

/** Seconds east of UTC; undefined for a day or more. What is no zone counts as UTC. */
function zone(text: string): number | undefined {
  const known = ZONES.get(text.toUpperCase());
  if (known === undefined && !/^[+-]?\d+$/.test(text)) return 0;
  const hoursMinutes = known ?? Number(text);
  const size = Math.abs(hoursMinutes);
  const seconds = Math.floor(size / 100) * 3600 + (size % 100) * 60;
  if (!(seconds < 86_400)) return undefined;
  return hoursMinutes < 0 ? -seconds : seconds;
}
