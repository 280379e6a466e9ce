/** The bytes of a pickle, read from the front. Every declared length is checked against what is left before it is used. */
import { SessionDecodeError } from '../errors.ts';
import { parseIntLine, readLong } from './pickle-number.ts';
import { decodeAscii, decodeRawUnicodeEscape, decodeStringLiteral, decodeText } from './pickle-text.ts';

export class PickleInput {
  /** How many bytes were read. */
  at = 0;
  readonly length: number;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(record: Uint8Array) {
    // A plain view: the `slice` of a Buffer would share its memory.
    this.bytes = new Uint8Array(record.buffer, record.byteOffset, record.byteLength);
    this.view = new DataView(record.buffer, record.byteOffset, record.byteLength);
    this.length = record.byteLength;
  }

  uint8(): number {
    return this.bytes[this.take(1)]!;
  }

  uint16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  uint32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  int32(): number {
    return this.view.getInt32(this.take(4), true);
  }

  float64(): number {
    return this.view.getFloat64(this.take(8));
  }

  /** A length of 8 bytes, which must be there. Beyond 2^53 it is imprecise, and refused all the same. */
  length64(): number {
    const start = this.take(8);
    const length = this.view.getUint32(start, true) + this.view.getUint32(start + 4, true) * 2 ** 32;
    if (length > this.length - this.at) throw tooShort();
    return length;
  }

  /** A copy of the next bytes. */
  slice(length: number): Uint8Array {
    const start = this.take(length);
    return this.bytes.slice(start, this.at);
  }

  text(length: number): string {
    const start = this.take(length);
    return decodeText(this.bytes, start, this.at);
  }

  /** A Python 2 `str`. */
  ascii(length: number): string {
    const start = this.take(length);
    return decodeAscii(this.bytes, start, this.at);
  }

  /** Two's complement of any length, which was declared with a sign in one of the opcodes. */
  long(length: number): number | bigint {
    return readLong(this.bytes, this.take(length), length);
  }

  line(): string {
    return this.readLine(decodeAscii);
  }

  /** The line of UNICODE. */
  unicodeLine(): string {
    return this.readLine(decodeRawUnicodeEscape);
  }

  /** The line of STRING. */
  stringLine(): string {
    return this.readLine(decodeStringLiteral);
  }

  /** The line of INT: `01` and `00` are how protocols 0 and 1 write booleans. */
  intLine(): number | bigint | boolean {
    const line = this.line();
    return line === '01' ? true : line === '00' ? false : parseIntLine(line);
  }

  /** The line of LONG. */
  longLine(): number | bigint {
    return parseIntLine(this.line().replace(/L$/, ''));
  }

  /** The line of PUT and GET. */
  indexLine(): number {
    return Number(parseIntLine(this.line()));
  }

  private readLine(decode: (bytes: Uint8Array, start: number, end: number) => string): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end === -1) throw tooShort();
    const text = decode(this.bytes, this.at, end);
    this.at = end + 1;
    return text;
  }

  /** Where the next `length` bytes start. */
  private take(length: number): number {
    const start = this.at;
    if (length < 0 || length > this.length - start) throw tooShort();
    this.at = start + length;
    return start;
  }
}

function tooShort(): SessionDecodeError {
  return new SessionDecodeError('pickle: it ends too early');
}
