/** A growing row of bytes, and a method for each msgpack form that goes to its end, always in the shortest spelling. */

import { SessionEncodeError } from '../errors.ts';
import { TIMESTAMP } from './msgpack-structure.ts';

const FIRST_CAPACITY = 4096;
/** A buffer that one huge record needed is not kept for the next. */
const KEPT_CAPACITY = 256 * 1024;

/** Text up to this length is written here when it is ASCII: cheaper than a call of the encoder. */
const SHORT_TEXT = 48;

const utf8 = new TextEncoder();
const LONE_SURROGATE = /\p{Surrogate}/u;
const scratch = new DataView(new ArrayBuffer(8));

const textHead = (length: number) => (length < 0x20 ? 1 : length < 0x100 ? 2 : length < 0x1_0000 ? 3 : 5);
const containerHead = (items: number) => (items < 0x10 ? 1 : items < 0x1_0000 ? 3 : 5);

export class ByteWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY);
  #at = 0;

  /** What was written, until the next write. */
  get view(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  /** What was written, for keeps. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  get length(): number {
    return this.#at;
  }

  /** Forgets what was written after `length`. */
  rewind(length: number): void {
    this.#at = length;
  }

  /** Starts anew. */
  reset(): void {
    this.#at = 0;
    if (this.#bytes.length > KEPT_CAPACITY) this.#bytes = new Uint8Array(FIRST_CAPACITY);
  }

  /** Makes room, and answers where it begins. */
  #reserve(size: number): number {
    const needed = this.#at + size;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#at));
      this.#bytes = grown;
    }
    return this.#at;
  }

  /** Bytes that are msgpack already, or the content of a value whose head was written. */
  raw(source: Uint8Array, from: number, to: number): void {
    if (from === to) return;
    const at = this.#reserve(to - from);
    this.#bytes.set(source.subarray(from, to), at);
    this.#at = at + to - from;
  }

  byte(byte: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = byte;
    this.#at = at + 1;
  }

  /** A first byte, then an unsigned number of `width` bytes, most significant first. */
  lead(lead: number, number: number, width: number): void {
    const at = this.#reserve(1 + width);
    const bytes = this.#bytes;
    bytes[at] = lead;
    for (let shift = (width - 1) * 8, i = at + 1; shift >= 0; shift -= 8) bytes[i++] = number >>> shift;
    this.#at = at + 1 + width;
  }

  /** Four bytes; of a negative number, those of its two's complement. */
  u32(number: number): void {
    const at = this.#reserve(4);
    const bytes = this.#bytes;
    bytes[at] = number >>> 24;
    bytes[at + 1] = number >>> 16;
    bytes[at + 2] = number >>> 8;
    bytes[at + 3] = number;
    this.#at = at + 4;
  }

  /** Begins a map of about `guess` pairs; answers what `endMap` is to be told. */
  beginMap(guess: number): number {
    const start = this.#reserve(5);
    this.#at = start + containerHead(guess);
    return start;
  }

  /** Ends the map that began at `start`, now that its number of pairs is known. */
  endMap(start: number, guess: number, pairs: number): void {
    const end = this.#refit(start, containerHead(guess), containerHead(pairs));
    this.#at = start;
    this.container(0x80, 0xde, pairs);
    this.#at = end;
  }

  /** Moves what follows a head that came out longer or shorter than guessed; there is room. Answers the new end. */
  #refit(start: number, guessed: number, head: number): number {
    const end = this.#at;
    if (head !== guessed) this.#bytes.copyWithin(start + head, start + guessed, end);
    return end + head - guessed;
  }

  /** @param short the first byte of an empty one, @param wide the one that announces a 16-bit number of items */
  container(short: number, wide: number, items: number): void {
    if (items < 0x10) this.byte(short + items);
    else if (items < 0x1_0000) this.lead(wide, items, 2);
    else this.lead(wide + 1, items, 4);
  }

  /** @throws SessionEncodeError when it holds a lone surrogate, which UTF-8 cannot */
  text(text: string): void {
    const length = text.length;
    const guessed = textHead(length);
    // A UTF-16 unit is at most three bytes of UTF-8.
    const start = this.#reserve(5 + length * 3);
    const bytes = this.#bytes;
    const from = start + guessed;
    let written = 0;
    if (length <= SHORT_TEXT) {
      while (written < length) {
        const unit = text.charCodeAt(written);
        if (unit >= 0x80) break;
        bytes[from + written++] = unit;
      }
    }
    if (written < length) {
      if (LONE_SURROGATE.test(text)) throw new SessionEncodeError('msgpack: text with a lone surrogate');
      written = utf8.encodeInto(text, bytes.subarray(from)).written;
    }
    this.#at = from + written;
    const end = this.#refit(start, guessed, textHead(written));
    this.#at = start;
    if (written < 0x20) this.byte(0xa0 + written);
    else if (written < 0x100) this.lead(0xd9, written, 1);
    else if (written < 0x1_0000) this.lead(0xda, written, 2);
    else this.lead(0xdb, written, 4);
    this.#at = end;
  }

  number(number: number): void {
    if (!Number.isInteger(number) || (number === 0 && 1 / number < 0)) this.float(number);
    else if (number >= 0) this.#unsigned(number);
    else this.#negative(number);
  }

  /** A whole number past 64 bits can be a float only; below that, an int as everywhere. */
  #unsigned(number: number): void {
    if (number < 0x80) this.byte(number);
    else if (number < 0x100) this.lead(0xcc, number, 1);
    else if (number < 0x1_0000) this.lead(0xcd, number, 2);
    else if (number < 0x1_0000_0000) this.lead(0xce, number, 4);
    else if (number < 2 ** 64) this.#wide(0xcf, Math.floor(number / 0x1_0000_0000), number % 0x1_0000_0000);
    else this.float(number);
  }

  #negative(number: number): void {
    if (number >= -0x20) this.byte(number + 0x100);
    else if (number >= -0x80) this.lead(0xd0, number, 1);
    else if (number >= -0x8000) this.lead(0xd1, number, 2);
    else if (number >= -0x8000_0000) this.lead(0xd2, number, 4);
    else if (number >= -(2 ** 63)) {
      const high = Math.floor(number / 0x1_0000_0000);
      this.#wide(0xd3, high, number - high * 0x1_0000_0000);
    } else this.float(number);
  }

  #wide(lead: number, high: number, low: number): void {
    this.lead(lead, high, 4);
    this.u32(low);
  }

  /** @throws SessionEncodeError when it is below -2^63 or above 2^64 - 1 */
  bigint(number: bigint): void {
    if (number >= BigInt(Number.MIN_SAFE_INTEGER) && number <= BigInt(Number.MAX_SAFE_INTEGER)) {
      this.number(Number(number));
      return;
    }
    if (number < -(2n ** 63n) || number >= 2n ** 64n)
      throw new SessionEncodeError('msgpack: an integer beyond 64 bits');
    this.#wide(number < 0n ? 0xd3 : 0xcf, Number(number >> 32n), Number(number & 0xffff_ffffn));
  }

  float(number: number): void {
    scratch.setFloat64(0, number);
    this.#wide(0xcb, scratch.getUint32(0), scratch.getUint32(4));
  }

  binary(bytes: Uint8Array): void {
    const length = bytes.length;
    if (length < 0x100) this.lead(0xc4, length, 1);
    else if (length < 0x1_0000) this.lead(0xc5, length, 2);
    else this.lead(0xc6, length, 4);
    this.raw(bytes, 0, length);
  }

  /** An extension other than a timestamp. @param type -128 to 127 */
  extension(type: number, data: Uint8Array): void {
    const length = data.length;
    if (length === 1 || length === 2 || length === 4 || length === 8 || length === 16) {
      this.byte(0xd4 + Math.log2(length));
    } else if (length < 0x100) this.lead(0xc7, length, 1);
    else if (length < 0x1_0000) this.lead(0xc8, length, 2);
    else this.lead(0xc9, length, 4);
    this.byte(type & 0xff);
    this.raw(data, 0, length);
  }

  /** @param seconds since 1970, @param nanoseconds 0 to 999999999 */
  timestamp(seconds: number, nanoseconds: number): void {
    const high = Math.floor(seconds / 0x1_0000_0000);
    if (nanoseconds === 0 && high === 0) {
      this.lead(0xd6, TIMESTAMP, 1);
    } else if (high >= 0 && high < 4) {
      this.lead(0xd7, TIMESTAMP, 1);
      this.u32(nanoseconds * 4 + high);
    } else {
      this.lead(0xc7, 12, 1);
      this.byte(TIMESTAMP);
      this.u32(nanoseconds);
      this.u32(high);
    }
    this.u32(seconds - high * 0x1_0000_0000);
  }
}
