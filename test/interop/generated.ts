/** Session dictionaries as handlers write them, by fast-check: every type that a format can hold, and some that it cannot. */
import fc from 'fast-check';
import {
  ByteArray,
  DateTime,
  Decimal,
  Float,
  FrozenSet,
  Markup,
  PlainDate,
  PlainTime,
  setOwn,
  TimeDelta,
  Tuple,
  UUID,
} from '../../src/codecs/values.ts';
import { toNotation } from '../vectors/notation.ts';
import type { Kind } from './crossing.ts';

const TAGS = [' di', ' t', ' b', ' m', ' u', ' d'];
const ODD_KEYS = [...TAGS, '__proto__', 'constructor', '', '0', '17', '-1', '_permanent', ' t__', 'toString'];

export type Dictionary = ReadonlyMap<string, unknown>;

export function dictionaries(kind: Kind, count: number, seed: number): Dictionary[] {
  return fc.sample(dictionary(kind), { numRuns: count, seed });
}

function dictionary(kind: Kind): fc.Arbitrary<Dictionary> {
  const lonely = kind === 'cookie' || kind === 'pickle';
  const text = fc.oneof(
    { weight: 6, arbitrary: fc.string({ maxLength: 20 }) },
    { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
    { weight: 1, arbitrary: fc.string({ minLength: 28, maxLength: 300 }) },
    ...(lonely ? [{ weight: 1, arbitrary: fc.string({ maxLength: 3 }).map((t) => `${t}\ud800.`) }] : []),
  );
  const key = fc.oneof({ weight: 20, arbitrary: text }, { weight: 1, arbitrary: fc.constantFrom(...ODD_KEYS) });
  const values = valuesOf(kind, text, key);
  return fc.array(fc.tuple(key, values), { maxLength: 8 }).map((pairs) => new Map(pairs));
}

function valuesOf(kind: Kind, text: fc.Arbitrary<string>, key: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  const scalars = [...scalarsOf(kind, text), ...exactScalars(kind)];
  const hashable = fc.oneof(text, fc.integer(), fc.uint8Array({ maxLength: 8 }), fc.boolean());
  const { value } = fc.letrec<{ value: unknown }>((tie) => {
    const array = fc.array(tie('value'), { maxLength: 5 });
    const pairs = fc.array(fc.tuple(key, tie('value')), { maxLength: 5 });
    const containers: fc.Arbitrary<unknown>[] = [
      array,
      array.map((items) => Tuple.from(items)),
      pairs.map(plainObject),
      pairs.map((entries) => new Map(entries)),
      fc.tuple(fc.constantFrom(...TAGS), tie('value')).map((pair) => plainObject([pair])),
      // Two objects may be one key to Python.
      fc
        .uniqueArray(fc.tuple(otherKey(kind), tie('value')), { maxLength: 3, selector: ([own]) => spelled(own) })
        .map((entries) => new Map(entries)),
    ];
    if (kind !== 'cookie') {
      // Python has an order of its own for the members of a set; with one there is nothing to order.
      const members = fc.array(hashable, { maxLength: kind === 'pickle' ? 4 : 1 });
      containers.push(
        members.map((items) => new Set(items)),
        members.map((items) => new FrozenSet(items)),
      );
    }
    return {
      value: fc.oneof({ depthSize: 'small' }, ...scalars.map((arbitrary) => ({ weight: 3, arbitrary })), ...containers),
    };
  });
  return value;
}

function scalarsOf(kind: Kind, text: fc.Arbitrary<string>): fc.Arbitrary<unknown>[] {
  const bigInt = kind === 'msgpack' ? fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }) : fc.bigInt();
  const markup = text.map((html) => new Markup(html));
  return [
    text,
    text,
    fc.boolean(),
    fc.constant(null),
    fc.integer({ min: -200, max: 300 }),
    fc.maxSafeInteger(),
    bigInt.map((big) => (Number.isSafeInteger(Number(big)) ? Number(big) : big)),
    fc.double().map(pythonFloat),
    fc.integer({ min: -1000, max: 1000 }).map((n) => new Float(n)),
    fc.uint8Array({ maxLength: 40 }),
    fc.uuid().map((uuid) => new UUID(uuid)),
    fc.date({ noInvalidDate: true, min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z') }),
    kind === 'cookie' || kind === 'pickle' ? markup : fc.oneof({ weight: 60, arbitrary: text }, ...REFUSED[kind]),
  ];
}

/** Now and then a value that the format does not hold. */
const REFUSED = {
  msgpack: [fc.constant(2n ** 64n), fc.constant(new Markup('<b>')), fc.constant('\udfff')],
  json: [fc.constant(new Markup('<b>')), fc.constant('\udfff')],
};

/** A whole number is an int unless it says otherwise. */
function pythonFloat(x: number): unknown {
  return Number.isInteger(x) && !Object.is(x, -0) ? new Float(x) : x;
}

const day = fc.date({ noInvalidDate: true, min: new Date('0002-01-01'), max: new Date('9998-12-30') });
const isoDay = day.map((date) => date.toISOString().slice(0, 10));
const two = (n: number) => String(n).padStart(2, '0');
const isoTime = fc
  .tuple(fc.nat(23), fc.nat(59), fc.nat(59), fc.option(fc.integer({ min: 1, max: 999_999 })))
  .map(([h, m, s, micros]) => `${two(h)}:${two(m)}:${two(s)}${micros ? `.${String(micros).padStart(6, '0')}` : ''}`);

/** Python's own types. */
function exactScalars(kind: Kind): fc.Arbitrary<unknown>[] {
  const both = [
    fc
      .tuple(day, fc.nat(999), fc.option(fc.integer({ min: -86_399, max: 86_399 })))
      .map(([date, micros, offset]) => new DateTime(date.getTime(), micros, offset)),
    isoDay.map((iso) => new PlainDate(iso)),
    fc
      .tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: -30, max: 30 }))
      .map(([digits, exponent]) => new Decimal(pythonDecimal(digits, exponent))),
  ];
  if (kind === 'cookie') return both;
  return [
    ...both,
    fc.uint8Array({ maxLength: 12 }).map((bytes) => new ByteArray(bytes)),
    isoTime.map((iso) => new PlainTime(iso)),
    fc
      .tuple(fc.integer({ min: -999_999, max: 999_999 }), fc.nat(86_399), fc.nat(999_999))
      .map(([days, seconds, micros]) => new TimeDelta(days, seconds, micros)),
  ];
}

/** As `str()` of a Decimal spells it, so that the text survives the way through one. */
function pythonDecimal(digits: bigint, exponent: number): string {
  const sign = digits < 0n ? '-' : '';
  const text = String(digits < 0n ? -digits : digits);
  const adjusted = exponent + text.length - 1;
  if (exponent <= 0 && adjusted >= -6) {
    if (exponent === 0) return sign + text;
    const padded = text.padStart(1 - exponent, '0');
    return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
  }
  const mantissa = text.length > 1 ? `${text[0]}.${text.slice(1)}` : text;
  return `${sign}${mantissa}E${adjusted < 0 ? '' : '+'}${adjusted}`;
}

/** Keys that are not text, as far as the format has them; in a cookie they have to be sortable. */
function otherKey(kind: Kind): fc.Arbitrary<unknown> {
  const keys: fc.Arbitrary<unknown>[] = [
    fc.integer(),
    fc.double({ noNaN: true }).filter((x) => !Number.isInteger(x)),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n }),
  ];
  if (kind === 'json') keys.push(isoDay.map((iso) => new PlainDate(iso)));
  if (kind === 'msgpack' || kind === 'pickle') {
    const tuple = fc.integer().map((n) => Tuple.of<unknown>(n, 'x'));
    keys.push(
      fc.constant(null),
      tuple,
      fc.uuid().map((uuid) => new UUID(uuid)),
    );
  }
  return fc.oneof(...keys);
}

function spelled(key: unknown): string {
  return JSON.stringify(toNotation(key));
}

function plainObject(entries: readonly (readonly [string, unknown])[]): object {
  const object = {};
  for (const [key, value] of entries) setOwn(object, key, value);
  return object;
}
