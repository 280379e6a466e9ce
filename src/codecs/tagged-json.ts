/**
 * Flask's cookie session: JSON in which what JSON lacks stands as an object with one tag (tags.ts). Byte for byte what
 * Flask's `TaggedJSONSerializer` writes: ASCII, sorted keys, no white space.
 */
import { SessionEncodeError } from '../errors.ts';
import type { Codec, OpenRecord, Patch } from './codec.ts';
import { applyPatch, DecodedRecord, isMapping, KEPT, mappingFrom, patchKeys } from './decoded-record.ts';
import { formatHttpDate } from './http-date.ts';
import { type JsonFormat, JsonRecord } from './json-record.ts';
import {
  asciiString,
  decodeUtf8,
  integerText,
  type JsonDialect,
  pythonFloat,
  readJson,
  UNUSUAL_NUMBER,
} from './json-text.ts';
import { guarded, JsonWriter, type Marks } from './json-writer.ts';
import { encodeBase64 } from './standard-base64.ts';
import { MAYBE_TAGGED, TAGS, untag, untagInside } from './tags.ts';
import { ByteArray, Decimal, Float, PlainDate, PlainTime, TimeDelta, Tuple, UUID } from './values.ts';

const DIALECT: JsonDialect = {
  nonFinite: true,
  loneSurrogates: true,
  unusual: new RegExp(UNUSUAL_NUMBER),
};

/** The value of a text in which only the outermost tag is left. */
function read(text: string): unknown {
  const value = readJson(text, DIALECT);
  if (MAYBE_TAGGED.test(text)) untagInside(value);
  return value;
}

/**
 * Any value from its tagged JSON text (Flask `session_json_serializer.loads`). A whole float is a `Float` when it is the
 * outermost value.
 * @throws SessionDecodeError where Flask raises, and beyond the bounds of limits.ts
 */
export function loads(text: string): unknown {
  return untag(read(text));
}

/**
 * Any value as tagged JSON text (Flask `session_json_serializer.dumps`). Objects of a class are written as JSON.stringify
 * would: by their `toJSON`, or by their members.
 * @throws SessionEncodeError for what Flask refuses (sets, times, functions, …), for cycles and what nests too deeply
 */
export function dumps(value: unknown): string {
  return encode(value, 0);
}

function encode(value: unknown, depth: number): string {
  const text = guarded(() => new TaggedWriter().write(value, depth));
  if (text === undefined) throw new SessionEncodeError('undefined cannot be stored');
  return text;
}

const FORMAT: JsonFormat = { decode: loads, encode: (value) => encode(value, 1) };

const UTF8 = new TextEncoder();

/** The payload of Flask's session cookie. Members that a patch does not name are written as Flask would write them anew. */
export const taggedJson: Codec = {
  name: 'tagged-json',

  open(record: Uint8Array): OpenRecord {
    const text = decodeUtf8(record);
    const value = read(text);
    if (isMapping(value) && untag(value) === value) return new JsonRecord(text, value, FORMAT);
    return new DecodedRecord(() => mappingFrom(loads(text)), FORMAT.encode);
  },

  write(base: OpenRecord | undefined, patch: Patch): Uint8Array {
    if (!(base instanceof JsonRecord) || base.format !== FORMAT) return UTF8.encode(dumps(applyPatch(base, patch)));
    const members = new Map<string, string>();
    for (const [key, value] of patchKeys(base.keys(), patch) as Map<string, unknown>) {
      if (value === KEPT) members.set(key, base.canonical(key));
      else if (value !== undefined) members.set(key, FORMAT.encode(value));
    }
    const names = sortText([...members.keys()]);
    const only = names.length === 1 && TAGS.has(names[0] as string);
    const text = names.map((name) => `${asciiString(only ? `${name}__` : name)}:${members.get(name)}`).join();
    return UTF8.encode(only ? `{" di":{${text}}}` : `{${text}}`);
  },
};

class TaggedWriter extends JsonWriter {
  protected override string(text: string): string {
    return asciiString(text);
  }

  protected override float(x: number): string {
    return pythonFloat(x);
  }

  protected override order(names: string[]): string[] {
    return sortText(names);
  }

  protected override dict(
    names: readonly string[],
    values: readonly unknown[],
    marks: Marks,
    keys: readonly unknown[],
    depth: number,
  ): string {
    const at = names.findIndex((name, i) => name.charCodeAt(0) === 0x20 && TAGS.has(name) && keys[i] === name);
    if (at === -1 || values.some((value, i) => i !== at && value !== undefined)) {
      return super.dict(names, values, marks, keys, depth);
    }
    return `{" di":${super.dict([`${names[at]}__`], [values[at]], marks, [keys[at]], depth + 1)}}`;
  }

  protected override map(value: ReadonlyMap<unknown, unknown>, depth: number, marks: Marks): string {
    const keys = sortKeys([...value.keys()]);
    const values = keys.map((key) => value.get(key));
    return this.dict(keys.map(keyText), values, marks, keys, depth);
  }

  protected override known(value: object, depth: number): string | undefined {
    if (value instanceof Tuple) return `{" t":${this.array(value, depth + 2)}}`;
    if (value instanceof ByteArray || value instanceof PlainTime || value instanceof TimeDelta) {
      throw new SessionEncodeError('a bytearray, time or timedelta cannot be stored in a cookie session');
    }
    if (value instanceof Uint8Array) return `{" b":"${encodeBase64(value)}"}`;
    const { __html__ } = value as { __html__?: unknown };
    if (typeof __html__ === 'function') return `{" m":${asciiString(String(__html__.call(value)))}}`;
    if (value instanceof UUID) return `{" u":"${value.hex}"}`;
    if (value instanceof Date) return `{" d":"${formatHttpDate(value.getTime())}"}`;
    if (value instanceof PlainDate) return `"${formatHttpDate(midnight(value.iso))}"`;
    if (value instanceof Decimal) return asciiString(value.text);
    return undefined;
  }
}

/** NaN when the calendar has no such day. */
function midnight(iso: string): number {
  const time = Date.parse(`${iso}T00:00:00Z`);
  // Date.parse takes a 30th of February for the 1st of March.
  return Number.isFinite(time) && new Date(time).toISOString().slice(0, 10) === iso ? time : Number.NaN;
}

/** By code point, which the usual order by UTF-16 unit is unless there are surrogates. In place. */
function sortText(texts: string[]): string[] {
  if (texts.length < 2) return texts;
  if (SURROGATE.test(texts.join(''))) return texts.sort(compareText);
  // What Flask wrote is sorted already.
  for (let i = 1; i < texts.length; i++) if ((texts[i - 1] as string) > (texts[i] as string)) return texts.sort();
  return texts;
}

const SURROGATE = /[\ud800-\udfff]/;

function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    if (a.charCodeAt(at) === b.charCodeAt(at)) continue;
    // What comes before may be the first half of a pair in one of the two, or in both.
    return (at > 0 && compareAt(a, b, at - 1)) || compareAt(a, b, at);
  }
  return a.length - b.length;
}

function compareAt(a: string, b: string, at: number): number {
  return (a.codePointAt(at) as number) - (b.codePointAt(at) as number);
}

/**
 * In Python's order, which it needs before the keys become text. In place.
 * @throws SessionEncodeError for keys that Python cannot compare, or that are none in JSON
 */
function sortKeys(keys: unknown[]): unknown[] {
  if (keys.length < 2) return keys;
  if (keys.every((key) => typeof key === 'string')) return sortText(keys as string[]);
  const numbers = keys.map((key) => [numeric(key), key] as const);
  return numbers.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, key]) => key);
}

function numeric(key: unknown): number | bigint {
  if (typeof key === 'number' || typeof key === 'bigint') return key;
  if (typeof key === 'boolean') return Number(key);
  if (key instanceof Float) return key.value;
  throw new SessionEncodeError('keys of types that cannot be sorted together');
}

function keyText(key: unknown): string {
  if (typeof key === 'string') return key;
  if (key === null || typeof key === 'boolean') return String(key);
  if (key instanceof Float) return pythonFloat(key.value);
  if (typeof key === 'bigint') return integerText(key);
  // A Map has no -0 among its keys.
  if (typeof key === 'number') return Number.isInteger(key) ? integerText(key) : pythonFloat(key);
  throw new SessionEncodeError('a key that is neither text nor a number');
}
