/** What holds for all values and all bytes, tried on random ones. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type OpenRecord, type Patch, REMOVED } from '../../../src/codecs/codec.ts';
import { msgpack } from '../../../src/codecs/msgpack.ts';
import { DateTime, Extension, Float, Tuple } from '../../../src/codecs/values.ts';
import { SessionDecodeError, SessionEncodeError } from '../../../src/errors.ts';
import { canonical, toNotation } from '../../vectors/notation.ts';

const patchOf = (entries: Map<string, unknown>, cleared = false, moved = new Set<string>()): Patch => ({
  cleared,
  entries,
  moved,
});
const write = (values: Record<string, unknown>) => msgpack.write(undefined, patchOf(new Map(Object.entries(values))));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

const text = fc.string({ unit: 'binary', maxLength: 60 });
const date = fc.date({
  min: new Date('0001-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
});
const scalar = fc.oneof(
  text,
  fc.constantFrom(null, true, false),
  fc.maxSafeInteger(),
  fc.integer({ min: -70_000, max: 70_000 }),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
  fc.double().filter((x) => !Number.isInteger(x) || Object.is(x, -0)),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => new Float(Math.trunc(x))),
  fc.uint8Array({ maxLength: 300 }),
  date,
  fc.tuple(date, fc.integer({ min: 1, max: 999 })).map(([day, micros]) => new DateTime(day.getTime(), micros)),
  fc
    .tuple(fc.integer({ min: -128, max: 127 }), fc.uint8Array({ maxLength: 20 }))
    .filter(([type]) => type !== -1)
    .map(([type, data]) => new Extension(type, data)),
);
const notText = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(null, true, false),
  fc.uint8Array({ maxLength: 4 }),
  date,
  fc.array(fc.oneof(text, fc.integer()), { maxLength: 3 }).map((items) => Tuple.from(items)),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(text, tie('value'), { maxKeys: 20 }),
    fc
      .tuple(fc.array(fc.tuple(fc.oneof(text, notText), tie('value')), { maxLength: 4 }), notText, tie('value'))
      .map(([pairs, key, last]) => new Map<unknown, unknown>([...pairs, [key, last]])),
  ),
}));

/** Extensions by their data, which the notation of the vectors leaves out. */
const notation = (x: unknown) => (x instanceof Extension ? ['ext', x.type, hex(x.data)] : canonical(toNotation(x)));

describe('values', () => {
  test('what is written reads back as it was', () => {
    fc.assert(
      fc.property(value, (x) => {
        const bytes = write({ x });
        const back = msgpack.open(bytes).get('x');
        expect(notation(back)).toEqual(notation(x));
        expect(hex(write({ x: back }))).toBe(hex(bytes));
      }),
      { numRuns: 400 },
    );
  });

  test('a value is the same as what it is read as, and another value is not', () => {
    fc.assert(
      fc.property(value, value, (x, y) => {
        const record = msgpack.open(write({ x }));
        expect(record.same('x', x)).toBe(true);
        expect(record.same('x', record.get('x'))).toBe(true);
        expect(record.same('x', y)).toBe(hex(write({ x: y })) === hex(write({ x })));
      }),
      { numRuns: 200 },
    );
  });

  test('whatever is set, it is written so that it can be read, or refused by the documented error', () => {
    const anything = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
      stringUnit: fc.oneof(fc.string({ unit: 'binary', maxLength: 2 }), fc.constantFrom('\ud800', '\udc00')),
      values: [
        fc.anything(),
        fc.constantFrom<unknown>(
          Symbol('s'),
          () => 1,
          class {},
          new Error('e'),
          Promise.resolve(),
          new WeakMap(),
          /x/g,
        ),
        fc.constantFrom('toJSON', '__html__', '__proto__', 'constructor'),
      ],
      key: fc.oneof(fc.string(), fc.constantFrom('toJSON', '__html__', '__proto__', 'valueOf', 'length')),
    });
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), anything, (key, x) => {
        let bytes: Uint8Array;
        try {
          bytes = write({ [key]: x });
        } catch (error) {
          expect(error).toBeInstanceOf(SessionEncodeError);
          return;
        }
        const record = msgpack.open(bytes);
        expect(record.keys()).toEqual(x === undefined ? [] : [key]);
        record.get(key);
      }),
      { numRuns: 1000 },
    );
  });
});

/** Does all that can be done with a record. */
function exercise(bytes: Uint8Array): void {
  let record: OpenRecord;
  try {
    record = msgpack.open(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(SessionDecodeError);
    return;
  }
  for (const key of record.keys()) {
    expect(record.has(key)).toBe(true);
    try {
      const read = record.get(key);
      expect(record.same(key, read)).toBe(true);
    } catch (error) {
      expect(error).toBeInstanceOf(SessionDecodeError);
      expect(record.same(key, 1)).toBe(false);
    }
  }
  // A copy is a record of the same keys, even where a value cannot be read.
  const copy = msgpack.open(msgpack.write(record, patchOf(new Map([['\0added', 1]]))));
  expect(copy.keys()).toEqual([...new Set([...record.keys(), '\0added'])]);
  expect(copy.size).toBe(record.size + (record.has('\0added') ? 0 : 1));
}

describe('bytes', () => {
  const lead = fc.constantFrom(0x80, 0x81, 0x82, 0x90, 0x91, 0x92, 0xc0, 0xdc, 0xdd, 0xde, 0xdf);

  test('arbitrary bytes', () => {
    const bytes = fc
      .tuple(lead, fc.uint8Array({ maxLength: 40 }))
      .map(([first, rest]) => new Uint8Array([first, ...rest]));
    fc.assert(fc.property(fc.oneof(bytes, fc.uint8Array()), exercise), { numRuns: 3000 });
  });

  test('records with a few bytes changed, put in or taken out', () => {
    const head = fc.oneof(
      fc.nat(255),
      fc.constantFrom(0x00, 0x7f, 0x81, 0x91, 0xa1, 0xc1, 0xc4, 0xc7, 0xcb, 0xcf, 0xd6, 0xd7, 0xd9, 0xdf, 0xff),
    );
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(2), head), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.dictionary(text, value, { maxKeys: 20 }), changes, (values, edits) => {
        const bytes = [...write(values)];
        for (const [where, removed, byte] of edits) bytes.splice(where % (bytes.length + 1), removed, byte);
        exercise(new Uint8Array(bytes));
      }),
      { numRuns: 1500 },
    );
  });

  test('records cut anywhere are refused', () => {
    fc.assert(
      fc.property(fc.dictionary(text, value, { minKeys: 1, maxKeys: 5 }), fc.nat(), (values, where) => {
        const bytes = write(values);
        expect(() => msgpack.open(bytes.subarray(0, where % bytes.length))).toThrow(SessionDecodeError);
      }),
      { numRuns: 300 },
    );
  });
});

describe('patches', () => {
  // Few names, so that base and patch meet; more than sixteen, so that both kinds of look-up are used.
  const name = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz', '', '__proto__', 'é', '10', '9', 'a'.repeat(40));
  const patch = fc.record({
    cleared: fc.boolean(),
    entries: fc.array(fc.tuple(name, fc.oneof(fc.constant(REMOVED), fc.constant(undefined), value)), { maxLength: 12 }),
    moved: fc.uniqueArray(name, { maxLength: 6 }),
  });

  /** A Python dict under the same patch. */
  function patched(base: ReadonlyMap<string, unknown>, { cleared, entries, moved }: Patch): Map<string, unknown> {
    const result = new Map(cleared ? [] : base);
    for (const [key, x] of entries) {
      if (x === REMOVED || x === undefined || moved.has(key)) result.delete(key);
      if (x !== REMOVED && x !== undefined) result.set(key, x);
    }
    return result;
  }

  function foreign(values: ReadonlyMap<string, unknown>): OpenRecord {
    return {
      size: values.size,
      has: (key) => values.has(key),
      get: (key) => values.get(key),
      keys: () => [...values.keys()],
      same: () => false,
    };
  }

  test('a record under a patch is what a dict would be', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, value), { maxLength: 24 }),
        fc.array(patch, { minLength: 1, maxLength: 3 }),
        (pairs, list) => {
          let model = new Map<string, unknown>(pairs);
          let bytes = msgpack.write(undefined, patchOf(model));
          for (const { cleared, entries, moved } of list) {
            const known = new Map<string, unknown>(entries);
            const next = patchOf(known, cleared, new Set(moved.filter((key) => known.has(key))));
            const base = msgpack.open(bytes);
            const elsewhere = msgpack.write(foreign(model), next);
            bytes = msgpack.write(base, next);
            model = patched(model, next);
            expect(hex(bytes)).toBe(hex(msgpack.write(undefined, patchOf(model))));
            expect(hex(elsewhere)).toBe(hex(bytes));
            expect(msgpack.open(bytes).keys()).toEqual([...model.keys()]);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
