/** Numbers as pickles hold them: decimal lines, and little-endian two's complement of any length. */
import { SessionDecodeError } from '../errors.ts';
import { MAX_INT_DIGITS } from './limits.ts';
import { Float } from './values.ts';

/** Bytes that an int of {@link MAX_INT_DIGITS} decimal digits needs. */
export const MAX_INT_BYTES = Math.floor((MAX_INT_DIGITS * Math.log2(10)) / 8) + 1;

const INT_LINE = /^-?(?:0|[1-9]\d*)$/;
const FLOAT_LINE = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|inf|nan)$/i;
const LONGEST_FLOAT = 512;

/** The line of an INT or LONG opcode. */
export function parseIntLine(line: string): number | bigint {
  const digits = line.length - (line[0] === '-' ? 1 : 0);
  if (digits > MAX_INT_DIGITS || !INT_LINE.test(line)) throw malformed();
  return line.length < 16 ? Number(line) + 0 : narrow(BigInt(line));
}

/** The line of a FLOAT opcode: Python's repr. What overflows is refused, as there. */
export function parseFloatLine(line: string): number | Float {
  if (line.length > LONGEST_FLOAT || !FLOAT_LINE.test(line)) throw malformed();
  const named = /[in]/i.test(line);
  const value = named ? (/nan/i.test(line) ? Number.NaN : line[0] === '-' ? -Infinity : Infinity) : Number(line);
  if (!named && !Number.isFinite(value)) throw malformed();
  return toFloat(value);
}

/** A float that was read: only a whole number needs the wrapper, since a plain one would be an int. */
export function toFloat(value: number): number | Float {
  return Number.isInteger(value) && !Object.is(value, -0) ? new Float(value) : value;
}

/** The bytes of LONG1 and LONG4. */
export function readLong(bytes: Uint8Array, start: number, length: number): number | bigint {
  if (length > MAX_INT_BYTES) throw malformed();
  if (length === 0) return 0;
  let digits = '0x';
  for (let at = start + length - 1; at >= start; at--) digits += bytes[at]!.toString(16).padStart(2, '0');
  return narrow(BigInt.asIntN(length * 8, BigInt(digits)));
}

/** The shortest two's complement, little-endian; undefined when it is longer than a reader takes. */
export function writeLong(value: bigint): Uint8Array | undefined {
  // The digits of ~value are those of a negative number's magnitude without its sign bit.
  let digits = (value < 0n ? ~value : value).toString(16);
  const topBit = digits.length % 2 === 0 && digits[0]! >= '8';
  const length = (digits.length >> 1) + (digits.length & 1) + (topBit ? 1 : 0);
  if (length > MAX_INT_BYTES) return undefined;
  digits = BigInt.asUintN(length * 8, value)
    .toString(16)
    .padStart(length * 2, '0');
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) {
    bytes[at] = Number.parseInt(digits.slice(digits.length - 2 * at - 2, digits.length - 2 * at), 16);
  }
  return bytes;
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function malformed(): SessionDecodeError {
  return new SessionDecodeError('pickle: a malformed number');
}
