/**
 * JavaScript values to msgpack, as msgspec writes the Python values that they stand for; objects that stand for none, as
 * `JSON.stringify` writes them.
 */

import { SessionEncodeError } from '../errors.ts';
import { MAX_DEPTH } from './limits.ts';
import { ByteWriter } from './msgpack-bytes.ts';
import { MAX_INSTANT, MIN_INSTANT } from './msgpack-read.ts';
import {
  DateTime,
  Decimal,
  Extension,
  Float,
  floatMarks,
  isMarked,
  PlainDate,
  PlainTime,
  TimeDelta,
  UUID,
} from './values.ts';

type JsonObject = Readonly<Record<string, unknown>> & { readonly toJSON?: unknown; readonly __html__?: unknown };

export class ValueWriter extends ByteWriter {
  /** Above 0 inside a key of a map, where nothing may stand that Python cannot hash. */
  #inKey = 0;

  override reset(): void {
    this.#inKey = 0;
    super.reset();
  }

  #extension({ type, data }: Extension): void {
    // Type -1 is the timestamp: with data of its own it would come back as a date, or not at all.
    if (!(Number.isInteger(type) && type >= -128 && type < 128 && type !== -1 && data instanceof Uint8Array)) {
      throw new SessionEncodeError('msgpack: an extension needs bytes and a type from -128 to 127 other than -1');
    }
    if (this.#inKey > 0) throw new SessionEncodeError('msgpack: an extension as a key, which Python cannot read');
    this.extension(type, data);
  }

  #date(date: Date): void {
    const time = date.getTime();
    if (!(time >= MIN_INSTANT && time <= MAX_INSTANT)) {
      throw new SessionEncodeError(
        'msgpack: a date that is invalid or not in the years 1 to 9999, which Python cannot read',
      );
    }
    const micros = date instanceof DateTime ? date.microsecond : 0;
    if (!(Number.isInteger(micros) && micros >= 0 && micros < 1000)) {
      throw new SessionEncodeError('msgpack: a DateTime whose microsecond is not 0 to 999');
    }
    if (date instanceof DateTime && date.offset === null) {
      this.text(date.toISOString());
      return;
    }
    const seconds = Math.floor(time / 1000);
    const nanoseconds = (time - seconds * 1000) * 1_000_000 + micros * 1000;
    this.timestamp(seconds, nanoseconds);
  }

  /** Before what is in a container at `depth`: a cycle ends here too. */
  #enter(depth: number): void {
    if (depth >= MAX_DEPTH) throw new SessionEncodeError('msgpack: nested too deeply, or a cycle');
  }

  #array(items: readonly unknown[], depth: number): void {
    this.#enter(depth);
    const length = items.length;
    const marks = floatMarks(items);
    this.container(0x90, 0xdc, length);
    for (let i = 0; i < length; i++) {
      const item = items[i];
      if (isMarked(marks, i, item)) this.float(item as number);
      else if (!this.value(item, depth + 1, i)) this.byte(0xc0);
    }
  }

  #beginNested(guess: number, depth: number): number {
    this.#enter(depth);
    if (this.#inKey > 0) throw new SessionEncodeError('msgpack: a map as a key, which Python cannot read');
    return this.beginMap(guess);
  }

  #map(map: ReadonlyMap<unknown, unknown>, depth: number): void {
    const marks = floatMarks(map);
    const entries = [...map];
    const start = this.#beginNested(entries.length, depth);
    let pairs = 0;
    for (const [key, value] of entries) {
      const before = this.length;
      this.#inKey++;
      if (!this.value(key, depth + 1)) throw new SessionEncodeError('msgpack: undefined as a key');
      this.#inKey--;
      if (isMarked(marks, key as string, value)) this.float(value as number);
      else if (!this.value(value, depth + 1)) {
        this.rewind(before);
        continue;
      }
      pairs++;
    }
    this.endMap(start, entries.length, pairs);
  }

  #members(object: Readonly<Record<string, unknown>>, depth: number): void {
    const marks = floatMarks(object);
    const keys = Object.keys(object);
    const start = this.#beginNested(keys.length, depth);
    let pairs = 0;
    for (const key of keys) {
      const before = this.length;
      this.text(key);
      const value = object[key];
      if (isMarked(marks, key, value)) this.float(value as number);
      else if (!this.value(value, depth + 1, key)) {
        this.rewind(before);
        continue;
      }
      pairs++;
    }
    this.endMap(start, keys.length, pairs);
  }

  /** Writes the objects that have a form of their own; false, and nothing written, for all others. */
  #known(value: object, depth: number): boolean {
    if (value instanceof Date) this.#date(value);
    else if (ArrayBuffer.isView(value)) this.binary(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    else if (value instanceof ArrayBuffer) this.binary(new Uint8Array(value));
    else if (value instanceof Map) this.#map(value, depth);
    else if (value instanceof Set) this.#array([...value], depth);
    else if (value instanceof Float) this.float(value.value);
    else if (value instanceof UUID) this.text(String(value.value));
    else if (value instanceof Decimal) this.text(String(value.text));
    else if (value instanceof PlainDate) this.text(String(value.iso));
    else if (value instanceof PlainTime) this.text(timeText(String(value.iso)));
    else if (value instanceof TimeDelta) this.text(value.toJSON());
    else if (value instanceof Extension) this.#extension(value);
    else if (value instanceof String) this.text(String.prototype.valueOf.call(value));
    else if (value instanceof Number) this.number(Number.prototype.valueOf.call(value));
    else if (value instanceof BigInt) this.bigint(BigInt.prototype.valueOf.call(value));
    else if (value instanceof Boolean) this.byte(Boolean.prototype.valueOf.call(value) ? 0xc3 : 0xc2);
    else return false;
    return true;
  }

  /** @param key what `toJSON` is told; undefined: it has been asked already */
  #object(value: JsonObject, depth: number, key: string | number | undefined): boolean {
    // Python's msgspec refuses a Markup, and text that is trusted as HTML must not come back as text that is not.
    if (typeof value.__html__ === 'function') throw new SessionEncodeError('msgpack: text marked as safe HTML');
    if (Array.isArray(value)) {
      this.#array(value, depth);
      return true;
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null && this.#known(value, depth)) return true;
    if (key !== undefined && typeof value.toJSON === 'function') {
      const json: unknown = value.toJSON(String(key));
      return typeof json === 'object' && json !== null
        ? this.#object(json as JsonObject, depth, undefined)
        : this.value(json, depth);
    }
    this.#members(value, depth);
    return true;
  }

  /**
   * Writes a value. Answers false, with nothing written, for undefined, which an object leaves out and an array writes as
   * nil, as with `JSON.stringify`.
   * @param depth how many containers the value stands in
   * @param key what a `toJSON` method is told
   * @throws SessionEncodeError, or what a getter or `toJSON` of the value throws
   */
  value(value: unknown, depth: number, key: string | number = ''): boolean {
    switch (typeof value) {
      case 'string':
        this.text(value);
        return true;
      case 'number':
        this.number(value);
        return true;
      case 'boolean':
        this.byte(value ? 0xc3 : 0xc2);
        return true;
      case 'bigint':
        this.bigint(value);
        return true;
      case 'undefined':
        return false;
      case 'object':
        if (value !== null) return this.#object(value as JsonObject, depth, key);
        this.byte(0xc0);
        return true;
      default:
        throw new SessionEncodeError(`msgpack: a ${typeof value}`);
    }
  }
}

/** Python's `isoformat()` as msgspec spells it: `Z` for UTC, and an offset in whole minutes, half a minute rounded down. */
function timeText(iso: string): string {
  const match = /^([\d:.]+)([+-])(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?$/.exec(iso);
  if (!match) return iso;
  const [, wall, sign, hours, minutes, seconds] = match;
  const offset = (Number(hours) * 60 + Number(minutes) + (Number(seconds ?? 0) > 30 ? 1 : 0)) % 1440;
  if (offset === 0) return `${wall}Z`;
  const part = (n: number) => String(Math.floor(n)).padStart(2, '0');
  return `${wall}${sign}${part(offset / 60)}:${part(offset % 60)}`;
}

/** Kept between writes, so that a write allocates its result only. */
let idle: ValueWriter | undefined;

/**
 * Runs `use` with an empty writer. While it is in use another call (a `toJSON` method may write a session) gets its own.
 * @throws SessionEncodeError also in place of whatever code of the values threw
 */
export function writing<T>(use: (writer: ValueWriter) => T): T {
  const writer = idle ?? new ValueWriter();
  idle = undefined;
  try {
    return use(writer);
  } catch (error) {
    if (error instanceof SessionEncodeError) throw error;
    throw new SessionEncodeError('msgpack: a value could not be read', { cause: error });
  } finally {
    writer.reset();
    idle = writer;
  }
}
