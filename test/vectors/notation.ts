/**
 * The vectors' notation for Python values (data/README.md) and the values of this package, both ways. `canonical` makes two
 * notations comparable: the order of a dict and of a set carries no meaning there.
 */
import {
  ByteArray,
  DateTime,
  Decimal,
  Extension,
  Float,
  FrozenSet,
  floatMarks,
  isMarked,
  Markup,
  PlainDate,
  PlainTime,
  setOwn,
  TimeDelta,
  Tuple,
  UUID,
} from '../../src/codecs/values.ts';

// biome-ignore lint/suspicious/noExplicitAny: the notation is a recursive union that JSON.parse cannot type
export type Notation = any;

const INTEGER_LIKE = /^(0|[1-9]\d*)$/;

/** A stand-in for what no format can hold (Python's complex numbers, arbitrary objects). */
export const UNENCODABLE = (): void => {};

export function toValue(n: Notation): unknown {
  if (n === null || typeof n === 'boolean' || typeof n === 'string') return n;
  const [type, a, b, c] = n as [string, Notation, Notation, Notation];
  switch (type) {
    case 'int': {
      const big = BigInt(a);
      return Number.isSafeInteger(Number(big)) ? Number(big) : big;
    }
    case 'float': {
      const number = a === 'nan' ? Number.NaN : Number(String(a).replace('inf', 'Infinity'));
      return Number.isInteger(number) ? new Float(number) : number;
    }
    case 'list':
      return a.map(toValue);
    case 'tuple':
      return Tuple.from(a.map(toValue));
    case 'set':
      return new Set(a.map(toValue));
    case 'frozenset':
      return new FrozenSet(a.map(toValue));
    case 'dict':
    case 'ordereddict': {
      const pairs = (a as [Notation, Notation][]).map(([k, v]) => [toValue(k), toValue(v)] as const);
      // A JavaScript object would move integer-like keys to the front: a Map keeps the order that the bytes show.
      if (!pairs.every(([k]) => typeof k === 'string' && !INTEGER_LIKE.test(k))) return new Map(pairs);
      const object = {};
      for (const [k, v] of pairs) setOwn(object, k as string, v);
      return object;
    }
    case 'bytes':
      return new Uint8Array(Buffer.from(a, 'hex'));
    case 'bytearray':
      return new ByteArray(Buffer.from(a, 'hex'));
    case 'markup':
      return new Markup(a);
    case 'uuid':
      return new UUID(a);
    case 'decimal':
      return new Decimal(a);
    case 'date':
      return new PlainDate(a);
    case 'time':
      return new PlainTime(a);
    case 'timedelta':
      return new TimeDelta(a, b, c);
    case 'datetime':
      return parseDateTime(a);
    case 'complex':
    case 'object':
      return UNENCODABLE;
    default:
      throw new Error(`unknown notation ${type}`);
  }
}

function parseDateTime(iso: string): Date {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{6}))?(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(iso);
  if (!match) throw new Error(`not a datetime: ${iso}`);
  const micros = Number(match[2] ?? 0);
  const sign = match[3] === '-' ? -1 : 1;
  const offset = match[3] ? sign * (Number(match[4]) * 3600 + Number(match[5]) * 60 + Number(match[6] ?? 0)) : null;
  const time = Date.parse(`${match[1]}Z`) + Math.floor(micros / 1000) - (offset ?? 0) * 1000;
  return offset === 0 && micros % 1000 === 0 ? new Date(time) : new DateTime(time, micros % 1000, offset);
}

/** Python's repr of a float. */
export function floatRepr(x: number): string {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  if (Object.is(x, -0)) return '-0.0';
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [mantissa, exponent] = x.toExponential().split('e') as [string, string];
    return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
  }
  const text = size < 1e-6 ? x.toFixed(20) : String(x);
  return Number.isInteger(x) ? `${BigInt(x)}.0` : text;
}

export function toNotation(value: unknown, isFloat = false): Notation {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'bigint') return ['int', String(value)];
  if (typeof value === 'number') {
    if (isFloat || !Number.isInteger(value) || Object.is(value, -0)) return ['float', floatRepr(value)];
    return ['int', String(BigInt(value))];
  }
  if (value instanceof Float) return ['float', floatRepr(value.value)];
  if (value instanceof ByteArray) return ['bytearray', Buffer.from(value).toString('hex')];
  if (value instanceof Uint8Array) return ['bytes', Buffer.from(value).toString('hex')];
  if (value instanceof Markup) return ['markup', value.html];
  if (value instanceof UUID) return ['uuid', value.value];
  if (value instanceof Decimal) return ['decimal', value.text];
  if (value instanceof PlainDate) return ['date', value.iso];
  if (value instanceof PlainTime) return ['time', value.iso];
  if (value instanceof TimeDelta) return ['timedelta', value.days, value.seconds, value.microseconds];
  if (value instanceof DateTime) return ['datetime', value.toISOString()];
  if (value instanceof Date) return ['datetime', new DateTime(value.getTime()).toISOString()];
  if (value instanceof Extension) return ['object', 'msgspec.msgpack.Ext'];
  const marks = typeof value === 'object' && value !== null ? floatMarks(value) : undefined;
  const items = (list: Iterable<unknown>) => [...list].map((item, i) => toNotation(item, isMarked(marks, i, item)));
  if (value instanceof Tuple) return ['tuple', items(value)];
  if (Array.isArray(value)) return ['list', items(value)];
  if (value instanceof FrozenSet) return ['frozenset', items(value)];
  if (value instanceof Set) return ['set', items(value)];
  const pairs = value instanceof Map ? [...value] : Object.entries(value as object);
  return ['dict', pairs.map(([k, v]) => [toNotation(k), toNotation(v, isMarked(marks, k as string | number, v))])];
}

/** Sorted dicts and sets, `ordereddict` as `dict`: for comparing two notations with `toEqual`. */
export function canonical(n: Notation): Notation {
  if (!Array.isArray(n)) return n;
  const [type, items] = n;
  const key = (x: Notation) => JSON.stringify(x);
  const by = (x: Notation, y: Notation) => (key(x) < key(y) ? -1 : 1);
  if (type === 'dict' || type === 'ordereddict') {
    return ['dict', items.map(([k, v]: [Notation, Notation]) => [canonical(k), canonical(v)]).sort(by)];
  }
  if (type === 'set' || type === 'frozenset') return [type, items.map(canonical).sort(by)];
  if (type === 'list' || type === 'tuple') return [type, items.map(canonical)];
  if (type === 'int') return ['int', String(BigInt(items))];
  return n;
}
