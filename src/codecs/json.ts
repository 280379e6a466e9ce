/** Records as Flask-Session writes them with SESSION_SERIALIZATION_FORMAT = "json": byte for byte what msgspec makes. */
import { SessionEncodeError } from '../errors.ts';
import type { Codec, OpenRecord, Patch } from './codec.ts';
import { applyPatch, DecodedRecord, isMapping, KEPT, mappingFrom, patchKeys } from './decoded-record.ts';
import { type JsonFormat, JsonRecord } from './json-record.ts';
import {
  decodeUtf8,
  integerText,
  type JsonDialect,
  msgspecFloat,
  readJson,
  UNUSUAL_NUMBER,
  utf8String,
} from './json-text.ts';
import { guarded, JsonWriter, type Marks } from './json-writer.ts';
import { encodeBase64 } from './standard-base64.ts';
import { DateTime, Decimal, Extension, Float, PlainDate, PlainTime, TimeDelta, UUID } from './values.ts';

const DIALECT: JsonDialect = {
  nonFinite: false,
  loneSurrogates: false,
  unusual: new RegExp(String.raw`${UNUSUAL_NUMBER}|\\u[dD][89a-fA-F]`),
};

function encode(value: unknown, depth: number): string {
  const text = guarded(() => new MsgspecWriter().write(value, depth));
  if (text === undefined) throw new SessionEncodeError('undefined cannot be stored');
  return text;
}

const FORMAT: JsonFormat = {
  decode: (text) => readJson(text, DIALECT),
  encode: (value) => encode(value, 1),
};

const UTF8 = new TextEncoder();

/** Keys stay in their order, and members that a patch does not name keep their bytes. */
export const json: Codec = {
  name: 'json',

  open(record: Uint8Array): OpenRecord {
    const text = decodeUtf8(record);
    const value = FORMAT.decode(text);
    if (isMapping(value)) return new JsonRecord(text, value, FORMAT);
    return new DecodedRecord(() => mappingFrom(FORMAT.decode(text)), FORMAT.encode);
  },

  write(base: OpenRecord | undefined, patch: Patch): Uint8Array {
    if (!(base instanceof JsonRecord) || base.format !== FORMAT) {
      return UTF8.encode(encode(applyPatch(base, patch), 0));
    }
    const members: string[] = [];
    for (const [key, value] of patchKeys(base.keys(), patch) as Map<string, unknown>) {
      if (value === undefined) continue;
      members.push(`${utf8String(key)}:${value === KEPT ? base.textOf(key) : FORMAT.encode(value)}`);
    }
    return UTF8.encode(`{${members.join()}}`);
  },
};

class MsgspecWriter extends JsonWriter {
  protected override string(text: string): string {
    return utf8String(text);
  }

  protected override float(x: number): string {
    return msgspecFloat(x);
  }

  protected override order(names: string[]): string[] {
    return names;
  }

  protected override map(value: ReadonlyMap<unknown, unknown>, depth: number, marks: Marks): string {
    const keys = [...value.keys()];
    return this.dict(keys.map(keyText), [...value.values()], marks, keys, depth);
  }

  protected override known(value: object, depth: number): string | undefined {
    if (value instanceof Set) return this.array([...value], depth + 1);
    const text = wordFor(value);
    if (text !== undefined) return utf8String(text);
    if (value instanceof Extension || typeof (value as { __html__?: unknown }).__html__ === 'function') {
      throw new SessionEncodeError('markup or an extension type cannot be stored in a JSON record');
    }
    return undefined;
  }
}

/** The text that stands for a value of Python's standard types, as a value and as a key. */
function wordFor(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return encodeBase64(value);
  if (value instanceof Date) return isoDateTime(value);
  if (value instanceof PlainDate) return value.iso;
  if (value instanceof PlainTime) return isoTime(value.iso);
  if (value instanceof TimeDelta) return value.toJSON();
  if (value instanceof UUID) return value.value;
  if (value instanceof Decimal) return value.text;
  return undefined;
}

/** `2024-01-02T03:04:05.678901+05:30`: a fraction only if there is one, then of six digits; UTC as `Z`. */
function isoDateTime(date: Date): string {
  const { microsecond, offset } = date instanceof DateTime ? date : { microsecond: 0, offset: 0 };
  const wall = new Date(date.getTime() + (offset ?? 0) * 1000);
  const year = wall.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) throw new SessionEncodeError('a date outside of the years 1 to 9999');
  const fraction = wall.getUTCMilliseconds() * 1000 + microsecond;
  const digits = fraction === 0 ? '' : `.${String(fraction).padStart(6, '0')}`;
  return wall.toISOString().slice(0, 19) + digits + (offset === null ? '' : isoOffset(offset));
}

/** In whole minutes; half a minute and less is dropped. */
function isoOffset(seconds: number): string {
  const minutes = Math.ceil((Math.abs(seconds) - 30) / 60) % 1440;
  if (minutes <= 0) return 'Z';
  const digits = (n: number) => String(Math.floor(n)).padStart(2, '0');
  return `${seconds < 0 ? '-' : '+'}${digits(minutes / 60)}:${digits(minutes % 60)}`;
}

/** Python's isoformat of a time, with its offset as msgspec writes it. */
function isoTime(iso: string): string {
  return iso.replace(/([+-])(\d\d):(\d\d)(?::(\d\d))?$/, (_, sign, hours, minutes, seconds = '0') => {
    return isoOffset((sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)));
  });
}

/** @throws SessionEncodeError for what is neither text nor like a number: booleans, None, tuples */
function keyText(key: unknown): string {
  if (typeof key === 'string') return key;
  if (typeof key === 'bigint') return integerText(key);
  if (key instanceof Float) return floatKey(key.value);
  // A Map has no -0 among its keys.
  if (typeof key === 'number') return Number.isInteger(key) ? integerText(key) : floatKey(key);
  const text = wordFor(key);
  if (text === undefined) throw new SessionEncodeError('a key that is neither text nor a number');
  return text;
}

function floatKey(x: number): string {
  if (Number.isNaN(x)) return 'nan';
  return Number.isFinite(x) ? msgspecFloat(x) : x > 0 ? 'inf' : '-inf';
}
