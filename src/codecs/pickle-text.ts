/** Text as pickles hold it: UTF-8 that lets surrogates through, Python 2 string literals, and raw Unicode escapes. */
import { SessionDecodeError } from '../errors.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const LONE_SURROGATE = /\p{Surrogate}/u;
const SHORT = 32;

/**
 * UTF-8 with `surrogatepass`, as CPython reads its text opcodes. Two surrogates that form a pair become one character.
 * @throws SessionDecodeError when the bytes are anything else
 */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  // The usual text is a short ASCII key: building it here is faster than crossing into TextDecoder.
  if (end - start <= SHORT) {
    let text = '';
    let at = start;
    for (; at < end && bytes[at]! < 0x80; at++) text += String.fromCharCode(bytes[at]!);
    if (at === end) return text;
  }
  const view = bytes.subarray(start, end);
  let text = '';
  let from = 0;
  // 0xED is never inside a character, so the text can be cut where it starts a surrogate (ED A0..BF 80..BF).
  for (let at = view.indexOf(0xed); at !== -1; at = view.indexOf(0xed, at + 1)) {
    const high = view[at + 1] ?? 0;
    const low = view[at + 2] ?? 0;
    if (high < 0xa0 || high > 0xbf || low < 0x80 || low > 0xbf) continue;
    text += decodeStrict(view.subarray(from, at)) + String.fromCharCode(0xd000 | ((high & 0x3f) << 6) | (low & 0x3f));
    from = at + 3;
  }
  return from === 0 ? decodeStrict(view) : text + decodeStrict(view.subarray(from));
}

function decodeStrict(view: Uint8Array): string {
  try {
    return decoder.decode(view);
  } catch {
    throw new SessionDecodeError('pickle: text that is not UTF-8');
  }
}

/** UTF-8 with `surrogatepass`, as CPython writes text. */
export function encodeText(text: string): Uint8Array {
  if (!LONE_SURROGATE.test(text)) return encoder.encode(text);
  const bytes = new Uint8Array(text.length * 3);
  let length = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code >= 0xd800 && code <= 0xdfff) {
      bytes[length++] = 0xed;
      bytes[length++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[length++] = 0x80 | (code & 0x3f);
    } else {
      length += encoder.encodeInto(character, bytes.subarray(length)).written;
    }
  }
  return bytes.slice(0, length);
}

/** A Python 2 `str`: only ASCII has a meaning (CPython 3 refuses the rest too, with its default `encoding`). */
export function decodeAscii(bytes: Uint8Array, start: number, end: number): string {
  for (let at = start; at < end; at++) if (bytes[at]! > 0x7f) throw notAscii();
  return decodeText(bytes, start, end);
}

/** The line of an UNICODE opcode: Latin-1 in which `\uXXXX` and `\UXXXXXXXX` stand for characters (`raw-unicode-escape`). */
export function decodeRawUnicodeEscape(bytes: Uint8Array, start: number, end: number): string {
  const units = new Uint16Array(end - start);
  let length = 0;
  let at = start;
  while (at < end) {
    const byte = bytes[at++]!;
    units[length++] = byte;
    if (byte !== 0x5c || at === end) continue;
    const kind = bytes[at++]!;
    // A backslash takes the next character with it, so `\\u0041` is no escape.
    if (kind !== 0x75 && kind !== 0x55) {
      units[length++] = kind;
      continue;
    }
    const digits = kind === 0x75 ? 4 : 8;
    const code = hex(bytes, at, digits, end);
    at += digits;
    if (code > 0x10ffff) throw new SessionDecodeError('pickle: an escape beyond Unicode');
    if (code > 0xffff) {
      units[length - 1] = 0xd800 + ((code - 0x10000) >> 10);
      units[length++] = 0xdc00 + (code & 0x3ff);
    } else {
      units[length - 1] = code;
    }
  }
  return fromUnits(units, length);
}

const ESCAPES = new Map<number, number>(
  Object.entries({ '\\': 0x5c, "'": 0x27, '"': 0x22, a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 }).map(
    ([name, code]) => [name.charCodeAt(0), code],
  ),
);

/** The line of a STRING opcode: a quoted Python 2 `str` literal. */
export function decodeStringLiteral(bytes: Uint8Array, start: number, end: number): string {
  const quote = bytes[start];
  if (end - start < 2 || (quote !== 0x27 && quote !== 0x22) || bytes[end - 1] !== quote) {
    throw new SessionDecodeError('pickle: a string without its quotes');
  }
  const last = end - 1;
  const units = new Uint16Array(last - start);
  let length = 0;
  let at = start + 1;
  while (at < last) {
    let code = bytes[at++]!;
    if (code === 0x5c) {
      if (at === last) throw new SessionDecodeError('pickle: a string that ends in an escape');
      const kind = bytes[at++]!;
      const known = ESCAPES.get(kind);
      if (known !== undefined) {
        code = known;
      } else if (kind === 0x78) {
        code = hex(bytes, at, 2, last);
        at += 2;
      } else if (kind >= 0x30 && kind <= 0x37) {
        code = kind - 0x30;
        for (let n = 1; n < 3 && at < last && bytes[at]! >= 0x30 && bytes[at]! <= 0x37; n++) {
          code = code * 8 + bytes[at++]! - 0x30;
        }
      } else {
        // An unknown escape is no escape: the backslash stays.
        units[length++] = code;
        code = kind;
      }
    }
    if (code > 0x7f) throw notAscii();
    units[length++] = code;
  }
  return fromUnits(units, length);
}

function notAscii(): SessionDecodeError {
  return new SessionDecodeError('pickle: a Python 2 string that is not ASCII');
}

function hex(bytes: Uint8Array, start: number, digits: number, end: number): number {
  if (start + digits > end) throw new SessionDecodeError('pickle: a bad escape');
  let value = 0;
  for (let at = start; at < start + digits; at++) {
    const byte = bytes[at]!;
    const letter = (byte | 0x20) - 0x57;
    const digit = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : letter >= 10 && letter <= 15 ? letter : undefined;
    if (digit === undefined) throw new SessionDecodeError('pickle: a bad escape');
    value = value * 16 + digit;
  }
  return value;
}

/** Piecewise, since one call with all units would overflow the stack. */
function fromUnits(units: Uint16Array, length: number): string {
  let text = '';
  for (let at = 0; at < length; at += 4096) {
    text += String.fromCharCode(...units.subarray(at, Math.min(at + 4096, length)));
  }
  return text;
}
