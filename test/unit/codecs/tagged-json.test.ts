import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { REMOVED } from '../../../src/codecs/codec.ts';
import { json } from '../../../src/codecs/json.ts';
import { MAX_DEPTH } from '../../../src/codecs/limits.ts';
import { dumps, loads, taggedJson } from '../../../src/codecs/tagged-json.ts';
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
import { SessionDecodeError, SessionEncodeError } from '../../../src/errors.ts';
import { canonical, toNotation } from '../../vectors/notation.ts';
import {
  anythingAtAll,
  anyUnits,
  bytes,
  keyText,
  NOTHING,
  objectOf,
  patch,
  taggedValues,
  text,
} from './json-values.ts';

const open = (json: string) => taggedJson.open(bytes(json));
const next = (json: string, ...args: Parameters<typeof patch>) => text(taggedJson.write(open(json), patch(...args)));

describe('dumps', () => {
  test('types that JSON lacks are tagged', () => {
    const id = new UUID('12345678-1234-5678-1234-567812345678');
    expect(dumps(Tuple.of<unknown>(1, [Tuple.of()]))).toBe('{" t":[1,[{" t":[]}]]}');
    expect(dumps(Uint8Array.of(0, 255, 254))).toBe('{" b":"AP/+"}');
    expect(dumps(Buffer.from('hi'))).toBe('{" b":"aGk="}');
    expect(dumps(new Markup('<b>é'))).toBe('{" m":"<b>\\u00e9"}');
    expect(dumps({ __html__: () => '<i>' })).toBe('{" m":"<i>"}');
    expect(dumps(id)).toBe('{" u":"12345678123456781234567812345678"}');
    expect(dumps(new Date(1704164645999))).toBe('{" d":"Tue, 02 Jan 2024 03:04:05 GMT"}');
    expect(dumps(new Date(-1))).toBe('{" d":"Wed, 31 Dec 1969 23:59:59 GMT"}');
    expect(dumps(new DateTime(1704164645000, 5, 19800))).toBe('{" d":"Tue, 02 Jan 2024 03:04:05 GMT"}');
    expect(dumps(new PlainDate('2024-07-04'))).toBe('"Thu, 04 Jul 2024 00:00:00 GMT"');
    expect(dumps(new Decimal('1.50'))).toBe('"1.50"');
    expect(dumps(new Float(3))).toBe('3.0');
  });

  test('a dict that looks like a tag is wrapped, at any level', () => {
    expect(dumps({ ' t': [1] })).toBe('{" di":{" t__":[1]}}');
    expect(dumps({ ' t': { ' di': 1 } })).toBe('{" di":{" t__":{" di":{" di__":1}}}}');
    expect(dumps(new Map([[' b', 1]]))).toBe('{" di":{" b__":1}}');
    expect(dumps({ ' t': [1], x: 1 })).toBe('{" t":[1],"x":1}');
    expect(dumps({ ' t': 1, x: undefined })).toBe('{" di":{" t__":1}}');
    expect(dumps({ ' x': 1 })).toBe('{" x":1}');
  });

  test('objects are written as JSON.stringify would', () => {
    class Point {
      x = 1;
      #hidden = 2;
      get y() {
        return this.#hidden;
      }
      gone = undefined;
    }
    expect(dumps([new Point(), undefined, { a: undefined, b: null }])).toBe('[{"x":1},null,{"b":null}]');
    expect(dumps({ a: { toJSON: () => Tuple.of(1) }, b: { toJSON: () => undefined } })).toBe('{"a":{" t":[1]}}');
    expect(dumps(new URL('https://example.org/a'))).toBe('"https://example.org/a"');
    expect(dumps([Object(1), Object('s'), Object(true)])).toBe('[1,"s",true]');
    expect(dumps(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}');
    expect(dumps(new Array(2))).toBe('[null,null]');
    expect(dumps(1e22)).toBe('10000000000000000000000');
  });

  test('keys are sorted by code point', () => {
    expect(dumps({ '\u{10000}': 1, '\uffff': 2, b: 3, a: 4, '10': 5, '9': 6 })).toBe(
      '{"10":5,"9":6,"a":4,"b":3,"\\uffff":2,"\\ud800\\udc00":1}',
    );
    const byCodePoint = (a: string, b: string) => {
      const [left, right] = [Array.from(a, (c) => c.codePointAt(0)!), Array.from(b, (c) => c.codePointAt(0)!)];
      const at = left.findIndex((code, i) => code !== right[i]);
      return at === -1 ? left.length - right.length : (left[at] as number) - (right[at] ?? -1);
    };
    fc.assert(
      fc.property(fc.uniqueArray(anyUnits, { minLength: 2, maxLength: 5 }), (keys) => {
        const written = dumps(new Map(keys.map((key) => [key, 0])));
        const order = [...written.matchAll(/("(?:[^"\\]|\\.)*"):/g)].map(([, key]) => JSON.parse(key as string));
        expect(order).toEqual([...keys].sort(byCodePoint));
      }),
      { numRuns: 500 },
    );
  });

  test('keys that are not text follow the rules of Python', () => {
    const map = (...keys: unknown[]) => new Map(keys.map((key) => [key, 0]));
    expect(dumps(map(10, 9, -1))).toBe('{"-1":0,"9":0,"10":0}');
    expect(dumps(map(2n ** 64n, 1.5, new Float(2), true, -0.5))).toBe(
      '{"-0.5":0,"true":0,"1.5":0,"2.0":0,"18446744073709551616":0}',
    );
    expect(dumps(map(true, false))).toBe('{"false":0,"true":0}');
    expect(dumps(map(null))).toBe('{"null":0}');
    expect(dumps(map(Number.NaN))).toBe('{"NaN":0}');
    expect(dumps(map(new Float(-0)))).toBe('{"-0.0":0}');
    for (const keys of [
      ['a', 1],
      ['a', null],
      [null, 1],
      [1, undefined],
    ]) {
      expect(() => dumps(map(...keys))).toThrow(SessionEncodeError);
    }
    for (const key of [undefined, Tuple.of(1), Uint8Array.of(1), new Date(0), Symbol('s'), {}]) {
      expect(() => dumps(map(key))).toThrow(SessionEncodeError);
    }
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a function inside', { f() {} }],
    ['a symbol', [Symbol('s')]],
    ['a set', new Set([1])],
    ['a frozenset', new FrozenSet()],
    ['a bytearray', new ByteArray(1)],
    ['other binary data', new Int32Array(1)],
    ['an ArrayBuffer', new ArrayBuffer(1)],
    ['a time', new PlainTime('01:02:03')],
    ['a timedelta', new TimeDelta(1)],
    ['a promise', Promise.resolve()],
    ['a regular expression', /x/],
    ['an invalid date', new Date(Number.NaN)],
    ['a date before year 1', new Date(-62_135_596_800_001)],
    ['a date after year 9999', new Date(253_402_300_800_000)],
    ['a day that is none', new PlainDate('2024-02-30')],
    ['half a date', new PlainDate('2024-02')],
    ['an integer too long', 10n ** 4300n],
  ])('refuses %s', (_, value) => {
    expect(() => dumps(value)).toThrow(SessionEncodeError);
  });

  test('an msgpack extension is written by its members, like any object of a class', () => {
    expect(dumps(new Extension(5, Uint8Array.of(1)))).toBe('{"data":{" b":"AQ=="},"type":5}');
  });

  test('cycles and bombs end', () => {
    const cycle: unknown[] = [];
    cycle.push({ cycle });
    expect(() => dumps(cycle)).toThrow(SessionEncodeError);
    let doubled: unknown = 'x';
    for (let i = 0; i < 100; i++) doubled = [doubled, doubled];
    expect(() => dumps(doubled)).toThrow(/too many values/);
  });

  test('whatever nests as deeply as can be written can be read', () => {
    for (const wrap of [(v: unknown) => [v], (v: unknown) => Tuple.of(v), (v: unknown) => ({ ' t': v })]) {
      let value: unknown = 1;
      let written = '';
      for (let depth = 0; depth <= MAX_DEPTH; depth++) {
        value = wrap(value);
        try {
          written = dumps(value);
        } catch (error) {
          expect(error).toBeInstanceOf(SessionEncodeError);
          break;
        }
      }
      expect(dumps(loads(written))).toBe(written);
      expect(written.length).toBeGreaterThan(MAX_DEPTH);
    }
  });
});

describe('loads', () => {
  test.each<[string, unknown]>([
    ['{" t":"x😀"}', ['tuple', ['x', '😀']]],
    ['{" t":{"x":1,"y":2}}', ['tuple', ['x', 'y']]],
    [
      '{" t":[1.0,{" t":[2.0]}]}',
      [
        'tuple',
        [
          ['float', '1.0'],
          ['tuple', [['float', '2.0']]],
        ],
      ],
    ],
    ['{" t":{" t":[1.0]}}', ['tuple', [['float', '1.0']]]],
    [
      '{" t":{" b":"YWI="}}',
      [
        'tuple',
        [
          ['int', '97'],
          ['int', '98'],
        ],
      ],
    ],
    ['{" t":{" m":"ab"}}', ['tuple', ['a', 'b']]],
    ['{"\\u0020t":[1]}', ['tuple', [['int', '1']]]],
    ['{" \\u0074":[1]}', ['tuple', [['int', '1']]]],
    ['{" t":[1]," t":[2]}', ['tuple', [['int', '2']]]],
    ['{" b":"Y!Q=="}', ['bytes', '61']],
    ['{" b":"YQ=\\n="}', ['bytes', '61']],
    ['{" b":"YQ==YWJj"}', ['bytes', '61']],
    ['{" b":"YWI=YWI="}', ['bytes', '6162']],
    ['{" b":{" b":"WVE9PQ=="}}', ['bytes', '61']],
    ['{" b":{" b":"/1lRPT0="}}', ['bytes', '61']],
    ['{" m":5}', ['markup', '5']],
    ['{" m":5.0}', ['markup', '5.0']],
    ['{" m":null}', ['markup', 'None']],
    ['{" m":true}', ['markup', 'True']],
    ['{" m":NaN}', ['markup', 'nan']],
    ['{" m":-Infinity}', ['markup', '-inf']],
    ['{" m":123456789012345678901}', ['markup', '123456789012345678901']],
    ['{" m":{" m":"<b>"}}', ['markup', '<b>']],
    ['{" m":{" u":"12345678123456781234567812345678"}}', ['markup', '12345678-1234-5678-1234-567812345678']],
    ['{" u":"urn:uuid:{12345678-1234-5678-1234-56781234567F}"}', ['uuid', '12345678-1234-5678-1234-56781234567f']],
    ['{" d":"Tue, 02 Jan 2024 03:04:05 GMT"}', ['datetime', '2024-01-02T03:04:05+00:00']],
    ['{" d":"Tue, 02 Jan 2024 03:04:05 -0130"}', ['datetime', '2024-01-02T03:04:05-01:30']],
    ['{" d":"2024-01-02"}', null],
    ['{" d":null}', null],
    ['{" d":0}', null],
    ['{" d":false}', null],
    ['{" d":[]}', null],
    ['{" d":{}}', null],
    ['{" d":{" b":"YQ=="}}', null],
    ['{" di":{"x😀y":1.0,"z":2}}', ['dict', [['x', ['float', '1.0']]]]],
    ['{" di":{"x":1}}', ['dict', [['', ['int', '1']]]]],
    ['{" di":{"x😀":1}}', ['dict', [['', ['int', '1']]]]],
    ['{" di":{"__proto____":{"x":1}}}', ['dict', [['__proto__', ['dict', [['x', ['int', '1']]]]]]]],
    [
      '{" t":[1],"x":2}',
      [
        'dict',
        [
          [' t', ['list', [['int', '1']]]],
          ['x', ['int', '2']],
        ],
      ],
    ],
    ['{" x":[1]}', ['dict', [[' x', ['list', [['int', '1']]]]]]],
    [
      '[{" t":[]},{"a":{" t":[]}}]',
      [
        'list',
        [
          ['tuple', []],
          ['dict', [['a', ['tuple', []]]]],
        ],
      ],
    ],
  ])('reads %s as Flask does', (json, expected) => {
    expect(toNotation(loads(json))).toEqual(expected);
    // Also where it is not the outermost value.
    expect(toNotation(loads(`[${json}]`))).toEqual(['list', [expected]]);
  });

  test.each(
    [
      '{" t":5}',
      '{" t":null}',
      '{" t":{" d":"x"}}',
      '{" b":"YQ"}',
      '{" b":"Y"}',
      '{" b":"_-8="}',
      '{" b":"é"}',
      '{" b":5}',
    ]
      .concat(['{" u":"1234"}', '{" u":5}', '{" u":null}', `{" u":"${'z'.repeat(32)}"}`, '{" d":5}', '{" d":true}'])
      .concat([
        '{" d":[1]}',
        '{" d":{"a":1}}',
        '{" d":NaN}',
        '{" di":{}}',
        '{" di":5}',
        '{" di":"xyz"}',
        '{" di":["ab"]}',
      ])
      .concat(['{" di":{" t":[1]}}', '{" m":[1]}', '{" m":{}}', '{" d":{" u":"12345678123456781234567812345678"}}']),
  )('refuses %s', (json) => {
    expect(() => loads(json)).toThrow(SessionDecodeError);
    expect(() => loads(`[${json}]`)).toThrow(SessionDecodeError);
    expect(() => open(`{"a":${json}}`)).toThrow(SessionDecodeError);
  });

  test('undoes dumps for every value that Flask can hold', () => {
    fc.assert(
      fc.property(taggedValues, (value) => {
        const written = dumps(value);
        expect(written).toMatch(/^[ -~]*$/);
        expect(canonical(toNotation(loads(written)))).toEqual(canonical(toNotation(value)));
        expect(dumps(loads(written))).toBe(written);
      }),
      { numRuns: 1000 },
    );
  });

  test('whatever can be written can be read, and nothing but SessionEncodeError is thrown', () => {
    fc.assert(
      fc.property(anythingAtAll, (value) => {
        let written: string;
        try {
          written = dumps([value, { value }]);
        } catch (error) {
          expect(error).toBeInstanceOf(SessionEncodeError);
          return;
        }
        expect(dumps(loads(written))).toBe(written);
      }),
      { numRuns: 1000 },
    );
  });

  test('tags in tags of any size take one pass', () => {
    const size = 200_000;
    const deep = (tag: string, core: string) => `${`{" ${tag}":`.repeat(250)}${core}${'}'.repeat(250)}`;
    for (const tag of ['t', 'b', 'm', 'u', 'd', 'di']) {
      for (const core of [`"${'x'.repeat(size)}"`, `[${'1.0,'.repeat(size / 4)}1]`, `{"${'x'.repeat(size)}":1}`]) {
        try {
          loads(deep(tag, core));
        } catch (error) {
          expect(error).toBeInstanceOf(SessionDecodeError);
        }
      }
    }
    expect(loads(`[${'{" t":[1.0]},'.repeat(size / 13)}1]`)).toBeInstanceOf(Array);
  });
});

describe('the codec', () => {
  test('opens a mapping, in its order', () => {
    const record = open('{"b":1.0,"a":{" t":[1]},"10":null}');
    expect(record.size).toBe(3);
    expect(record.keys()).toEqual(['b', 'a', '10']);
    expect(record.has('10')).toBe(true);
    expect(record.has('toString')).toBe(false);
    expect(record.get('toString')).toBeUndefined();
    expect(record.get('b')).toEqual(new Float(1));
    expect(record.get('a')).toEqual(Tuple.of(1));
  });

  test.each([
    ['null', []],
    ['""', []],
    ['[]', []],
    ['{}', []],
    ['{" d":"x"}', []],
    [
      '[["a",1.0],["b",2]]',
      [
        ['a', new Float(1)],
        ['b', 2],
      ],
    ],
    ['{" t":[["a",1]]}', [['a', 1]]],
    ['["ab"]', [['a', 'b']]],
    ['{" di":{" t__":1}}', [[' t', 1]]],
    ['{"__proto__":{"x":1}}', [['__proto__', { x: 1 }]]],
  ])('opens %s', (json, expected) => {
    const record = open(json);
    expect(record.keys().map((key) => [key, record.get(key)])).toEqual(expected);
    expect(record.size).toBe(expected.length);
    expect(Object.prototype).not.toHaveProperty('x');
  });

  test.each([
    'true',
    '5',
    '"ab"',
    '[1]',
    '{" b":"aGk="}',
    '{" m":"x"}',
    '{" u":"00000000000000000000000000000001"}',
    '{',
  ])('refuses %s', (json) => {
    expect(() => open(json)).toThrow(SessionDecodeError);
  });

  test('refuses bytes that are not UTF-8, or begin with a mark', () => {
    expect(() => taggedJson.open(Uint8Array.of(0x7b, 0xff, 0x7d))).toThrow(SessionDecodeError);
    expect(() => open('\ufeff{}')).toThrow(SessionDecodeError);
    expect(() => taggedJson.open(new Uint8Array())).toThrow(SessionDecodeError);
  });

  test('lends fresh copies, and remembers what was in the record', () => {
    const record = open('{"cart":[1,{"n":1.0}],"x":"y"}');
    const cart = record.get('cart') as unknown[];
    expect(record.same('cart', cart)).toBe(true);
    cart.push(3);
    expect(record.same('cart', cart)).toBe(false);
    expect(record.same('cart', record.get('cart'))).toBe(true);
    expect(record.get('cart')).not.toBe(record.get('cart'));
    expect(record.get('cart')).toEqual([1, { n: 1 }]);
    expect(text(taggedJson.write(record, NOTHING))).toBe('{"cart":[1,{"n":1.0}],"x":"y"}');
  });

  test('same compares meanings, however they are spelled', () => {
    const record = open(
      '{ "a" : { "y":1 , "x":2.50 }, "i":1, "f":1.0, "s":"\\u0041", "n":NaN, "z":-0, "t":{" t":[1]} }',
    );
    expect(record.same('a', { x: 2.5, y: 1 })).toBe(true);
    expect(record.same('a', { x: 2.5, y: new Float(1) })).toBe(false);
    expect(record.same('i', 1)).toBe(true);
    expect(record.same('i', new Float(1))).toBe(false);
    expect(record.same('f', new Float(1))).toBe(true);
    expect(record.same('f', 1)).toBe(false);
    expect(record.same('s', 'A')).toBe(true);
    expect(record.same('s', 'B')).toBe(false);
    expect(record.same('n', Number.NaN)).toBe(true);
    expect(record.same('z', 0)).toBe(true);
    expect(record.same('t', [1])).toBe(false);
    expect(record.same('t', Tuple.of(1))).toBe(true);
    expect(record.same('absent', undefined)).toBe(false);
    expect(record.same('i', undefined)).toBe(false);
    expect(record.same('i', () => 1)).toBe(false);
  });

  test('writes what Flask would, whoever wrote the base', () => {
    expect(next('{ "b" : 1.50, "a":["\\u0041\\/", 1E2], "\u00e9":1 }', [['c', 2]])).toBe(
      '{"a":["A/",100.0],"b":1.5,"c":2,"\\u00e9":1}',
    );
    expect(next('{"a":1,"b":2}', [['a', REMOVED]])).toBe('{"b":2}');
    expect(next('{"a":1,"b":2}', [['c', 3]], { cleared: true })).toBe('{"c":3}');
    expect(next('{"a":1}', [['b', undefined]])).toBe('{"a":1}');
    expect(
      next('{"a":1}', [
        ['a', REMOVED],
        [' t', [1]],
      ]),
    ).toBe('{" di":{" t__":[1]}}');
    expect(next('{" di":{" t__":[1]}}', [['a', 1]])).toBe('{" t":[1],"a":1}');
    expect(next('{" t":[1],"a":1}', [['a', REMOVED]])).toBe('{" di":{" t__":[1]}}');
    expect(next('[["a",1.0]]', [['b', 2]])).toBe('{"a":1.0,"b":2}');
    expect(next('[[7,"x"]]', [])).toBe('{"7":"x"}');
    expect(
      text(
        taggedJson.write(
          undefined,
          patch([
            ['b', 1],
            ['a', 2],
          ]),
        ),
      ),
    ).toBe('{"a":2,"b":1}');
    expect(text(taggedJson.write(json.open(bytes('{"b":1.0,"a":[1.0]}')), patch([['c', 3]])))).toBe(
      '{"a":[1.0],"b":1.0,"c":3}',
    );
    expect(() => next('{}', [['a', new Set()]])).toThrow(SessionEncodeError);
  });

  test('a value that can be read but not written stays as it is', () => {
    const late = '{"d":{" d":"Fri, 31 Dec 9999 23:59:59 -0500"}}';
    expect(next(late, [])).toBe(late);
    const record = open(late);
    expect(record.same('d', record.get('d'))).toBe(false);
  });

  test('a record is what was put into it, after any changes', () => {
    const dicts = objectOf(taggedValues, keyText) as fc.Arbitrary<Record<string, unknown>>;
    const plain = (record: ReturnType<typeof open>) =>
      canonical(['dict', record.keys().map((key) => [key, toNotation(record.get(key))])]);
    fc.assert(
      fc.property(dicts, dicts, (before, change) => {
        const first = open(text(taggedJson.write(undefined, patch(Object.entries(before)))));
        expect(plain(first)).toEqual(canonical(toNotation(before)));
        for (const key of first.keys()) expect(first.same(key, first.get(key))).toBe(true);
        const second = taggedJson.open(taggedJson.write(first, patch(Object.entries(change))));
        const both = new Map([...Object.entries(before), ...Object.entries(change)]);
        expect(plain(second)).toEqual(canonical(toNotation(both)));
      }),
      { numRuns: 500 },
    );
  });

  test('bytes of any kind give a record or a SessionDecodeError', () => {
    const words = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '" t"',
      '" d"',
      '" b"',
      '" di"',
      '" u"',
      '" m"',
      '"a"',
      '1',
      '1.0',
      'null',
    ];
    const soup = fc.array(fc.constantFrom(...words, '"ab"', '{"', '"\\u0020t"', '{" t":[1.0]}'), { maxLength: 16 });
    const wrapped = soup.map((list) => `{"a":${list.join('')}}`);
    const records = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      soup.map((list) => bytes(list.join(''))),
      wrapped.map(bytes),
    );
    fc.assert(
      fc.property(records, (record) => {
        try {
          const opened = taggedJson.open(record);
          for (const key of opened.keys()) opened.same(key, opened.get(key));
          expect(taggedJson.open(taggedJson.write(opened, NOTHING)).keys().sort()).toEqual(opened.keys().sort());
        } catch (error) {
          expect(error).toBeInstanceOf(SessionDecodeError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
