/**
 * JSON text as Python reads and writes it: one strict reader for the two dialects, and their spellings of numbers and text.
 * JSON.parse does the work wherever its result cannot differ from Python's.
 */
import { SessionDecodeError, SessionEncodeError } from '../errors.ts';
import { MAX_DEPTH, MAX_INT_DIGITS } from './limits.ts';
import { Float, floatMarks, markFloat, setOwn } from './values.ts';

/** What two readers of JSON disagree about. */
export interface JsonDialect {
  /** NaN, Infinity and -Infinity are numbers, and a number out of range is an infinity. */
  readonly nonFinite: boolean;
  /** An escape may stand for one half of a surrogate pair. */
  readonly loneSurrogates: boolean;
  /** Matches every text for which JSON.parse might answer something else than this reader. It may match others too. */
  readonly unusual: RegExp;
}

/**
 * For {@link JsonDialect.unusual}: numbers that are not plain ints of up to 15 digits or short fractions. A number follows
 * one of these characters or nothing; the same pattern inside a string only costs time.
 */
export const UNUSUAL_NUMBER = String.raw`(?:^|[:,[\s])(?:-0|-?\d{16}|-?(?!\d{1,9}\.\d{0,5}[1-9](?![\deE]))\d+[.eE])`;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws SessionDecodeError when the bytes are not UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new SessionDecodeError('not UTF-8', { cause });
  }
}

/**
 * The value of a whole JSON text. Ints are numbers when safe and bigints otherwise; a whole float is marked in its
 * container, and is a `Float` when it is the outermost value.
 * @throws SessionDecodeError for anything but one JSON value, nesting beyond `MAX_DEPTH`, an int beyond `MAX_INT_DIGITS`
 */
export function readJson(text: string, dialect: JsonDialect): unknown {
  if (!dialect.unusual.test(text) && !ESCAPED_KEY.test(text) && isShallow(text)) {
    try {
      return JSON.parse(text);
    } catch {
      // The reader below finds out where it is wrong, or that it is Python's NaN.
    }
  }
  return new Reader(text, dialect).whole();
}

/**
 * The last escape of a key, and whatever in a string looks like one. V8 13.6 to 14.6 (Node 24 to 26) takes such a key for
 * another one that it met before at the same place: `"\n"` for a lone backslash (nodejs/node#63785).
 */
const ESCAPED_KEY = /\\.[^"\\]*"\s*:/;

/** Every level takes two characters at least, so only long texts need counting. */
function isShallow(text: string): boolean {
  if (text.length <= 2 * MAX_DEPTH) return true;
  let openings = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((code === BRACE || code === BRACKET) && ++openings > MAX_DEPTH) return false;
  }
  return true;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const HEX4 = /^[0-9a-fA-F]{4}$/;

class Reader {
  private readonly text: string;
  private readonly dialect: JsonDialect;
  private at = 0;
  /** Whether the value just read was a whole number spelled as a float. */
  private wholeFloat = false;

  constructor(text: string, dialect: JsonDialect) {
    this.text = text;
    this.dialect = dialect;
  }

  whole(): unknown {
    const value = this.value(0);
    const wholeFloat = this.wholeFloat;
    if (!Number.isNaN(this.space())) this.fail('more than one value');
    return wholeFloat ? new Float(value as number) : value;
  }

  private fail(what: string): never {
    throw new SessionDecodeError(`not JSON: ${what} at ${this.at}`);
  }

  /** Skips white space and answers the next character's code, NaN at the end. */
  private space(): number {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      this.at++;
    }
  }

  private value(depth: number): unknown {
    const code = this.space();
    this.wholeFloat = false;
    switch (code) {
      case QUOTE:
        return this.string();
      case BRACE:
        return this.object(depth + 1);
      case BRACKET:
        return this.array(depth + 1);
      case 0x74:
        return this.word('true', true);
      case 0x66:
        return this.word('false', false);
      case 0x6e:
        return this.word('null', null);
      default:
        return this.number(code);
    }
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.fail('unknown word');
    this.at += word.length;
    return value;
  }

  private object(depth: number): Record<string, unknown> {
    if (depth > MAX_DEPTH) this.fail('nested too deeply');
    const object: Record<string, unknown> = {};
    this.at++;
    if (this.space() === CLOSING_BRACE) {
      this.at++;
      return object;
    }
    for (;;) {
      if (this.space() !== QUOTE) this.fail('expected a key');
      const key = this.string();
      if (this.space() !== COLON) this.fail('expected a colon');
      this.at++;
      setOwn(object, key, this.value(depth));
      if (this.wholeFloat) markFloat(object, key, object[key] as number);
      else if (floatMarks(object)?.has(key)) markFloat(object, key, Number.NaN); // of an earlier member of that name
      const code = this.space();
      this.at++;
      if (code === CLOSING_BRACE) break;
      if (code !== COMMA) this.fail('expected a comma');
    }
    this.wholeFloat = false;
    return object;
  }

  private array(depth: number): unknown[] {
    if (depth > MAX_DEPTH) this.fail('nested too deeply');
    const array: unknown[] = [];
    this.at++;
    if (this.space() === CLOSING_BRACKET) {
      this.at++;
      return array;
    }
    for (;;) {
      const value = this.value(depth);
      if (this.wholeFloat) markFloat(array, array.length, value as number);
      array.push(value);
      const code = this.space();
      this.at++;
      if (code === CLOSING_BRACKET) break;
      if (code !== COMMA) this.fail('expected a comma');
    }
    this.wholeFloat = false;
    return array;
  }

  private digits(at: number): number {
    let end = at;
    for (let code = this.text.charCodeAt(end); code >= ZERO && code <= NINE; ) code = this.text.charCodeAt(++end);
    return end;
  }

  private number(first: number): number | bigint {
    const { text, at: start } = this;
    const from = first === MINUS ? start + 1 : start;
    const integerEnd = text.charCodeAt(from) === ZERO ? from + 1 : this.digits(from);
    if (integerEnd === from) return this.constant();
    let end = integerEnd;
    if (text.charCodeAt(end) === DOT) {
      end = this.digits(integerEnd + 1);
      if (end === integerEnd + 1) this.fail('a number ends with its point');
    }
    if ((text.charCodeAt(end) | 0x20) === 0x65) {
      const sign = text.charCodeAt(end + 1);
      const exponent = sign === MINUS || sign === 0x2b ? end + 2 : end + 1;
      end = this.digits(exponent);
      if (end === exponent) this.fail('an exponent without digits');
    }
    if (end === integerEnd) return this.integer(from, end);
    const value = Number(text.slice(start, end));
    if (!this.dialect.nonFinite && !Number.isFinite(value)) this.fail('a number out of range');
    this.at = end;
    this.wholeFloat = Number.isInteger(value) && !Object.is(value, -0);
    return value;
  }

  private integer(from: number, end: number): number | bigint {
    const digits = this.text.slice(this.at, end);
    if (end - from > MAX_INT_DIGITS) this.fail('an integer too long');
    this.at = end;
    if (end - from < 16) return Number(digits) || 0; // never -0: Python has no such int
    const value = BigInt(digits);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  private constant(): number {
    if (this.dialect.nonFinite) {
      const { text, at } = this;
      if (text.startsWith('NaN', at)) return this.word('NaN', Number.NaN);
      if (text.startsWith('Infinity', at)) return this.word('Infinity', Number.POSITIVE_INFINITY);
      if (text.startsWith('-Infinity', at)) return this.word('-Infinity', Number.NEGATIVE_INFINITY);
    }
    return this.fail('expected a value');
  }

  private string(): string {
    const { text } = this;
    const start = this.at + 1;
    for (let at = start; ; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.at = at + 1;
        return text.slice(start, at);
      }
      if (code === BACKSLASH) return this.escaped(start, at);
      if (!(code >= 0x20)) this.fail('a control character in a string, or its end');
    }
  }

  /** A string whose first backslash is at `backslash`. */
  private escaped(start: number, backslash: number): string {
    const { text } = this;
    let value = text.slice(start, backslash);
    let at = backslash;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        this.at = at;
        const letter = text.charAt(at + 1);
        value += letter === 'u' ? this.unicode() : (ESCAPES[letter] ?? this.fail('unknown escape'));
        at = letter === 'u' ? this.at : at + 2;
        continue;
      }
      const from = at;
      for (let next = code; next !== QUOTE && next !== BACKSLASH; next = text.charCodeAt(++at)) {
        if (!(next >= 0x20)) this.fail('a control character in a string, or its end');
      }
      value += text.slice(from, at);
    }
    this.at = at + 1;
    return value;
  }

  /** `\uxxxx`, and the second half of a pair where the dialect knows whole characters only. */
  private unicode(): string {
    const unit = this.hex();
    if (this.dialect.loneSurrogates || unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    const low = unit < 0xdc00 && this.text.startsWith('\\u', this.at) ? this.hex() : 0;
    if (low < 0xdc00 || low > 0xdfff) this.fail('half a surrogate pair');
    return String.fromCharCode(unit, low);
  }

  private hex(): number {
    const hex = this.text.slice(this.at + 2, this.at + 6);
    if (!HEX4.test(hex)) this.fail('unknown escape');
    this.at += 6;
    return Number.parseInt(hex, 16);
  }
}

/** Python's `repr` of a float: an exponent below 1e-4 and from 1e16, with a sign and two digits at least. */
export function pythonFloat(x: number): string {
  const size = Math.abs(x);
  if (size < 1e16 && (size >= 1e-4 || size === 0)) return plainFloat(x);
  if (!Number.isFinite(x)) return String(x);
  const text = x.toExponential();
  return text.charAt(text.length - 2) === '-' ? `${text.slice(0, -1)}0${text.slice(-1)}` : text;
}

/** msgspec's spelling of a float: an exponent below 1e-5 and from 1e16, without `+` or padding; null for what JSON lacks. */
export function msgspecFloat(x: number): string {
  const size = Math.abs(x);
  if (size < 1e16 && (size >= 1e-5 || size === 0)) return plainFloat(x);
  return Number.isFinite(x) ? x.toExponential().replace('+', '') : 'null';
}

function plainFloat(x: number): string {
  if (!Number.isInteger(x)) return String(x);
  return Object.is(x, -0) ? '-0.0' : `${x}.0`;
}

const TOO_LONG = 10n ** BigInt(MAX_INT_DIGITS);

/**
 * The digits of a whole number, all of them.
 * @throws SessionEncodeError beyond `MAX_INT_DIGITS`, which Python would not read
 */
export function integerText(value: number | bigint): string {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : String(BigInt(value));
  if (value >= TOO_LONG || value <= -TOO_LONG) throw new SessionEncodeError('an integer with too many digits');
  return String(value);
}

const NEEDS_ESCAPE = /[^ !#-[\]-~]/;

/** A string in ASCII only, as Python's json writes it: 0x7f and everything above as `\uxxxx`. */
export function asciiString(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(
    /[\x7f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * A string as msgspec writes it: only quotes, backslashes and control characters are escaped.
 * @throws SessionEncodeError for half a surrogate pair, which UTF-8 cannot hold
 */
export function utf8String(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  if (LONE_SURROGATE.test(text)) throw new SessionEncodeError('text with half a surrogate pair');
  return JSON.stringify(text);
}
