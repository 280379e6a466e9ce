/** What we write, unpickled by a real Python: the same values, and the very bytes that CPython 3.11 writes for them. */
import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OrderedDict } from '../../../src/codecs/pickle-globals.ts';
import { encodePickle } from '../../../src/codecs/pickle-write.ts';
import {
  ByteArray,
  DateTime,
  Decimal,
  Float,
  FrozenSet,
  Markup,
  PlainDate,
  PlainTime,
  TimeDelta,
  Tuple,
  UUID,
} from '../../../src/codecs/values.ts';
import { canonical, type Notation, toNotation } from '../../vectors/notation.ts';

/** Reads pickles in hexadecimal, a line each; prints the value in the vectors' notation and Python's own pickle of it. */
const SCRIPT = `
import sys, json, pickle, types, datetime as dt, uuid, decimal, collections
try:
    import markupsafe
except ImportError:
    markupsafe = types.ModuleType('markupsafe')
    markupsafe.Markup = type('Markup', (str,), {'__slots__': (), '__module__': 'markupsafe', '__qualname__': 'Markup'})
    sys.modules['markupsafe'] = markupsafe
def n(v):
    t = type(v)
    if v is None or t is bool or t is str: return v
    if t is int: return ['int', str(v)]
    if t is float: return ['float', repr(v)]
    if t in (list, tuple, set, frozenset): return [t.__name__, [n(x) for x in v]]
    if t in (dict, collections.OrderedDict): return [t.__name__.lower(), [[n(k), n(x)] for k, x in v.items()]]
    if t in (bytes, bytearray): return [t.__name__, v.hex()]
    if t is markupsafe.Markup: return ['markup', str(v)]
    if t is uuid.UUID: return ['uuid', str(v)]
    if t is decimal.Decimal: return ['decimal', str(v)]
    if t in (dt.datetime, dt.date, dt.time): return [t.__name__, v.isoformat()]
    if t is dt.timedelta: return ['timedelta', v.days, v.seconds, v.microseconds]
    raise TypeError(t)
for line in sys.stdin:
    data = bytes.fromhex(line)
    value = pickle.loads(data)
    print(json.dumps([n(value), sys.version_info[:2] != (3, 11) or pickle.dumps(value, 5) == data]))
`;

const probe = spawnSync('python3', ['-c', 'import sys; print(sys.version_info >= (3, 8))'], { encoding: 'utf8' });
const missing = probe.error || probe.stdout.trim() !== 'True' ? 'no python3 of 3.8 or later on PATH' : undefined;

interface Unpickled {
  value: Notation;
  /** Whether Python writes the same bytes for what it read; which objects it has only once depends on its version: 3.11. */
  exact: boolean;
}

function inPython(pickles: readonly Uint8Array[]): Unpickled[] {
  const input = pickles.map((bytes) => `${Buffer.from(bytes).toString('hex')}\n`).join('');
  const output = execFileSync('python3', ['-c', SCRIPT], { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  const lines = output.trim().split('\n');
  return lines.map((line) => JSON.parse(line)).map(([value, exact]) => ({ value, exact }));
}

function expectInPython(values: readonly unknown[]): void {
  if (missing) {
    process.stdout.write(`not compared with Python: ${missing}\n`);
    return;
  }
  const results = inPython(values.map(encodePickle));
  expect(results).toHaveLength(values.length);
  for (const [i, { value, exact }] of results.entries()) {
    const mine = toNotation(values[i]);
    expect(canonical(value)).toEqual(canonical(mine));
    expect(exact, JSON.stringify(mine).slice(0, 300)).toBe(true);
  }
}

test('each type', () => {
  const uuid = new UUID('12345678-1234-5678-1234-567812345678');
  expectInPython([
    null,
    true,
    [
      0,
      255,
      256,
      65_535,
      65_536,
      -1,
      2 ** 31 - 1,
      2 ** 31,
      -(2 ** 31),
      -(2 ** 31) - 1,
      2n ** 64n,
      -(2n ** 64n),
      10n ** 4000n,
    ],
    [new Float(1), 0.1, 1e22, -0, Number.NaN, Infinity, -Infinity, new Float(1e22), 5e-324],
    ['', 'a', 'é', '你好 😀', '\ud800', 'a\udc00b', '\0\n', 'x'.repeat(255), 'x'.repeat(256), 'é'.repeat(128)],
    [
      new Uint8Array(),
      new Uint8Array([0]),
      new Uint8Array([0]),
      new Uint8Array(300),
      new ByteArray(),
      new ByteArray([1, 255]),
    ],
    [new Tuple(), Tuple.of(1), Tuple.of(1, 2), Tuple.of(1, 2, 3), Tuple.of(1, 2, 3, 4), [], [[]], {}],
    [new Set(), new Set([1]), new FrozenSet(), new FrozenSet(['x']), new OrderedDict(), new OrderedDict([['a', 1]])],
    [
      new OrderedDict([
        ['a', 1],
        ['b', new OrderedDict()],
      ] as [string, unknown][]),
    ],
    new Map<unknown, unknown>([
      [1, 'i'],
      [null, 'n'],
      [Tuple.of(1, 2), 't'],
      [2.5, 'f'],
      [new FrozenSet([1]), 'fs'],
      [uuid, 'u'],
    ]),
    [new Date(0), new Date(-62135596800000), new Date(253402300799999), new Date(1), new DateTime(1e12, 1, 0)],
    [
      new DateTime(1e12, 999, null),
      new DateTime(1e12, 0, 19_800),
      new DateTime(1e12, 0, -1),
      new DateTime(1e12, 0, -86_399),
    ],
    [new PlainDate('2024-07-04'), new PlainDate('0001-01-01'), new PlainDate('9999-12-31')],
    [
      new PlainTime('01:02:03'),
      new PlainTime('23:59:59.999999'),
      new PlainTime('01:02:03.000100-05:30'),
      new PlainTime('00:00:00+00:00'),
    ],
    [new TimeDelta(1, 5), new TimeDelta(-1, 86_399, 999_999), new TimeDelta(999_999_999), new TimeDelta(0)],
    [uuid, uuid, new UUID('0'.repeat(32)), new UUID('f'.repeat(32))],
    [
      new Decimal('1.50'),
      new Decimal('NaN'),
      new Decimal('-Infinity'),
      new Decimal('1E+400'),
      new Decimal('-0.0'),
      '5',
      new Decimal('5'),
      '55',
      new Decimal('55'),
    ],
    [new Markup('<b>'), new Markup('<b>'), '<b>', new Markup(''), new Markup(''), '', 'a', new Markup('a')],
  ]);
});

test('shared parts', () => {
  const list = ['same'];
  const when: object = new Date(5);
  const tuple = Tuple.of<unknown>(list, when);
  expectInPython([
    { a: list, b: list, c: [list] },
    [when, when, tuple, tuple, [tuple]],
    [
      { id: 1, name: 'é' },
      { id: 2, name: 'é' },
    ],
  ]);
});

test('long containers, in their batches', () => {
  const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);
  expectInPython(
    [1, 2, 999, 1000, 1001, 2000, 2001].flatMap((n) => [
      numbers(n),
      new Map(numbers(n).map((i) => [i, null])),
      new OrderedDict(numbers(n).map((i) => [i, null])),
      Tuple.from(numbers(n)),
      new Set(numbers(n)),
      new FrozenSet(numbers(n)),
    ]),
  );
});

test('frames, wherever they end', () => {
  const dates = (n: number) =>
    Array.from({ length: n }, (_, i) => [
      new DateTime(i * 1e9, 1, i % 3 ? 0 : 60 * (i % 1000)),
      new UUID(i.toString(16).padStart(32, '0')),
      new TimeDelta(i, i),
      new Decimal(`${i}.5`),
      new Markup(`<${i}>`),
      new PlainTime('01:02:03+01:00'),
      { [`k${i}`]: new Uint8Array(i % 300), t: Tuple.of<unknown>(i, i * 1e6, `v${i}`) },
    ]);
  const large = [65_534, 65_535, 65_536, 65_537, 200_000];
  expectInPython([
    ...large.map((n) => 'x'.repeat(n)),
    ...large.map((n) => [1, 'x'.repeat(n), 2, 'é'.repeat(n >> 1), new Uint8Array(n), new ByteArray(n), 3] as unknown[]),
    ...large.map((n) => ['x'.repeat(n - 65_500), ...new Array<unknown>(70_000).fill(1.5)]),
    // Different paddings let the boundary fall on every part of a value.
    ...Array.from({ length: 120 }, (_, i) => ['p'.repeat(60_000 + 7 * i), ...dates(40)]),
    dates(2000),
  ]);
}, 120_000);

test('any data', () => {
  // Names of classes, and `int`, are interned texts in Python: a text that is equal but was read from a pickle is another object.
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.string({ maxLength: 300 }));
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      text,
      fc.boolean(),
      fc.constant(null),
      fc.integer(),
      fc.bigInt({ min: -(2n ** 90n), max: 2n ** 90n }),
      fc.double().map((x) => (Number.isInteger(x) ? new Float(x) : x)),
      fc.uint8Array({ maxLength: 20 }),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => new ByteArray(bytes)),
      fc.subarray([0, 1, 2, 3]).map((members) => new Set(members)),
      fc.subarray([0, 1, 2, 3]).map((members) => new FrozenSet(members)),
      fc.date({ noInvalidDate: true, min: new Date('0001-01-02'), max: new Date('9999-12-30') }),
      fc
        .tuple(fc.integer({ min: 0, max: 4e12 }), fc.nat(999), fc.option(fc.integer({ min: -86_399, max: 86_399 })))
        .map(([time, micros, offset]) => new DateTime(time, micros, offset)),
      fc.uuid().map((uuid) => new UUID(uuid)),
      text.map((html) => new Markup(html)),
      fc.array(tie('value'), { maxLength: 6 }),
      fc.array(tie('value'), { maxLength: 6 }).map((items) => Tuple.from(items)),
      fc.array(fc.tuple(text, tie('value')), { maxLength: 6 }).map((items) => new Map(items)),
      fc.array(fc.tuple(fc.integer({ min: 2 }), tie('value')), { maxLength: 3 }).map((items) => new OrderedDict(items)),
    ),
  }));
  expectInPython(fc.sample(value, { numRuns: 1500, seed: 1 }));
});
