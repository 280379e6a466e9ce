/** msgpack bytes to values, with the meaning that msgspec gives them. */

import { SessionDecodeError } from '../errors.ts';
import {
  containerContent,
  containerSize,
  isArray,
  isMap,
  lengthAt,
  skip,
  TIMESTAMP,
  textContent,
} from './msgpack-structure.ts';
import { keyOf, textOf } from './msgpack-text.ts';
import { DateTime, Extension, Float, floatMarks, markFloat, setOwn, Tuple } from './values.ts';

/** Milliseconds since 1970 of the first and last instants that Python's `datetime` can hold: years 1 to 9999. */
export const MIN_INSTANT = -62_135_596_800_000;
export const MAX_INSTANT = 253_402_300_799_999;

const scratch = new DataView(new ArrayBuffer(8));

/** A whole number that the wire has as a float; -0 needs no reminder, being a float in JavaScript too. */
function isWhole(value: number): boolean {
  return Number.isInteger(value) && (value !== 0 || 1 / value > 0);
}

/**
 * Makes values of bytes that `skip` has found sound; what is left to check is meaning: UTF-8, timestamps, keys. Every method
 * starts where the last one stopped.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** The value, with a whole float as a `Float`, for places that have no container to mark it in. @throws SessionDecodeError */
  exact(): unknown {
    const float = this.#atFloat();
    const value = this.value();
    return float && isWhole(value as number) ? new Float(value as number) : value;
  }

  /** @throws SessionDecodeError */
  value(): unknown {
    const lead = this.#bytes[this.#at]!;
    if (lead < 0x80) {
      this.#at++;
      return lead;
    }
    if (lead < 0x90) return this.#map();
    if (lead < 0xa0) return this.#array();
    if (lead < 0xc0) return this.#text(this.#at + 1, lead & 0x1f);
    if (lead >= 0xe0) {
      this.#at++;
      return lead - 0x100;
    }
    return this.#tagged(lead);
  }

  #tagged(lead: number): unknown {
    const at = this.#at;
    switch (lead) {
      case 0xc0:
        this.#at++;
        return null;
      case 0xc2:
      case 0xc3:
        this.#at++;
        return lead === 0xc3;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#binary(1 << (lead - 0xc4));
      case 0xc7:
      case 0xc8:
      case 0xc9: {
        const width = 1 << (lead - 0xc7);
        return this.#extension(at + 1 + width, lengthAt(this.#bytes, at + 1, width));
      }
      case 0xca:
        this.#at += 5;
        scratch.setUint32(0, this.#u32(at + 1));
        return scratch.getFloat32(0);
      case 0xcb:
        this.#at += 9;
        scratch.setUint32(0, this.#u32(at + 1));
        scratch.setUint32(4, this.#u32(at + 5));
        return scratch.getFloat64(0);
      case 0xcc:
      case 0xcd:
      case 0xce: {
        const width = 1 << (lead - 0xcc);
        this.#at += 1 + width;
        return lengthAt(this.#bytes, at + 1, width);
      }
      case 0xcf:
        this.#at += 9;
        return this.#wide(this.#u32(at + 1), at + 5);
      case 0xd0:
        this.#at += 2;
        return (this.#bytes[at + 1]! << 24) >> 24;
      case 0xd1:
        this.#at += 3;
        return ((this.#bytes[at + 1]! << 24) >> 16) | this.#bytes[at + 2]!;
      case 0xd2:
        this.#at += 5;
        return this.#u32(at + 1) | 0;
      case 0xd3:
        this.#at += 9;
        return this.#wide(this.#u32(at + 1) | 0, at + 5);
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(at + 1, 1 << (lead - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb: {
        const width = 1 << (lead - 0xd9);
        return this.#text(at + 1 + width, lengthAt(this.#bytes, at + 1, width));
      }
      case 0xdc:
      case 0xdd:
        return this.#array();
      default:
        return this.#map();
    }
  }

  #u32(at: number): number {
    const bytes = this.#bytes;
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
  }

  /** A 64-bit integer of its upper half and the lower one that stands at `at`: a number while that is exact. */
  #wide(high: number, at: number): number | bigint {
    const low = this.#u32(at);
    const value = high * 0x1_0000_0000 + low;
    return Number.isSafeInteger(value) ? value : BigInt(high) * 0x1_0000_0000n + BigInt(low);
  }

  #text(from: number, length: number): string {
    this.#at = from + length;
    return textOf(this.#bytes, from, this.#at);
  }

  #copy(from: number, length: number): Uint8Array {
    this.#at = from + length;
    // Not `slice`: of a Buffer that would be a view on the record.
    const copy = new Uint8Array(length);
    copy.set(this.#bytes.subarray(from, this.#at));
    return copy;
  }

  #binary(width: number): Uint8Array {
    return this.#copy(this.#at + 1 + width, lengthAt(this.#bytes, this.#at + 1, width));
  }

  /** @param typeAt where the type stands; the data follows it */
  #extension(typeAt: number, length: number): Extension | Date {
    const type = this.#bytes[typeAt]!;
    if (type !== TIMESTAMP) return new Extension((type << 24) >> 24, this.#copy(typeAt + 1, length));
    this.#at = typeAt + 1 + length;
    return this.#instant(typeAt + 1, length);
  }

  /** A timestamp of 32, 64 or 96 bits. msgspec rounds nanoseconds half up to whole microseconds, and so is it here. */
  #instant(at: number, length: number): Date {
    let nanoseconds = 0;
    let seconds: number;
    if (length === 4) {
      seconds = this.#u32(at);
    } else if (length === 8) {
      const high = this.#u32(at);
      nanoseconds = high >>> 2;
      seconds = (high & 3) * 0x1_0000_0000 + this.#u32(at + 4);
    } else if (length === 12) {
      nanoseconds = this.#u32(at);
      seconds = (this.#u32(at + 4) | 0) * 0x1_0000_0000 + this.#u32(at + 8);
    } else {
      throw new SessionDecodeError('msgpack: a timestamp of a wrong length');
    }
    const microseconds = Math.floor((nanoseconds + 500) / 1000);
    const microsecond = microseconds % 1000;
    const time = seconds * 1000 + (microseconds - microsecond) / 1000;
    if (nanoseconds > 999_999_999 || time < MIN_INSTANT || time > MAX_INSTANT) {
      throw new SessionDecodeError('msgpack: a timestamp out of range');
    }
    return microsecond === 0 ? new Date(time) : new DateTime(time, microsecond);
  }

  #atFloat(): boolean {
    const lead = this.#bytes[this.#at]!;
    return lead === 0xcb || lead === 0xca;
  }

  /** The value, remembered in its container when it is a whole float. */
  #member(container: object, key: string | number): unknown {
    const float = this.#atFloat();
    const value = this.value();
    if (float && isWhole(value as number)) markFloat(container, key, value as number);
    return value;
  }

  #array(): unknown[] {
    const array: unknown[] = [];
    const length = containerSize(this.#bytes, this.#at);
    this.#at = containerContent(this.#bytes, this.#at);
    for (let i = 0; i < length; i++) array.push(this.#member(array, i));
    return array;
  }

  /** A plain object while the keys are text; from the first other key on a `Map`. */
  #map(): object {
    const bytes = this.#bytes;
    const size = containerSize(bytes, this.#at);
    this.#at = containerContent(bytes, this.#at);
    const object = {};
    for (let i = 0; i < size; i++) {
      const from = textContent(bytes, this.#at);
      if (from === 0) return this.#mapOfAny(object, size - i);
      const lead = bytes[this.#at]!;
      const to = lead < 0xc0 ? from + (lead & 0x1f) : skip(bytes, this.#at, 0);
      this.#at = to;
      const key = keyOf(bytes, from, to);
      setOwn(object, key, this.#member(object, key));
    }
    return object;
  }

  /**
   * @param read the members so far, in the order that JavaScript keeps them in (integer-like keys first)
   * @param left how many pairs are still to come
   */
  #mapOfAny(read: object, left: number): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>(Object.entries(read));
    for (const [key, value] of floatMarks(read) ?? []) markFloat(map, key, value);
    for (let i = 0; i < left; i++) {
      const key = this.key();
      // A mark is kept by key, whatever the key is; the type says what it nearly always is.
      map.set(key, this.#member(map, key as string));
    }
    return map;
  }

  /** A key of a map; an array is a `Tuple` there. @throws SessionDecodeError when Python could not hash it */
  key(): unknown {
    const float = this.#atFloat();
    const key = this.#hashable();
    return float && isWhole(key as number) ? new Float(key as number) : key;
  }

  #hashable(): unknown {
    const lead = this.#bytes[this.#at]!;
    if (isMap(lead)) throw new SessionDecodeError('msgpack: a map as a key');
    if (!isArray(lead)) {
      const value = this.value();
      if (value instanceof Extension) throw new SessionDecodeError('msgpack: an extension as a key');
      return value;
    }
    const length = containerSize(this.#bytes, this.#at);
    this.#at = containerContent(this.#bytes, this.#at);
    const tuple = new Tuple();
    for (let i = 0; i < length; i++) {
      const float = this.#atFloat();
      const item = this.#hashable();
      if (float && isWhole(item as number)) markFloat(tuple, i, item as number);
      tuple.push(item);
    }
    return tuple;
  }
}
