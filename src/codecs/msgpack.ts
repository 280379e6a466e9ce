/**
 * The record format that Flask-Session writes by default: the session's mapping as msgspec writes it, keys in the order of
 * insertion, no version byte. Opening finds where each key and value is; a value is decoded when it is asked for, and what
 * a patch does not name is copied byte for byte.
 */

import { SessionDecodeError } from '../errors.ts';
import { type Codec, type OpenRecord, type Patch, REMOVED } from './codec.ts';
import { Reader } from './msgpack-read.ts';
import { containerContent, containerSize, isArray, isMap, skip, textContent } from './msgpack-structure.ts';
import { keyOf } from './msgpack-text.ts';
import { type ValueWriter, writing } from './msgpack-write.ts';

/** Up to this many keys a look through a list is quicker than an index. */
const FEW = 16;

const NIL = 0xc0;

export const msgpack: Codec = {
  name: 'msgpack',

  /** The bytes are not copied: they must stay as they are while the record is in use. @throws SessionDecodeError */
  open(record: Uint8Array): OpenRecord {
    if (record.length === 0) throw new SessionDecodeError('msgpack: an empty record');
    const lead = record[0]!;
    if (isMap(lead)) return openMap(record);
    if (isArray(lead)) return openMap(mapOfPairs(record));
    if (lead === NIL && record.length === 1) return new MsgpackRecord(record, [1], [], undefined);
    throw new SessionDecodeError('msgpack: the record is not a mapping');
  },

  write(base: OpenRecord | undefined, patch: Patch): Uint8Array {
    return writing((writer) => {
      const kept = patch.cleared ? undefined : base;
      const guess = (kept?.size ?? 0) + patch.entries.size;
      const start = writer.beginMap(guess);
      let pairs = 0;
      if (kept instanceof MsgpackRecord) pairs = copyOwn(writer, kept, patch);
      else if (kept) pairs = copyForeign(writer, kept, patch);
      for (const [key, value] of patch.entries) {
        if (kept?.has(key) && !patch.moved.has(key)) continue;
        if (writePair(writer, key, value)) pairs++;
      }
      writer.endMap(start, guess, pairs);
      return writer.take();
    });
  },
};

/** Writes a pair, or nothing when there is no value. */
function writePair(writer: ValueWriter, key: string, value: unknown): boolean {
  if (value === REMOVED || value === undefined) return false;
  const before = writer.length;
  writer.text(key);
  if (writer.value(value, 1, key)) return true;
  writer.rewind(before);
  return false;
}

/** Stands for a value that a patch leaves alone. */
const UNTOUCHED = Symbol('untouched');

/** Writes the pairs that keep their place, those in a row that are untouched in one go. Answers how many. */
function copyOwn(writer: ValueWriter, base: MsgpackRecord, { entries, moved }: Patch): number {
  const { bytes, starts, names } = base;
  const values = new Array<unknown>(names.length).fill(UNTOUCHED);
  for (const [key, value] of entries) {
    const i = base.find(key);
    if (i >= 0) values[i] = moved.has(key) ? REMOVED : value;
  }
  let pairs = 0;
  let copied = starts[0]!;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === UNTOUCHED) {
      pairs++;
      continue;
    }
    writer.raw(bytes, copied, starts[i * 2]!);
    copied = starts[i * 2 + 2]!;
    if (value === REMOVED) continue;
    const before = writer.length;
    writer.raw(bytes, starts[i * 2]!, starts[i * 2 + 1]!);
    if (writer.value(value, 1, names[i])) pairs++;
    else writer.rewind(before);
  }
  writer.raw(bytes, copied, starts.at(-1)!);
  return pairs;
}

/** As above for a record of another format: every value is decoded and written anew. */
function copyForeign(writer: ValueWriter, base: OpenRecord, { entries, moved }: Patch): number {
  let pairs = 0;
  for (const key of base.keys()) {
    if (moved.has(key)) continue;
    if (writePair(writer, key, entries.has(key) ? entries.get(key) : base.get(key))) pairs++;
  }
  return pairs;
}

class MsgpackRecord implements OpenRecord {
  readonly bytes: Uint8Array;
  /** Where each key and its value begin, in turn; last, where the last value ends. */
  readonly starts: readonly number[];
  /** The keys; undefined where one is not text. */
  readonly names: readonly (string | undefined)[];
  readonly #index: ReadonlyMap<string, number> | undefined;

  constructor(
    bytes: Uint8Array,
    starts: readonly number[],
    names: readonly (string | undefined)[],
    index: ReadonlyMap<string, number> | undefined,
  ) {
    this.bytes = bytes;
    this.starts = starts;
    this.names = names;
    this.#index = index;
  }

  get size(): number {
    return this.names.length;
  }

  /** The key's place among the keys; -1 when it is absent. */
  find(key: string): number {
    return this.#index ? (this.#index.get(key) ?? -1) : this.names.indexOf(key);
  }

  has(key: string): boolean {
    return this.find(key) >= 0;
  }

  get(key: string): unknown {
    const i = this.find(key);
    return i < 0 ? undefined : new Reader(this.bytes, this.starts[i * 2 + 1]!).exact();
  }

  keys(): string[] {
    return this.names.filter((name) => name !== undefined);
  }

  /** Never throws: a value that cannot be read or written is not the same. */
  same(key: string, value: unknown): boolean {
    const i = this.find(key);
    if (i < 0) return false;
    const stored = this.bytes.subarray(this.starts[i * 2 + 1], this.starts[i * 2 + 2]);
    try {
      return writing((writer) => {
        if (!writer.value(value, 1, key)) return false;
        if (equal(writer.view, stored)) return true;
        // Another spelling of the same value, or integer-like keys that JavaScript has put first.
        const offered = writer.take();
        writer.reset();
        writer.value(this.get(key), 1);
        return equal(writer.view, offered);
      });
    } catch {
      return false;
    }
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** @param bytes which begin with a map @throws SessionDecodeError */
function openMap(bytes: Uint8Array): MsgpackRecord {
  const size = containerSize(bytes, 0);
  // Before any memory is asked for: no more pairs are believed than there is room for.
  if (size * 2 >= bytes.length && size > 0) throw new SessionDecodeError('msgpack: the record ends inside its mapping');
  const index = size > FEW ? new Map<string, number>() : undefined;
  const starts = new Array<number>(size * 2 + 1);
  const names = new Array<string | undefined>(size);
  let repeated = false;
  let seen = 0;
  let at = containerContent(bytes, 0);
  for (let i = 0; i < size; i++) {
    const text = textContent(bytes, at);
    const value = skip(bytes, at, 1);
    if (text === 0) {
      new Reader(bytes, at).key();
      names[i] = undefined;
    } else {
      const name = keyOf(bytes, text, value);
      if (index) {
        repeated ||= index.has(name);
        index.set(name, i);
      } else {
        // One bit for length and last byte: only a key whose bit is set already can be a repeated one.
        const bit = 1 << (value - text + bytes[value - 1]!);
        repeated ||= (seen & bit) !== 0 && names.includes(name);
        seen |= bit;
      }
      names[i] = name;
    }
    starts[i * 2] = at;
    starts[i * 2 + 1] = value;
    at = skip(bytes, value, 1);
  }
  starts[size * 2] = at;
  if (at !== bytes.length) throw new SessionDecodeError('msgpack: bytes after the mapping');
  return repeated ? openMap(withoutRepeats(bytes, starts, names)) : new MsgpackRecord(bytes, starts, names, index);
}

/** The same mapping with each text key once, as a Python dict has it: in its first place, with its last value. */
function withoutRepeats(
  bytes: Uint8Array,
  starts: readonly number[],
  names: readonly (string | undefined)[],
): Uint8Array {
  const last = new Map<string, number>();
  for (const [i, name] of names.entries()) if (name !== undefined) last.set(name, i);
  const ranges: number[] = [];
  for (const [i, name] of names.entries()) {
    const value = name === undefined ? i : last.get(name);
    if (value === undefined) continue;
    ranges.push(starts[i * 2]!, starts[i * 2 + 1]!, starts[value * 2 + 1]!, starts[value * 2 + 2]!);
    if (name !== undefined) last.delete(name);
  }
  return mapOf(bytes, ranges, ranges.length / 4);
}

/** Python's `dict()` takes a list of pairs, and so Flask-Session does. @throws SessionDecodeError */
function mapOfPairs(bytes: Uint8Array): Uint8Array {
  const size = containerSize(bytes, 0);
  const ranges: number[] = [];
  let at = containerContent(bytes, 0);
  for (let i = 0; i < size; i++) {
    const end = skip(bytes, at, 1);
    const content = containerContent(bytes, at);
    // As a key of a map a list would be read as a tuple; in a pair it stays a list, which is no key.
    if (!isArray(bytes[at]!) || containerSize(bytes, at) !== 2 || isArray(bytes[content]!)) {
      throw new SessionDecodeError('msgpack: the record is a list, but not one of pairs');
    }
    ranges.push(content, end);
    at = end;
  }
  if (at !== bytes.length) throw new SessionDecodeError('msgpack: bytes after the list');
  return mapOf(bytes, ranges, size);
}

/** A map of keys and values that stand in `ranges` of the bytes: from, to, from, to, … */
function mapOf(bytes: Uint8Array, ranges: readonly number[], pairs: number): Uint8Array {
  const map = new Uint8Array(5 + bytes.length);
  map.set([0xdf, pairs >>> 24, pairs >>> 16, pairs >>> 8, pairs]);
  let at = 5;
  for (let i = 0; i < ranges.length; i += 2) {
    const part = bytes.subarray(ranges[i], ranges[i + 1]);
    map.set(part, at);
    at += part.length;
  }
  return map.subarray(0, at);
}
