/** Arbitrary values for the tests of both JSON formats. */
import fc from 'fast-check';
import type { Patch } from '../../../src/codecs/codec.ts';
import { Decimal, Float, Markup, PlainDate, setOwn, Tuple, UUID } from '../../../src/codecs/values.ts';

export const NOTHING: Patch = { cleared: false, entries: new Map(), moved: new Set() };

export function patch(entries: Iterable<readonly [string, unknown]>, options: Partial<Patch> = {}): Patch {
  return { ...NOTHING, ...options, entries: new Map(entries) };
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(record: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(record);
}

/** Text of whole characters, many of them such that have to be escaped somewhere. */
export const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', '\\', '/', '\n', '\0', '\x7f', 'é', '\u2028', '\uffff', '😀', ': 1.0', ' ') }),
);

/** Any UTF-16 at all. */
export const anyUnits = fc
  .array(fc.oneof(fc.nat(0xffff), fc.integer({ min: 0xd7fe, max: 0xe001 })), { maxLength: 8 })
  .map((units) => String.fromCharCode(...units));

export const keyText = fc.oneof(
  fc.constantFrom(' t', ' di', ' b', ' m', ' u', ' d', ' t__', '__proto__', 'constructor', 'toJSON_', '9', '10', ''),
  anyText,
);

const wholeFloats = fc.oneof(fc.constantFrom(0, 1, -1, 1e15, 1e16, 1e21, 1e22, -1e300, 2 ** 53), fc.maxSafeInteger());
export const numbers = fc.oneof(
  fc.maxSafeInteger(),
  fc.bigInt().filter((n) => !Number.isSafeInteger(Number(n))),
  fc.double({ noNaN: true, noInteger: true, noDefaultInfinity: true }),
  fc.constantFrom(-0, 1e-4, 9.99e-5, 1e-5, 9.99e-6, 1.5, 123456789.123456, 5e-324),
  wholeFloats.map((n) => new Float(n)),
);

export function objectOf(value: fc.Arbitrary<unknown>, key: fc.Arbitrary<string>): fc.Arbitrary<object> {
  return fc.array(fc.tuple(key, value), { maxLength: 4 }).map((members) => {
    const object = {};
    for (const [name, member] of members) setOwn(object, name, member);
    return object;
  });
}

/** Values that both formats give back as they were. */
export function plainValues(strings: fc.Arbitrary<string>, ...more: fc.Arbitrary<unknown>[]): fc.Arbitrary<unknown> {
  return fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(fc.constantFrom(null, true, false), strings, numbers),
      ...more,
      fc.array(tie('value'), { maxLength: 4 }),
      objectOf(tie('value'), fc.oneof(keyText, strings)),
    ),
  })).value;
}

/** What tagged JSON holds beside them. */
export const taggedValues = plainValues(
  anyUnits,
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  fc.uint8Array({ maxLength: 20 }),
  anyUnits.map((html) => new Markup(html)),
  fc.uuid().map((uuid) => new UUID(uuid)),
  fc.integer({ min: -59_000_000_000, max: 253_402_300_799 }).map((seconds) => new Date(seconds * 1000)),
  fc.array(fc.oneof(anyUnits, numbers, fc.constant(new Tuple())), { maxLength: 3 }).map((items) => Tuple.from(items)),
);

/** Any JavaScript value that a handler might put into a session, the hopeless ones included. */
export const anythingAtAll = fc.oneof(
  fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true,
  }),
  fc.constantFrom<unknown>(
    Symbol('s'),
    () => 1,
    /x/,
    new Error('no'),
    Promise.resolve(1),
    new WeakMap(),
    new ArrayBuffer(2),
    new DataView(new ArrayBuffer(2)),
    new Date(Number.NaN),
    new Date(-9e14),
    new PlainDate('2024-02-31'),
    new PlainDate('never'),
    new Decimal('"\ud800'),
    new URL('https://example.org/'),
    { toJSON: () => undefined },
    { toJSON: () => ({ toJSON: () => [undefined] }) },
    {
      toJSON() {
        return this;
      },
    },
    {
      toJSON(): never {
        throw new RangeError('mine');
      },
    },
    {
      get broken(): never {
        throw new TypeError('mine');
      },
    },
    { __html__: () => '<b>' },
    { __html__: 'no function' },
    new Proxy({}, { ownKeys: () => Promise.reject().catch(() => {}) as never }),
    Object.create(null),
  ),
);
