import { describe, expect, test } from 'vitest';
import { msgpack } from '../../../src/codecs/msgpack.ts';
import {
  ByteArray,
  DateTime,
  Decimal,
  Extension,
  Float,
  FrozenSet,
  Markup,
  markFloat,
  PlainDate,
  PlainTime,
  TimeDelta,
  Tuple,
  UUID,
} from '../../../src/codecs/values.ts';
import { SessionEncodeError } from '../../../src/errors.ts';

const write = (value: unknown) =>
  msgpack.write(undefined, { cleared: false, entries: new Map([['a', value]]), moved: new Set() });
/** The bytes of a value, cut out of a record. */
const hex = (value: unknown) => Buffer.from(write(value)).toString('hex').slice(6);
/** The text that a value is written as. */
const text = (value: unknown) => msgpack.open(write(value)).get('a');

describe('numbers take the shortest form', () => {
  test.each<[number | bigint, string]>([
    [0, '00'],
    [127, '7f'],
    [128, 'cc80'],
    [255, 'ccff'],
    [256, 'cd0100'],
    [65_535, 'cdffff'],
    [65_536, 'ce00010000'],
    [4_294_967_295, 'ceffffffff'],
    [4_294_967_296, 'cf0000000100000000'],
    [Number.MAX_SAFE_INTEGER, 'cf001fffffffffffff'],
    [2 ** 53, 'cf0020000000000000'],
    [2 ** 63, 'cf8000000000000000'],
    [2n ** 64n - 1n, 'cfffffffffffffffff'],
    [-1, 'ff'],
    [-32, 'e0'],
    [-33, 'd0df'],
    [-128, 'd080'],
    [-129, 'd1ff7f'],
    [-32_768, 'd18000'],
    [-32_769, 'd2ffff7fff'],
    [-2_147_483_648, 'd280000000'],
    [-2_147_483_649, 'd3ffffffff7fffffff'],
    [Number.MIN_SAFE_INTEGER, 'd3ffe0000000000001'],
    [-(2n ** 63n), 'd38000000000000000'],
    [-(2 ** 63), 'd38000000000000000'],
    [5n, '05'],
    [-1n, 'ff'],
    [0.5, 'cb3fe0000000000000'],
    [-0, 'cb8000000000000000'],
    [Number.NaN, 'cb7ff8000000000000'],
    [Number.POSITIVE_INFINITY, 'cb7ff0000000000000'],
  ])('%s', (number, expected) => {
    expect(hex(number)).toBe(expected);
  });

  test('a Float is a float', () => {
    expect(hex(new Float(1))).toBe('cb3ff0000000000000');
    expect(hex([new Float(0)])).toBe('91cb0000000000000000');
  });

  test('a whole number that no 64-bit integer holds is a float, a bigint is refused', () => {
    expect(hex(2 ** 64)).toBe('cb43f0000000000000');
    expect(hex(-(2 ** 64))).toBe('cbc3f0000000000000');
    expect(hex(Number.MAX_VALUE)).toBe('cb7fefffffffffffff');
    expect(() => write(2n ** 64n)).toThrow(SessionEncodeError);
    expect(() => write(-(2n ** 63n) - 1n)).toThrow(SessionEncodeError);
  });

  test('a marked number is a float while it is the same', () => {
    const list = [1, 1];
    markFloat(list, 0, 1);
    expect(hex(list)).toBe('92cb3ff000000000000001');
    list[0] = 2;
    expect(hex(list)).toBe('920201');
    const object = { x: 1 };
    markFloat(object, 'x', 1);
    expect(hex(object)).toBe('81a178cb3ff0000000000000');
    const map = new Map<unknown, number>([[1, 3]]);
    markFloat(map, 1, 3);
    expect(hex(map)).toBe('8101cb4008000000000000');
  });
});

describe('text', () => {
  test.each<[number, string]>([
    [0, 'a0'],
    [31, 'bf'],
    [32, 'd920'],
    [48, 'd930'],
    [49, 'd931'],
    [255, 'd9ff'],
    [256, 'da0100'],
    [65_535, 'daffff'],
    [65_536, 'db00010000'],
  ])('%i bytes', (length, head) => {
    expect(hex('x'.repeat(length))).toBe(head + '78'.repeat(length));
    if (length < 2) return;
    // The same number of bytes of fewer characters: the head that the characters suggest is too short.
    expect(hex('é'.repeat(length >> 1) + 'x'.repeat(length & 1))).toBe(
      head + 'c3a9'.repeat(length >> 1) + '78'.repeat(length & 1),
    );
  });

  test('outside ASCII', () => {
    expect(hex('é你😀\ufeff\0')).toBe('adc3a9e4bda0f09f9880efbbbf00');
  });

  test.each(['\ud800', 'x\udc00x', `${'x'.repeat(100)}\ud83d`, '\udc00\ud800'])(
    'a lone surrogate is refused',
    (value) => {
      expect(() => write(value)).toThrow(SessionEncodeError);
      expect(() => write({ [value]: 1 })).toThrow(SessionEncodeError);
    },
  );
});

describe('values of Python', () => {
  test('bytes', () => {
    const data = new Uint8Array([1, 2, 3]);
    const same = [
      data,
      new ByteArray(data),
      Buffer.from(data),
      data.buffer,
      new DataView(data.buffer),
      new Int8Array(data),
    ];
    for (const value of same) expect(hex(value)).toBe('c403010203');
    expect(hex(new Uint16Array([1, 2]).subarray(1))).toBe('c4020200');
    expect(hex(new Uint8Array(256))).toBe(`c50100${'00'.repeat(256)}`);
    expect(hex(new Uint8Array(65_536))).toBe(`c600010000${'00'.repeat(65_536)}`);
  });

  test('lists, tuples and sets are arrays', () => {
    for (const value of [[1, 'x'], Tuple.of<unknown>(1, 'x'), new Set([1, 'x']), new FrozenSet([1, 'x'])])
      expect(hex(value)).toBe('9201a178');
    expect(hex(new Array(15).fill(0))).toBe(`9f${'00'.repeat(15)}`);
    expect(hex(new Array(16).fill(0))).toBe(`dc0010${'00'.repeat(16)}`);
    expect(hex(new Array(65_536).fill(0))).toBe(`dd00010000${'00'.repeat(65_536)}`);
  });

  // What msgspec 0.21.1 writes.
  test.each<[string, Date, string]>([
    ['whole seconds', new Date('1970-01-01T00:00:00Z'), 'd6ff00000000'],
    ['the last of 32 bits', new Date('2106-02-07T06:28:15Z'), 'd6ffffffffff'],
    ['past 32 bits', new Date('2106-02-07T06:28:16Z'), 'd7ff0000000100000000'],
    ['past 34 bits', new Date('2514-05-30T01:53:04Z'), 'c70cff000000000000000400000000'],
    ['microseconds', new DateTime(Date.parse('2024-01-02T03:04:05.678Z'), 901), 'd7ffa1dcd42065937d25'],
    ['the last of 34 bits', new DateTime(Date.parse('2514-05-30T01:53:03.999Z'), 999), 'd7ffee6b1863ffffffff'],
    ['before 1970', new DateTime(-1, 999), 'c70cff3b9ac618ffffffffffffffff'],
    ['the first', new Date('0001-01-01T00:00:00Z'), 'c70cff00000000fffffff1886e0900'],
    ['the last', new DateTime(253_402_300_799_999, 999), 'c70cff3b9ac6180000003afff4417f'],
    ['an offset', new DateTime(Date.parse('2024-01-02T03:04:05+05:30'), 0, 19_800), 'd6ff65932fcd'],
  ])('aware datetime: %s', (_, date, expected) => {
    expect(hex(date)).toBe(expected);
  });

  test('naive datetime', () => {
    expect(text(new DateTime(Date.parse('2024-01-02T03:04:05Z'), 0, null))).toBe('2024-01-02T03:04:05');
    expect(text(new DateTime(Date.parse('2024-01-02T03:04:05.678Z'), 901, null))).toBe('2024-01-02T03:04:05.678901');
  });

  test.each([
    new Date(Number.NaN),
    new Date('+010000-01-01T00:00:00Z'),
    new Date('0000-12-31T23:59:59.999Z'),
    new DateTime(253_402_300_800_000, 0, null),
    new DateTime(0, 1000),
    new DateTime(0, -1),
    new DateTime(0, 0.5),
  ])('a date that Python cannot hold is refused', (date) => {
    expect(() => write(date)).toThrow(SessionEncodeError);
  });

  test('date, timedelta, UUID and Decimal', () => {
    expect(text(new PlainDate('2024-07-04'))).toBe('2024-07-04');
    expect(text(new TimeDelta(1, 5))).toBe('P1DT5S');
    expect(text(new TimeDelta(-1, 86_399, 999_999))).toBe('-PT0.000001S');
    expect(text(new UUID('12345678123456781234567812345678'))).toBe('12345678-1234-5678-1234-567812345678');
    expect(text(new Decimal('1.50'))).toBe('1.50');
  });

  test.each([
    ['01:02:03', '01:02:03'],
    ['01:02:03.000005', '01:02:03.000005'],
    ['01:02:03+00:00', '01:02:03Z'],
    ['01:02:03+05:30', '01:02:03+05:30'],
    ['01:02:03-00:03', '01:02:03-00:03'],
    ['01:02:03+00:00:30', '01:02:03Z'],
    ['01:02:03+05:30:30', '01:02:03+05:30'],
    ['01:02:03+05:30:31', '01:02:03+05:31'],
    ['01:02:03-05:00:45', '01:02:03-05:01'],
    ['01:02:03+05:59:59', '01:02:03+06:00'],
    ['01:02:03-23:59:45', '01:02:03Z'],
    ['01:02:03+05:00:00.000007', '01:02:03+05:00'],
  ])('time %s', (iso, expected) => {
    expect(text(new PlainTime(iso))).toBe(expected);
  });

  test.each<[number, number, string]>([
    [5, 1, 'd405'],
    [-128, 2, 'd580'],
    [127, 4, 'd67f'],
    [-2, 8, 'd7fe'],
    [0, 16, 'd800'],
    [5, 0, 'c70005'],
    [5, 3, 'c70305'],
    [5, 17, 'c71105'],
    [5, 256, 'c8010005'],
    [5, 65_536, 'c90001000005'],
  ])('extension %i of %i bytes', (type, length, head) => {
    expect(hex(new Extension(type, new Uint8Array(length)))).toBe(head + '00'.repeat(length));
  });

  test.each([-1, 128, -129, 1.5, Number.NaN])('extension type %d is refused', (type) => {
    expect(() => write(new Extension(type, new Uint8Array(4)))).toThrow(SessionEncodeError);
  });
});

describe('maps', () => {
  test('keys of every kind', () => {
    const keys = new Map<unknown, number>([
      [1, 1],
      [-1n, 2],
      [null, 3],
      [true, 4],
      [1.5, 5],
      ['x', 6],
      [new Uint8Array([7]), 7],
      [Tuple.of<unknown>(1, Tuple.of<unknown>('y')), 8],
      [new Date(0), 9],
      [new UUID('0'.repeat(32)), 10],
      [new Float(2), 11],
      [new FrozenSet([1]), 12],
    ]);
    const uuid = `d924${Buffer.from('00000000-0000-0000-0000-000000000000').toString('hex')}`;
    expect(hex(keys)).toBe(
      `8c0101ff02c003c304cb3ff800000000000005a17806c40107079201${'91a179'}08d6ff0000000009${uuid}0acb40000000000000000b91010c`,
    );
  });

  test.each<[string, unknown]>([
    ['an object', {}],
    ['a Map', new Map()],
    ['an object in a tuple', Tuple.of<unknown>({})],
    ['an extension', new Extension(5, new Uint8Array(1))],
    ['undefined', undefined],
    ['a function', () => 1],
  ])('%s as a key is refused', (_, key) => {
    expect(() => write(new Map([[key, 1]]))).toThrow(SessionEncodeError);
  });

  test('a member that is undefined is left out', () => {
    expect(
      hex(
        new Map<unknown, unknown>([
          [1, undefined],
          [2, 3],
        ]),
      ),
    ).toBe('810203');
  });

  test('a map that changes while it is written is written as it was', () => {
    const map = new Map<string, unknown>();
    map.set('x', { toJSON: () => map.set('y', 2).size });
    expect(hex(map)).toBe('81a17802');
  });
});

describe('other objects are what JSON.stringify makes of them', () => {
  class Point {
    x = 1;
    y: number | undefined = undefined;
    #hidden = 2;
    get sum(): number {
      return this.x + this.#hidden;
    }
  }
  class Money {
    toJSON(key: string): unknown {
      return { key, toJSON: 'kept', amount: 5n };
    }
  }

  test.each<[string, unknown, unknown]>([
    ['class instance', new Point(), { x: 1 }],
    ['no prototype', Object.assign(Object.create(null), { x: 1 }), { x: 1 }],
    ['undefined in an array', [undefined, 1], [null, 1]],
    ['holes in an array', Object.assign(new Array(3), { 1: 'x' }), [null, 'x', null]],
    ['toJSON', new Money(), { key: 'a', toJSON: 'kept', amount: 5 }],
    ['toJSON inside', { m: [new Money()] }, { m: [{ key: '0', toJSON: 'kept', amount: 5 }] }],
    ['toJSON of a scalar', { toJSON: () => 'text' }, 'text'],
    ['toJSON of undefined in an array', [{ toJSON() {} }], [null]],
    ['toJSON of undefined in an object', { x: { toJSON() {} }, y: 1 }, { y: 1 }],
    ['toJSON is asked once', { toJSON: () => ({ toJSON: () => 1, x: 2 }) }, undefined],
    ['toJSON of a known value', { toJSON: () => new Date(0) }, new Date(0)],
    ['boxed', [Object('x'), Object(1), Object(true), Object(false), Object(7n)], ['x', 1, true, false, 7]],
    ['URL', new URL('https://example.org/'), 'https://example.org/'],
    ['symbol keys', { [Symbol('s')]: 1, x: 2 }, { x: 2 }],
    ['inherited members', Object.create({ x: 1 }), {}],
    ['regular expression', /x/, {}],
  ])('%s', (_, value, expected) => {
    if (expected === undefined) expect(() => write(value)).toThrow(SessionEncodeError);
    else expect(text(value)).toEqual(expected);
  });

  test('the number of members decides the head after those left out', () => {
    const object = Object.fromEntries(
      Array.from({ length: 16 }, (_, i) => [String.fromCharCode(97 + i), i === 3 ? undefined : 0]),
    );
    expect(hex(object)).toMatch(/^8fa16100a16200a16300a16500/);
  });
});

describe('refused', () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = { deeper: [cycle] };
  const bomb = () => {
    throw new RangeError('user code');
  };

  test.each<[string, unknown]>([
    ['function', () => 1],
    ['function in an object', { x: () => 1 }],
    ['symbol', Symbol('x')],
    ['Markup', new Markup('<b>')],
    ['Markup in a flash message', [Tuple.of<unknown>('message', new Markup('<b>'))]],
    ['anything with __html__', { __html__: () => '<b>' }],
    ['an array with __html__', Object.assign([1], { __html__: () => '<b>' })],
    ['cycle', cycle],
    ['cycle that branches', [cycle, cycle]],
    ['a getter that throws', Object.defineProperty({}, 'x', { enumerable: true, get: bomb })],
    ['a toJSON that throws', { toJSON: bomb }],
    [
      'a revoked proxy',
      (() => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      })(),
    ],
  ])('%s', (_, value) => {
    expect(() => write(value)).toThrow(SessionEncodeError);
    expect(() => write([value])).toThrow(SessionEncodeError);
  });

  test('the cause is kept, the message tells nothing of the value', () => {
    try {
      write({ secret: { toJSON: bomb } });
      expect.unreachable();
    } catch (error) {
      expect((error as SessionEncodeError).code).toBe('ERR_SESSION_ENCODE');
      expect((error as SessionEncodeError).cause).toBeInstanceOf(RangeError);
      expect((error as SessionEncodeError).message).not.toMatch(/secret|user code/);
    }
  });

  test('an __html__ that is data is data', () => {
    expect(text({ __html__: 'x' })).toEqual({ __html__: 'x' });
  });
});
