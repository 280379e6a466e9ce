import { describe, expect, test } from 'vitest';
import { msgpack } from '../../../src/codecs/msgpack.ts';
import { DateTime, Extension, Float, floatMarks, Tuple } from '../../../src/codecs/values.ts';
import { SessionDecodeError } from '../../../src/errors.ts';

/** The value with these bytes, read out of a record. */
function read(...parts: string[]): unknown {
  const value = parts.join('').replaceAll(' ', '');
  const record = msgpack.open(new Uint8Array(Buffer.from(`82a161${value}a17ac3`, 'hex')));
  expect(record.get('z')).toBe(true);
  return record.get('a');
}

describe('numbers', () => {
  test.each<[string, number | bigint]>([
    ['00', 0],
    ['7f', 127],
    ['ff', -1],
    ['e0', -32],
    ['cc80', 128],
    ['cdffff', 65_535],
    ['ceffffffff', 4_294_967_295],
    ['cf001fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['cf0020000000000000', 2n ** 53n],
    ['cfffffffffffffffff', 2n ** 64n - 1n],
    ['d080', -128],
    ['d07f', 127],
    ['d18000', -32_768],
    ['d17fff', 32_767],
    ['d280000000', -2_147_483_648],
    ['d27fffffff', 2_147_483_647],
    ['d3ffffffffffffffff', -1],
    ['d30000000000000001', 1],
    ['d3ffe0000000000001', Number.MIN_SAFE_INTEGER],
    ['d3ffe0000000000000', -(2n ** 53n)],
    ['d38000000000000000', -(2n ** 63n)],
    ['d37fffffffffffffff', 2n ** 63n - 1n],
    ['cb3fb999999999999a', 0.1],
    ['cb8000000000000000', -0],
    ['cb7ff8000000000000', Number.NaN],
    ['cbfff0000000000000', Number.NEGATIVE_INFINITY],
    ['ca3fc00000', 1.5],
    ['ca7f800000', Number.POSITIVE_INFINITY],
  ])('%s', (hex, value) => {
    expect(read(hex)).toBe(value);
  });

  test('a whole float at the top is a Float, inside it is a number with a mark', () => {
    expect(read('cb4008000000000000')).toEqual(new Float(3));
    expect(read('ca40400000')).toEqual(new Float(3));
    expect(read('cb4480f0cf064dd592')).toEqual(new Float(1e22));
    const list = read('93 cb4008000000000000 03 cb3ff8000000000000') as number[];
    expect(list).toEqual([3, 3, 1.5]);
    expect(floatMarks(list)).toEqual(new Map([[0, 3]]));
    const object = read('82 a178 ca40400000 a179 03') as object;
    expect(object).toEqual({ x: 3, y: 3 });
    expect(floatMarks(object)).toEqual(new Map([['x', 3]]));
    expect(floatMarks(read('91 cb8000000000000000') as object)).toBeUndefined();
  });
});

describe('text and bytes', () => {
  test.each([
    ['a0', ''],
    ['a3efbbbf', '\ufeff'],
    ['a4f09f9880', '😀'],
    ['a6636166c3a921', 'café!'],
    ['d90161', 'a'],
    ['da000161', 'a'],
    ['db0000000161', 'a'],
    ['a100', '\0'],
  ])('%s', (hex, text) => {
    expect(read(hex)).toBe(text);
  });

  test('every length around the ways of reading', () => {
    for (const length of [1, 23, 24, 25, 31, 32, 47, 48, 49, 64, 255, 256, 70_000]) {
      for (const text of ['x'.repeat(length), `${'x'.repeat(length - 1)}é`]) {
        const size = Buffer.byteLength(text).toString(16).padStart(8, '0');
        expect(read('db', size, Buffer.from(text).toString('hex'))).toBe(text);
      }
    }
  });

  test.each(['a1ff', 'a2c080', 'a3eda080', 'a4f4908080', 'a1c3', 'd93880'.concat('61'.repeat(55))])(
    '%s is not UTF-8',
    (hex) => {
      expect(() => read(hex)).toThrow(SessionDecodeError);
      expect(() => read('91', hex)).toThrow(SessionDecodeError);
      expect(() => read('81', hex, '01')).toThrow(SessionDecodeError);
    },
  );

  test.each(['c4026162', 'c500026162', 'c6000000026162'])('bytes: %s', (hex) => {
    expect(read(hex)).toEqual(new Uint8Array([0x61, 0x62]));
  });

  test('keys of one slot are told apart', () => {
    // Same length, first, middle and last byte.
    const names = ['axbxcxd', 'aybxcxd', 'axbxcyd', 'aybxcyd'];
    for (let round = 0; round < 3; round++) {
      for (const name of names) {
        expect(read('81a7', Buffer.from(name).toString('hex'), '01')).toEqual({ [name]: 1 });
      }
    }
    // The two bytes of é are not the two characters Ã and ©.
    expect(read('82a2c3a901a4c383c2a902')).toEqual({ é: 1, 'Ã©': 2 });
  });
});

describe('timestamps', () => {
  // What msgspec 0.21.1 makes of them.
  test.each<[string, string]>([
    ['d6ff65932fcd', '2024-01-01T21:34:05+00:00'],
    ['d6ffffffffff', '2106-02-07T06:28:15+00:00'],
    ['d7ffa1dcd42065937d25', '2024-01-02T03:04:05.678901+00:00'],
    ['d7ff0000000400000000', '1970-01-01T00:00:00.000000+00:00'],
    ['c70cff00000000fffffffffffffffb', '1969-12-31T23:59:55+00:00'],
    ['c70cff3b9ac618ffffffffffffffff', '1969-12-31T23:59:59.999999+00:00'],
    ['c70cff00000000ffffffff7c558180', '1900-01-01T00:00:00+00:00'],
    ['c70cff00000000fffffff1886e0900', '0001-01-01T00:00:00+00:00'],
    ['c70cff3b9ac6180000003afff4417f', '9999-12-31T23:59:59.999999+00:00'],
    ['c704ff00000001', '1970-01-01T00:00:01+00:00'],
    ['c8000cff000001f40000000000000005', '1970-01-01T00:00:05.000001+00:00'],
    ['c9000000 0cff000001f30000000000000005', '1970-01-01T00:00:05+00:00'],
    ['c70cff3b9ac9ff0000000000000005', '1970-01-01T00:00:06+00:00'],
  ])('%s is %s', (hex, iso) => {
    const date = read(hex) as Date;
    const shown = date instanceof DateTime ? date.toISOString() : new DateTime(date.getTime()).toISOString();
    expect(shown).toBe(iso.replace('.000000', ''));
    expect(date instanceof DateTime).toBe(/\.\d{3}(?!000)\d{3}/.test(iso));
  });

  test('whole milliseconds are a plain Date', () => {
    expect(read('d7ffa11e1a0065937d25')).toEqual(new Date('2024-01-02T03:04:05.675Z'));
    expect(Object.getPrototypeOf(read('d6ff00000000'))).toBe(Date.prototype);
  });

  test.each([
    ['nanoseconds past a second', 'c70cff3b9aca000000000000000005'],
    ['nanoseconds past a second, 64 bits', 'd7ffffffffff00000005'],
    ['before year 1', 'c70cff00000000fffffff1886e08ff'],
    ['after year 9999', 'c70cff000000000000003afff44180'],
    ['rounded into year 10000', 'c70cff3b9ac9ff0000003afff4417f'],
    ['far out', 'c70cff000000008000000000000000'],
    ['one byte', 'd4ff00'],
    ['16 bytes', `d8ff${'00'.repeat(16)}`],
    ['no bytes', 'c700ff'],
    ['5 bytes', 'c705ff0000000000'],
  ])('refuses %s', (_, hex) => {
    expect(() => read(hex)).toThrow(SessionDecodeError);
  });
});

describe('extensions', () => {
  test.each<[string, number, string]>([
    ['d40501', 5, '01'],
    ['d5800102', -128, '0102'],
    ['d67f01020304', 127, '01020304'],
    ['d7fe0102030405060708', -2, '0102030405060708'],
    ['c70005', 5, ''],
    ['c8000305010203', 5, '010203'],
    ['c90000000105ff', 5, 'ff'],
  ])('%s', (hex, type, data) => {
    expect(read(hex)).toEqual(new Extension(type, new Uint8Array(Buffer.from(data, 'hex'))));
  });
});

describe('containers', () => {
  test('arrays of every head', () => {
    for (const head of ['91', 'dc0001', 'dd00000001']) expect(read(head, '05')).toEqual([5]);
    expect(read('90')).toEqual([]);
    expect(Array.isArray(read('9290c0'))).toBe(true);
  });

  test('text keys make an object', () => {
    for (const head of ['81', 'de0001', 'df00000001']) expect(read(head, 'a17805')).toEqual({ x: 5 });
    expect(Object.getPrototypeOf(read('80'))).toBe(Object.prototype);
    expect(read('81a0c0')).toEqual({ '': null });
    expect(read('82 a17801 a17802')).toEqual({ x: 2 });
  });

  test('any other key makes a Map', () => {
    expect(read('82 01 a16f 02 a174')).toEqual(
      new Map([
        [1, 'o'],
        [2, 't'],
      ]),
    );
    expect(read('84 a17801 c002 c303 cb3ff800000000000004')).toEqual(
      new Map<unknown, number>([
        ['x', 1],
        [null, 2],
        [true, 3],
        [1.5, 4],
      ]),
    );
    expect(read('81 cb400000000000000001')).toEqual(new Map([[new Float(2), 1]]));
    expect(read('82 0101 0102')).toEqual(new Map([[1, 2]]));
  });

  test('marks move along when an object turns out to be a Map', () => {
    const map = read('83 a178 cb4000000000000000 01 cb4008000000000000 a179 04') as Map<unknown, number>;
    expect([...map]).toEqual([
      ['x', 2],
      [1, 3],
      ['y', 4],
    ]);
    expect(floatMarks(map)).toEqual(
      new Map<unknown, number>([
        ['x', 2],
        [1, 3],
      ]),
    );
  });

  test('an array as a key is a Tuple, all the way down', () => {
    const [key] = (read('81 92 01 91 cb4000000000000000 03') as Map<Tuple, number>).keys();
    expect(key).toBeInstanceOf(Tuple);
    expect(key?.[1]).toBeInstanceOf(Tuple);
    expect(floatMarks(key?.[1] as Tuple)).toEqual(new Map([[0, 2]]));
  });

  test.each(['818001', '81918001', '81d4050101', '8191d4050101', '8192018101019001'])(
    '%s: Python could not hash it',
    (hex) => {
      expect(() => read(hex)).toThrow(SessionDecodeError);
    },
  );

  test('maps that turn into a Map at their last key, nested as deep as allowed, take linear time', () => {
    const levels = 500;
    const inner = `dc8000${'c3'.repeat(0x8000)}`;
    const value = `${'82a178'.repeat(levels)}${inner}${'01c0'.repeat(levels)}`;
    expect(read(value)).toBeInstanceOf(Map);
  });
});
