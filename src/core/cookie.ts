/**
 * The Cookie request header, read as Werkzeug's `parse_cookie` does, in linear time. Header text is Latin-1: one character
 * for each octet, as Node gives it. What goes the other way is in set-cookie.ts.
 */
export {
  type CookieAttributes,
  CookieWriter,
  MAX_COOKIE_OCTETS,
  serializeSetCookie,
  validateCookieOptions,
} from './set-cookie.ts';

/**
 * Every cookie in the header's order, repeated names included. An entry without `=` has an empty value; one without a name
 * is dropped. Values in double quotes are unquoted.
 */
export function parseCookieHeader(header: string): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  scan(header, undefined, pairs);
  return pairs;
}

/**
 * The value of the first cookie of that name, undefined when there is none. The same as the first match in
 * {@link parseCookieHeader}, without making the others.
 */
export function readCookie(header: string | undefined, name: string): string | undefined {
  return header ? scan(header, name, undefined) : undefined;
}

/** Collects into `pairs`, or stops at the first entry named `wanted`. */
function scan(header: string, wanted: string | undefined, pairs: [string, string][] | undefined): string | undefined {
  const end = header.length;
  let position = 0;
  let equals = -1;
  while (position < end) {
    const semicolon = indexOrEnd(header, ';', position);
    // Looked for only when passed: a header of nothing but semicolons would otherwise be read to its end for each of them.
    if (equals < position) equals = indexOrEnd(header, '=', position);
    const hasValue = equals < semicolon;

    // A name keeps what only Unicode calls white space: browsers do not guard `__Host-` behind such a character, so
    // removing it would let a neighbouring site plant that cookie (CVE-2026-39410).
    const nameStart = skipSpace(header, position, hasValue ? equals : semicolon);
    const nameEnd = skipSpaceBack(header, nameStart, hasValue ? equals : semicolon);

    let valueStart = semicolon;
    let valueEnd = semicolon;
    position = semicolon + 1;
    if (hasValue) {
      valueStart = skipSpace(header, equals + 1, semicolon);
      const closed = endOfQuoted(header, valueStart);
      if (closed >= 0) {
        valueEnd = closed;
        position = indexOrEnd(header, ';', closed) + 1;
      }
    }

    if (nameStart === nameEnd) continue;
    if (pairs) {
      pairs.push([header.slice(nameStart, nameEnd), readValue(header, valueStart, valueEnd)]);
    } else if (nameEnd - nameStart === wanted?.length && header.startsWith(wanted, nameStart)) {
      return readValue(header, valueStart, valueEnd);
    }
  }
  return undefined;
}

/** Behind the closing quote of a quoted value that starts here and is all there is up to the next semicolon; else -1. */
function endOfQuoted(header: string, start: number): number {
  if (header.charCodeAt(start) !== QUOTE) return -1;
  let i = start + 1;
  while (i < header.length) {
    const code = header.charCodeAt(i);
    if (code === QUOTE) {
      const next = skipSpace(header, i + 1, header.length);
      return next === header.length || header.charCodeAt(next) === SEMICOLON ? i + 1 : -1;
    }
    i += code === BACKSLASH ? 2 : 1;
  }
  return -1;
}

function readValue(header: string, start: number, end: number): string {
  while (start < end && isStripped(header.charCodeAt(start))) start++;
  while (end > start && isStripped(header.charCodeAt(end - 1))) end--;
  const quoted = end - start >= 2 && header.charCodeAt(start) === QUOTE && header.charCodeAt(end - 1) === QUOTE;
  return quoted ? unquote(header.slice(start + 1, end - 1)) : header.slice(start, end);
}

/** `\ooo` (first digit 0 to 3) is an octet, `\x` is x; what comes out is read as UTF-8. */
function unquote(text: string): string {
  if (!text.includes('\\')) return text;
  const bytes = Buffer.from(text, 'utf8');
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    let byte = bytes[i] as number;
    if (byte === BACKSLASH && i + 1 < bytes.length) {
      const octal = octalAt(bytes, i + 1);
      byte = octal ?? (bytes[i + 1] as number);
      i += octal === undefined ? 1 : 3;
    }
    bytes[length++] = byte;
  }
  return bytes.toString('utf8', 0, length);
}

function octalAt(bytes: Uint8Array, at: number): number | undefined {
  let value = 0;
  for (let i = 0; i < 3; i++) {
    const digit = (bytes[at + i] ?? 0) - 0x30;
    if (digit < 0 || digit > (i === 0 ? 3 : 7)) return undefined;
    value = value * 8 + digit;
  }
  return value;
}

const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;

function indexOrEnd(text: string, what: string, from: number): number {
  const index = text.indexOf(what, from);
  return index < 0 ? text.length : index;
}

function skipSpace(text: string, from: number, to: number): number {
  while (from < to && isSpace(text.charCodeAt(from))) from++;
  return from;
}

function skipSpaceBack(text: string, from: number, to: number): number {
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--;
  return to;
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/** What Python's `str.strip` removes, within Latin-1. */
function isStripped(code: number): boolean {
  return isSpace(code) || (code >= 0x1c && code <= 0x1f) || code === 0x85 || code === 0xa0;
}
