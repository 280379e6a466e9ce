import { describe, expect, test } from 'vitest';
import { OrderedDict } from '../../../src/codecs/pickle-globals.ts';
import { unpickle } from '../../../src/codecs/pickle-read.ts';
import { encodePickle } from '../../../src/codecs/pickle-write.ts';
import {
  ByteArray,
  DateTime,
  Decimal,
  Extension,
  Float,
  FrozenSet,
  Markup,
  PlainDate,
  PlainTime,
  TimeDelta,
  Tuple,
  UUID,
} from '../../../src/codecs/values.ts';
import { SessionEncodeError } from '../../../src/errors.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const written = (value: unknown) => hex(encodePickle(value));
const same = (a: unknown, b: unknown) => expect(written(a)).toBe(written(b));
const refuse = (value: unknown) => expect(() => encodePickle(value)).toThrow(SessionEncodeError);

describe('what JavaScript has and Python has not', () => {
  test('members that are undefined are left out, in lists they are None', () => {
    same({ a: undefined, b: 1 }, { b: 1 });
    same(new Map([['a', undefined]]), {});
    // biome-ignore lint/suspicious/noSparseArray: a hole is the case under test
    same([undefined, , 1], [null, null, 1]);
    same(Tuple.of(undefined), Tuple.of(null));
    same(new Set([undefined]), new Set([null]));
    same(undefined, null);
  });

  test('toJSON is honoured, but not of the types that Python has', () => {
    class Point {
      private x = 1;
      toJSON() {
        return { x: this.x };
      }
    }
    same([new Point(), { toJSON: () => 'text' }], [{ x: 1 }, 'text']);
    same(new URL('http://h/'), 'http://h/');
    same({ toJSON: () => new Date(0) }, new Date(0));
    same(
      new (class {
        y = 2;
        toJSON() {
          return this;
        }
      })().toJSON(),
      { y: 2, toJSON: undefined },
    );
    expect(unpickle(encodePickle(new UUID('0'.repeat(32)))).value).toBeInstanceOf(UUID);
  });

  test('the result of toJSON takes the place of every reference to the object', () => {
    let calls = 0;
    const object = { toJSON: () => ({ n: ++calls }) };
    const shared = { n: 1 };
    same([object, object], [shared, shared]);
    expect(calls).toBe(1);
  });

  test('objects of other classes give their own enumerable members', () => {
    class Account {
      name = 'a';
      get hidden() {
        return 1;
      }
    }
    same(new Account(), { name: 'a' });
    same(Object.create(null), {});
    same({ [Symbol('s')]: 1, a: 1 }, { a: 1 });
    const own = Object.defineProperty({}, '__proto__', { value: 1, enumerable: true });
    expect(unpickle(encodePickle(own)).value).toEqual(new Map([['__proto__', 1]]));
  });

  test('anything with __html__ is Markup', () => {
    same({ __html__: () => '<b>' }, new Markup('<b>'));
  });

  test('a Buffer is bytes', () => {
    same(Buffer.from('abc').subarray(1), new Uint8Array([98, 99]));
  });

  test('a plain whole number is an int, however large; others are floats', () => {
    same(2 ** 53, 2n ** 53n);
    same(1e300, BigInt(1e300));
    same(-(2 ** 31) - 1, -(2n ** 31n) - 1n);
    expect(unpickle(encodePickle(new Float(2))).value).toEqual(new Float(2));
    expect(unpickle(encodePickle([0.5, Number.NaN, -Infinity, -0])).value).toEqual([0.5, Number.NaN, -Infinity, -0]);
    same(new Float(-0), -0);
  });
});

describe('what Python has no data for', () => {
  test('functions, symbols and extensions', () => {
    for (const value of [() => {}, Symbol('s'), new Extension(1, new Uint8Array()), class {}]) {
      refuse(value);
      refuse({ a: [value] });
      refuse(new Map([[value, 1]]));
    }
  });

  test('keys that cannot be hashed', () => {
    for (const key of [
      [],
      {},
      new Map(),
      new Set(),
      new ByteArray(),
      Tuple.of([]),
      Tuple.of(Tuple.of(new Set())),
      { toJSON: () => 'a' },
    ]) {
      refuse(new Map([[key, 1]]));
      refuse(new Set([key]));
      refuse(new FrozenSet([key]));
    }
    refuse(new Map([[undefined, 1]]));
    const keys: unknown[] = [
      'a',
      1,
      true,
      null,
      0.5,
      new Float(1),
      Tuple.of<unknown>(1, Tuple.of()),
      new FrozenSet([1]),
      new Uint8Array([1]),
    ];
    keys.push(new Date(0), new UUID('0'.repeat(32)), new Decimal('1'), new Markup('m'), new PlainDate('2024-01-01'));
    expect(unpickle(encodePickle(new Map(keys.map((key) => [key, 1])))).value).toHaveProperty('size', keys.length);
    expect(unpickle(encodePickle(new Set(keys))).value).toHaveProperty('size', keys.length);
  });

  test('what contains itself', () => {
    const list: unknown[] = [];
    list.push([list]);
    refuse(list);
    const object: Record<string, unknown> = {};
    object.self = { object };
    refuse(object);
    const tuple = new Tuple<unknown>();
    tuple.push(tuple);
    refuse(tuple);
    refuse(new Map([[tuple, 1]]));
    const map = new Map<string, unknown>();
    map.set('m', map);
    refuse(map);
  });

  test('what is too deep, or stands for too much', () => {
    const nest = (levels: number) => {
      let value: unknown = new Date(0);
      for (let i = 0; i < levels; i++) value = i % 2 ? [value] : { a: value };
      return value;
    };
    expect(unpickle(encodePickle(nest(512))).value).toBeTruthy();
    refuse(nest(513));
    refuse(nest(100_000));
    const half = nest(300);
    expect(unpickle(encodePickle([half, half, [half]])).value).toBeTruthy();
    let deep: unknown = half;
    for (let i = 0; i < 300; i++) deep = [deep];
    refuse([half, deep]);
    refuse([deep, half]);
    let bomb: unknown = ['x'];
    for (let i = 0; i < 100; i++) bomb = [bomb, bomb];
    refuse(bomb);
    const endless = (): object => ({ toJSON: endless });
    refuse(endless());
  });

  test('values that Python would not make', () => {
    refuse(new Date(Number.NaN));
    refuse(new Date(-62135596800001));
    refuse(new Date(253402300800000));
    refuse(new DateTime(253402300799000, 0, 3600));
    refuse(new DateTime(0, 1000));
    refuse(new DateTime(0, 0, 86_400));
    refuse(new DateTime(0, 0, 0.5));
    for (const date of ['2024-02-30', '0000-01-01', '2024-1-1', 'x', '2024-01-01T00:00:00'])
      refuse(new PlainDate(date));
    for (const time of ['24:00:00', '1:00', '00:60', '00:00:00.1', '00:00:00+24:00', '']) refuse(new PlainTime(time));
    for (const text of ['', 'abc', '1,5', '1_0']) refuse(new Decimal(text));
    refuse(new TimeDelta(0, 86_400));
    refuse(new TimeDelta(0, -1));
    refuse(new TimeDelta(0.5));
    refuse(new TimeDelta(1_000_000_000));
    refuse(10n ** 4301n);
    expect(unpickle(encodePickle(-(10n ** 4299n))).value).toBe(-(10n ** 4299n));
  });

  test('getters and toJSON that throw', () => {
    const secret = new Error('secret');
    const throwing = {
      toJSON() {
        throw secret;
      },
    };
    expect(() => encodePickle({ a: throwing })).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_ENCODE', cause: secret }),
    );
    try {
      encodePickle(throwing);
    } catch (error) {
      expect(String(error)).not.toContain('secret');
    }
  });
});

describe('bytes', () => {
  const body = (value: unknown) =>
    written(value)
      .replace(/^8005(95.{16})?/, '')
      .replace(/2e$/, '');

  test('ints', () => {
    expect([0, 255, 256, 65535, 65536, -1].map(body)).toEqual([
      '4b00',
      '4bff',
      '4d0001',
      '4dffff',
      '4a00000100',
      '4affffffff',
    ]);
    expect([2 ** 31 - 1, -(2 ** 31), 2 ** 31].map(body)).toEqual(['4affffff7f', '4a00000080', '8a050000008000']);
    expect([-(2n ** 31n) - 1n, -(2n ** 39n), 2n ** 39n - 1n].map(body)).toEqual([
      '8a05ffffff7fff',
      '8a050000000080',
      '8a05ffffffff7f',
    ]);
    expect(body(2n ** 2039n - 1n).slice(0, 4)).toBe('8aff');
    expect(body(2n ** 2039n).slice(0, 10)).toBe('8b00010000');
  });

  test('equal texts are one object, as are single bytes; other bytes are not', () => {
    expect(body(['ab', 'ab'])).toBe('5d94288c02616294680165');
    expect(body([new Uint8Array([1]), new Uint8Array([1])])).toBe('5d942843010194680165');
    expect(body([new Uint8Array([1, 2]), new Uint8Array([1, 2])])).toBe('5d94284302010294430201029465');
    const bytes = new Uint8Array([1, 2]);
    expect(body([bytes, bytes])).toBe('5d9428430201029468' + '0165');
  });

  test('batches of 1000', () => {
    const list = (n: number) => body(new Array(n).fill(null));
    const dict = (n: number) => body(new Map(Array.from({ length: n }, (_, i) => [i, null])));
    const set = (n: number) => body(new Set(Array.from({ length: n }, (_, i) => i)));
    expect(list(1)).toBe('5d944e61');
    expect(list(1000).endsWith('4e65')).toBe(true);
    expect(list(1001).endsWith('4e65284e65')).toBe(true);
    expect(dict(1)).toBe('7d944b004e73');
    expect(dict(1000).endsWith('4e752875')).toBe(true);
    expect(dict(1001).endsWith('4e75284de8034e75')).toBe(true);
    expect(set(0)).toBe('8f94');
    expect(set(1)).toBe('8f94284b0090');
    expect(set(1000).endsWith('4de703902890')).toBe(true);
    const ordered = body(new OrderedDict(Array.from({ length: 1001 }, (_, i) => [i, null])));
    expect(ordered.endsWith('4e754de8034e73')).toBe(true);
  });

  test('frames', () => {
    expect(written(null)).toBe('80054e2e');
    expect(written(256)).toBe('80059504000000000000004d00012e');
    const large = written(['x'.repeat(65_536), 'y'.repeat(65_535)]);
    // The frame before the large text is closed, which stands alone; the next one starts with its MEMOIZE.
    expect(large.startsWith('8005' + '5d942858000001007878')).toBe(true);
    expect(large.slice(2 * (2 + 3 + 5 + 65_536)).startsWith('950800010000000000' + '9458ffff0000')).toBe(true);
  });
});
