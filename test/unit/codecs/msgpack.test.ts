import { describe, expect, test } from 'vitest';
import { type OpenRecord, type Patch, REMOVED } from '../../../src/codecs/codec.ts';
import { MAX_DEPTH } from '../../../src/codecs/limits.ts';
import { msgpack } from '../../../src/codecs/msgpack.ts';
import { Float, Markup } from '../../../src/codecs/values.ts';
import { SessionDecodeError, SessionEncodeError } from '../../../src/errors.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytes = (...parts: string[]) => new Uint8Array(Buffer.from(parts.join('').replaceAll(' ', ''), 'hex'));
const open = (...parts: string[]) => msgpack.open(bytes(...parts));

function patch(entries: Record<string, unknown> | [string, unknown][], options: Partial<Patch> = {}): Patch {
  const pairs = Array.isArray(entries) ? entries : Object.entries(entries);
  return { cleared: false, moved: new Set(), ...options, entries: new Map(pairs) };
}

const content = (record: OpenRecord) => record.keys().map((key) => [key, record.get(key)]);

/** A record of another format, as the codec sees it. */
function foreign(values: Map<string, unknown>): OpenRecord {
  return {
    size: values.size,
    has: (key) => values.has(key),
    get: (key) => values.get(key),
    keys: () => [...values.keys()],
    same: () => false,
  };
}

describe('open', () => {
  test('a map: keys in order, values when asked for', () => {
    const record = open('83 a161 01 a162 a178 a163 c0');
    expect(record.size).toBe(3);
    expect(content(record)).toEqual([
      ['a', 1],
      ['b', 'x'],
      ['c', null],
    ]);
    expect(record.has('a')).toBe(true);
    expect(record.has('d')).toBe(false);
    expect(record.get('d')).toBeUndefined();
  });

  test('every width of map head, and of key head', () => {
    for (const head of ['81', 'de0001', 'df00000001']) {
      for (const key of ['a161', 'd90161', 'da000161', 'db0000000161']) {
        expect(content(open(head, key, '05'))).toEqual([['a', 5]]);
      }
    }
  });

  test('nil is an empty mapping, an empty list too', () => {
    for (const record of [open('c0'), open('90'), open('80')]) {
      expect(record.size).toBe(0);
      expect(record.keys()).toEqual([]);
      expect(hex(msgpack.write(record, patch({ a: 1 })))).toBe('81a16101');
    }
  });

  test('a list of pairs is a mapping, later pairs win', () => {
    const record = open('93 92a16101 dc0002a16202 dd00000002a16103');
    expect(content(record)).toEqual([
      ['a', 3],
      ['b', 2],
    ]);
    expect(hex(msgpack.write(record, patch({})))).toBe('82a16103a16202');
  });

  test.each([
    ['nothing', ''],
    ['an int', '05'],
    ['text', 'a568656c6c6f'],
    ['a list that is not of pairs', '920102'],
    ['a list of triples', '91 93a1610102'],
    ['a list of maps', '91 81a16101'],
    ['a pair with a list as key', '91 92 9101 02'],
    ['a pair with a map as key', '91 92 80 02'],
    ['a byte after the map', '81a1610100'],
    ['a byte after nil', 'c000'],
    ['a byte after the list', '9192a1610100'],
    ['a key without a value', '81a161'],
    ['a value cut short', '81a161a568656c'],
    ['a key cut short', '81a561'],
    ['a nested value cut short', '81a161 93 01 02'],
    ['a length cut short', '81a161 da01'],
    ['a container head cut short', '81a161 dc00'],
    ['a huge map', 'dfffffffff'],
    ['a huge list', 'ddffffffff'],
    ['huge text', '81a161 dbffffffff'],
    ['a huge nested map', '81a161 dfffffffff'],
    ['a huge extension', '81a161 c9ffffffff05'],
    ['the unused first byte', 'c1'],
    ['the unused first byte, nested', '81a161 91c1'],
    ['a key that is not UTF-8', '81a2fffe01'],
    ['a key that is a lone surrogate', '81a3eda08001'],
    ['an overlong key', '81a2c08001'],
    ['a map as a key', '818002'],
    ['an extension as a key', '81d4050102'],
    ['a map inside a list as a key', '81918002'],
    ['text that is not UTF-8 inside a list as a key', '8191a1ff02'],
  ])('refuses %s', (_, ...parts) => {
    expect(() => open(...parts)).toThrow(SessionDecodeError);
  });

  test('an error tells nothing of the record', () => {
    try {
      open('82 a6736563726574 a3616263 a3616263 a9');
      expect.unreachable();
    } catch (error) {
      expect((error as SessionDecodeError).code).toBe('ERR_SESSION_DECODE');
      expect(String(error)).not.toMatch(/secret|abc|[0-9a-f]{4}/);
    }
  });

  test('a value that is not UTF-8 fails when it is read, the others do not', () => {
    const record = open('82 a161 a2fffe a162 02');
    expect(record.get('b')).toBe(2);
    expect(() => record.get('a')).toThrow(SessionDecodeError);
    expect(record.same('a', 'x')).toBe(false);
    expect(content(msgpack.open(msgpack.write(record, patch({ a: 1 }))))).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });

  test('keys that are not text have no name and survive as they are', () => {
    // 1, nil, b'k', 1.5, (1, [2]), a timestamp
    const hidden = ['01', 'c0', 'c4016b', 'cb3ff8000000000000', '92019102', 'd6ff00000000'];
    const record = open('87', ...hidden.map((key) => `${key}a178`), 'a16105');
    expect(record.size).toBe(7);
    expect(record.keys()).toEqual(['a']);
    expect(record.has('1')).toBe(false);
    expect(hex(msgpack.write(record, patch({ a: 6 })))).toBe(
      hex(bytes('87', ...hidden.map((key) => `${key}a178`), 'a16106')),
    );
    expect(hex(msgpack.write(record, patch({ a: 6 }, { cleared: true })))).toBe('81a16106');
  });

  test('a repeated key counts once: first place, last value, whatever its spelling', () => {
    const record = open('84 a161 01 a162 02 d90161 03 07 c0');
    expect(record.size).toBe(3);
    expect(content(record)).toEqual([
      ['a', 3],
      ['b', 2],
    ]);
    expect(hex(msgpack.write(record, patch({})))).toBe('83a16103a1620207c0');
    expect(hex(msgpack.write(record, patch({ a: REMOVED })))).toBe('82a1620207c0');
  });

  test('repeated keys in a large record', () => {
    const names = Array.from(
      { length: 100 },
      (_, i) => `a1${(0x30 + (i % 40)).toString(16)}${i.toString(16).padStart(2, '0')}`,
    );
    const record = open('de0064', ...names);
    expect(record.size).toBe(40);
    expect(record.get('0')).toBe(80);
    expect(record.get('W')).toBe(79);
  });

  test('__proto__ is a key like any other', () => {
    const record = open('81 a95f5f70726f746f5f5f 81 a95f5f70726f746f5f5f c3');
    expect(record.keys()).toEqual(['__proto__']);
    const value = record.get('__proto__') as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(hex(msgpack.write(undefined, patch([['__proto__', value]])))).toBe(
      '81a95f5f70726f746f5f5f81a95f5f70726f746f5f5fc3',
    );
  });

  test('names of Object.prototype are absent unless they are there', () => {
    const record = open('81 a161 01');
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(record.has(name)).toBe(false);
      expect(record.get(name)).toBeUndefined();
    }
  });

  test('nesting as deep as the bound is read and written, deeper is refused', () => {
    // The record itself is the first level.
    const nested = (levels: number) => bytes('81a161', '91'.repeat(levels - 2), '90');
    const deepest = msgpack.open(nested(MAX_DEPTH));
    expect(hex(msgpack.write(undefined, patch({ a: deepest.get('a') })))).toBe(hex(nested(MAX_DEPTH)));
    expect(() => msgpack.open(nested(MAX_DEPTH + 1))).toThrow(SessionDecodeError);
    expect(() => msgpack.write(undefined, patch({ a: [deepest.get('a')] }))).toThrow(SessionEncodeError);
    expect(() => msgpack.open(bytes('81a161', '91'.repeat(1_000_000)))).toThrow(SessionDecodeError);
  });

  test('many keys take linear time to find, read and write', () => {
    const values = new Map<string, number>(Array.from({ length: 100_000 }, (_, i) => [`key ${i}`, i]));
    const record = msgpack.open(msgpack.write(undefined, { cleared: false, entries: values, moved: new Set() }));
    expect(record.size).toBe(values.size);
    for (const key of record.keys()) expect(record.get(key) === values.get(key)).toBe(true);
    const changed = new Map([...values].map(([key, value]) => [key, value + 1]));
    const next = msgpack.open(
      msgpack.write(record, { cleared: false, entries: changed, moved: new Set(values.keys()) }),
    );
    expect(next.get('key 99999')).toBe(100_000);
  });

  test('a value is a fresh copy each time, and bytes do not share the record', () => {
    const source = Buffer.from('82a1619101a162c40161', 'hex');
    const record = msgpack.open(source);
    const list = record.get('a') as number[];
    list.push(2);
    expect(record.get('a')).toEqual([1]);
    const copy = record.get('b') as Uint8Array;
    expect(Object.getPrototypeOf(copy)).toBe(Uint8Array.prototype);
    copy[0] = 0;
    expect(hex(source)).toBe('82a1619101a162c40161');
  });

  test('a view into a larger buffer', () => {
    const whole = bytes('ffff 81a161cb3ff8000000000000 ffff');
    expect(msgpack.open(whole.subarray(2, -2)).get('a')).toBe(1.5);
  });
});

describe('write', () => {
  test('without a base', () => {
    expect(hex(msgpack.write(undefined, patch({})))).toBe('80');
    expect(hex(msgpack.write(undefined, patch({ _permanent: true, user_id: 42 })))).toBe(
      '82aa5f7065726d616e656e74c3a7757365725f69642a',
    );
  });

  test('untouched keys and values keep their bytes, however they are spelled', () => {
    const odd = 'de0003 d90161 d30000000000000001 a162 ca3f800000 a163 c70401 01020304'.replaceAll(' ', '');
    const record = open(odd);
    expect(hex(msgpack.write(record, patch({ d: 1 })))).toBe(`84${odd.slice(6)}a16401`);
    expect(hex(msgpack.write(record, patch({ b: 2 })))).toBe('83d90161d30000000000000001a16202a163c7040101020304');
  });

  test('the order is that of a Python dict', () => {
    const record = open('84 a161 01 a162 02 a163 03 a164 04');
    const next = msgpack.write(
      record,
      patch(
        [
          ['e', 5],
          ['b', 20],
          ['a', 10],
          ['c', REMOVED],
        ],
        { moved: new Set(['b']) },
      ),
    );
    expect(content(msgpack.open(next))).toEqual([
      ['a', 10],
      ['d', 4],
      ['e', 5],
      ['b', 20],
    ]);
  });

  test('cleared drops the base', () => {
    const record = open('82 a161 01 a162 02');
    expect(hex(msgpack.write(record, patch({ b: 3 }, { cleared: true })))).toBe('81a16203');
    expect(hex(msgpack.write(record, patch({}, { cleared: true })))).toBe('80');
  });

  test('undefined leaves no key behind, not even where toJSON answers it', () => {
    const record = open('82 a161 01 a162 02');
    expect(hex(msgpack.write(record, patch({ a: undefined, c: undefined })))).toBe('81a16202');
    expect(hex(msgpack.write(record, patch({ a: { toJSON: () => undefined }, b: REMOVED, c: { toJSON() {} } })))).toBe(
      '80',
    );
  });

  test('removing what is not there does nothing', () => {
    expect(hex(msgpack.write(open('81a16101'), patch({ z: REMOVED })))).toBe('81a16101');
    expect(hex(msgpack.write(undefined, patch({ z: REMOVED })))).toBe('80');
  });

  test('the head grows and shrinks with the number of keys', () => {
    const sixteen = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`k${i}`, i]));
    const record = msgpack.write(undefined, patch(sixteen));
    expect(hex(record)).toMatch(/^de0010a26b3000/);
    const fifteen = msgpack.write(msgpack.open(record), patch({ k3: REMOVED }));
    expect(hex(fifteen)).toMatch(/^8fa26b3000/);
    expect(hex(msgpack.write(msgpack.open(fifteen), patch({ k3: 3 })))).toMatch(/^de0010a26b3000/);
    expect(msgpack.open(fifteen).keys()).toHaveLength(15);
  });

  test('a base of another format is decoded and written anew, in its order', () => {
    const base = foreign(
      new Map<string, unknown>([
        ['b', new Float(1)],
        ['a', [1]],
        ['c', 'x'],
      ]),
    );
    expect(hex(msgpack.write(base, patch({})))).toBe('83a162cb3ff0000000000000a1619101a163a178');
    const next = msgpack.write(base, patch({ a: 2, d: 4, c: 5, b: REMOVED }, { moved: new Set(['a']) }));
    expect(content(msgpack.open(next))).toEqual([
      ['c', 5],
      ['a', 2],
      ['d', 4],
    ]);
    expect(hex(msgpack.write(base, patch({}, { cleared: true })))).toBe('80');
  });

  test('a base of another format that holds what msgpack cannot', () => {
    expect(() => msgpack.write(foreign(new Map([['m', new Markup('<b>')]])), patch({}))).toThrow(SessionEncodeError);
  });

  test('a base that cannot be read is an error of the write', () => {
    const get = () => {
      throw new SessionDecodeError('unreadable');
    };
    const broken = { ...foreign(new Map([['a', 1]])), get };
    expect(() => msgpack.write(broken, patch({}))).toThrow(SessionEncodeError);
  });

  test('a failed write leaves nothing behind for the next', () => {
    expect(() => msgpack.write(undefined, patch({ a: 'secret', b: () => 1 }))).toThrow(SessionEncodeError);
    expect(() => msgpack.write(undefined, patch({ a: new Map([[new Map(), 1]]) }))).toThrow(SessionEncodeError);
    expect(hex(msgpack.write(undefined, patch({ a: new Map([[1, {}]]) })))).toBe('81a161810180');
  });

  test('a value may write a record of its own while it is written', () => {
    const value = { toJSON: () => hex(msgpack.write(undefined, patch({ inner: [1, 2, 3] }))) };
    expect(msgpack.open(msgpack.write(undefined, patch({ a: 'x', b: value, c: 'y' }))).get('b')).toBe(
      '81a5696e6e657293010203',
    );
  });

  test('what is written is not changed by later writes, and large records do not disturb small ones', () => {
    const first = msgpack.write(undefined, patch({ a: 1 }));
    const large = msgpack.write(undefined, patch({ a: 'x'.repeat(1_000_000), b: new Uint8Array(70_000).fill(7) }));
    expect(hex(first)).toBe('81a16101');
    expect(msgpack.open(large).get('a')).toBe('x'.repeat(1_000_000));
    expect(msgpack.open(large).get('b')).toEqual(new Uint8Array(70_000).fill(7));
    expect(msgpack.write(undefined, patch({ a: 2 })).buffer.byteLength).toBe(4);
  });
});

describe('same', () => {
  test('equal values, and only those', () => {
    const record = open('83 a161 9101 a162 81a17801 a163 cb3ff0000000000000');
    expect(record.same('a', [1])).toBe(true);
    expect(record.same('a', [1, 2])).toBe(false);
    expect(record.same('a', [2])).toBe(false);
    expect(record.same('b', { x: 1 })).toBe(true);
    expect(record.same('b', { x: 1, y: undefined })).toBe(true);
    expect(record.same('c', new Float(1))).toBe(true);
    expect(record.same('c', 1)).toBe(false);
    expect(record.same('z', 1)).toBe(false);
    expect(record.same('z', undefined)).toBe(false);
    expect(record.same('a', undefined)).toBe(false);
  });

  test('another spelling of the same value', () => {
    // int64 1, a float32 in a map32, a repeated key
    const record = open('83 a161 d30000000000000001 a162 df00000001 d90178 ca3f800000 a163 82 a17801 a17802');
    expect(record.same('a', 1)).toBe(true);
    expect(record.same('b', record.get('b'))).toBe(true);
    expect(record.same('b', { x: 2 })).toBe(false);
    expect(record.same('c', { x: 2 })).toBe(true);
    expect(record.same('c', { x: 1 })).toBe(false);
  });

  test('integer-like keys, which JavaScript moves to the front', () => {
    const record = open('81 a161 83 a17a01 a13902 a13103');
    const value = record.get('a') as Record<string, number>;
    expect(Object.keys(value)).toEqual(['1', '9', 'z']);
    expect(record.same('a', value)).toBe(true);
    value.z = 5;
    expect(record.same('a', value)).toBe(false);
  });

  test('whole floats inside stay what they are until they change', () => {
    const record = open('81 a161 92 cb4000000000000000 81a178cb4000000000000000');
    const value = record.get('a') as [number, { x: number }];
    expect(value).toEqual([2, { x: 2 }]);
    expect(record.same('a', value)).toBe(true);
    value[1].x = 3;
    expect(record.same('a', value)).toBe(false);
  });

  test('what cannot be written is not the same, and no error', () => {
    const record = open('81 a161 9101');
    expect(record.same('a', () => 1)).toBe(false);
    expect(record.same('a', new Markup('x'))).toBe(false);
  });
});
