import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { REMOVED } from '../../../src/codecs/codec.ts';
import { json } from '../../../src/codecs/json.ts';
import { MAX_DEPTH } from '../../../src/codecs/limits.ts';
import { taggedJson } from '../../../src/codecs/tagged-json.ts';
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
import { anyText, anythingAtAll, bytes, keyText, NOTHING, objectOf, patch, plainValues, text } from './json-values.ts';

const open = (record: string) => json.open(bytes(record));
const next = (record: string, ...args: Parameters<typeof patch>) => text(json.write(open(record), patch(...args)));
/** The text of one value. */
const spelled = (value: unknown) => text(json.write(undefined, patch([['v', value]]))).slice(5, -1);
const read = (record: string) => open(`{"v":${record}}`).get('v');

describe('values', () => {
  const time = 1704164645678;
  test.each<[string, unknown, string]>([
    ['a datetime in UTC', new Date(time), '"2024-01-02T03:04:05.678000Z"'],
    ['whole seconds', new Date(1704164645000), '"2024-01-02T03:04:05Z"'],
    ['microseconds', new DateTime(time, 901), '"2024-01-02T03:04:05.678901Z"'],
    ['one microsecond', new DateTime(1704164645000, 1), '"2024-01-02T03:04:05.000001Z"'],
    ['a naive datetime', new DateTime(1704164645000, 0, null), '"2024-01-02T03:04:05"'],
    ['an offset', new DateTime(1704164645000, 0, 19_800), '"2024-01-02T08:34:05+05:30"'],
    ['a western offset', new DateTime(1704164645000, 0, -18_000), '"2024-01-01T22:04:05-05:00"'],
    ['an offset of half a minute', new DateTime(1704164645000, 0, 30), '"2024-01-02T03:04:35Z"'],
    ['an offset of more', new DateTime(1704164645000, 0, 31), '"2024-01-02T03:04:36+00:01"'],
    ['year 1', new DateTime(-62_135_596_800_000, 0, null), '"0001-01-01T00:00:00"'],
    ['a date', new PlainDate('2024-07-04'), '"2024-07-04"'],
    ['a time', new PlainTime('01:02:03.000005'), '"01:02:03.000005"'],
    ['a time in UTC', new PlainTime('01:02:03+00:00'), '"01:02:03Z"'],
    ['a time with an offset', new PlainTime('01:02:03-03:30:31'), '"01:02:03-03:31"'],
    ['a timedelta', new TimeDelta(1, 5), '"P1DT5S"'],
    ['a negative timedelta', new TimeDelta(-1, 86_399), '"-PT1S"'],
    ['a UUID', new UUID('12345678123456781234567812345678'), '"12345678-1234-5678-1234-567812345678"'],
    ['a Decimal', new Decimal('1.50'), '"1.50"'],
    ['bytes', Uint8Array.of(0, 255, 254), '"AP/+"'],
    ['a bytearray', new ByteArray([0, 1]), '"AAE="'],
    ['a tuple', Tuple.of<unknown>(1, Tuple.of()), '[1,[]]'],
    ['a set', new Set([1, 'a']), '[1,"a"]'],
    ['a frozenset', new FrozenSet(['x']), '["x"]'],
    ['a float', new Float(1e16), '1e16'],
    ['no number', [Number.NaN, Number.POSITIVE_INFINITY], '[null,null]'],
    ['text', 'é\u2028\x7f"\\/\n\x1f', '"é\u2028\x7f\\"\\\\/\\n\\u001f"'],
    ['a large int', 2n ** 70n, '1180591620717411303424'],
    ['an int beyond safety', 1e22, '10000000000000000000000'],
    [
      'an object of a class',
      new (class {
        b = 1;
        a = undefined;
      })(),
      '{"b":1}',
    ],
    ['undefined in a list', [undefined], '[null]'],
  ])('%s', (_, value, expected) => {
    expect(spelled(value)).toBe(expected);
  });

  test('keys', () => {
    const map = (...keys: unknown[]) => spelled(new Map(keys.map((key) => [key, 0])));
    expect(map('b', 1, 2n ** 64n, new Float(1), 1.5, 1e16)).toBe(
      '{"b":0,"1":0,"18446744073709551616":0,"1.0":0,"1.5":0,"10000000000000000":0}',
    );
    expect(map(new Float(1e16), new Float(-0), Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)).toBe(
      '{"1e16":0,"-0.0":0,"nan":0,"inf":0,"-inf":0}',
    );
    expect(map(new PlainDate('2024-01-02'), Uint8Array.of(97), new Decimal('1.5'), new Date(0))).toBe(
      '{"2024-01-02":0,"YQ==":0,"1.5":0,"1970-01-01T00:00:00Z":0}',
    );
    for (const key of [true, null, undefined, Tuple.of(1), {}, new Markup('x')]) {
      expect(() => map(key)).toThrow(SessionEncodeError);
    }
  });

  test.each<[string, unknown]>([
    ['markup', new Markup('<b>')],
    ['what acts as markup', { __html__: () => '<b>' }],
    ['an extension', new Extension(5, Uint8Array.of(1))],
    ['half a surrogate pair', '\ud800'],
    ['half a surrogate pair in a key', { '\udc00': 1 }],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['an invalid date', new Date(Number.NaN)],
    ['a date beyond year 9999', new DateTime(253_402_300_799_000, 0, 3600)],
    ['an integer too long', -(10n ** 4300n)],
    ['a promise', Promise.resolve()],
  ])('refuses %s', (_, value) => {
    expect(() => spelled(value)).toThrow(SessionEncodeError);
    expect(() => spelled([{ value }])).toThrow(SessionEncodeError);
  });

  test('a top-level key that UTF-8 cannot hold is refused, with and without a base', () => {
    expect(() => json.write(undefined, patch([['\ud800', 1]]))).toThrow(SessionEncodeError);
    expect(() => next('{}', [['\ud800', 1]])).toThrow(SessionEncodeError);
  });

  test('cycles and bombs end', () => {
    const cycle: unknown[] = [];
    cycle.push(new Map([[1, cycle]]));
    expect(() => spelled(cycle)).toThrow(SessionEncodeError);
    let doubled: unknown = 'x';
    for (let i = 0; i < 100; i++) doubled = [doubled, doubled];
    expect(() => spelled(doubled)).toThrow(/too many values/);
    let deep: unknown = 1;
    for (let i = 1; i < MAX_DEPTH; i++) deep = [deep];
    expect(read(spelled(deep))).toEqual(deep);
    expect(() => spelled([deep])).toThrow(SessionEncodeError);
  });
});

describe('the codec', () => {
  test('keeps the order of keys, and the bytes of what is not changed', () => {
    const record = '{"z":{"b":1,"10":1.50},"1":2,"a":"\\u0041"}';
    expect(open(record).keys()).toEqual(['z', '1', 'a']);
    expect(next(record, [])).toBe(record);
    expect(next(record, [['1', 3]])).toBe('{"z":{"b":1,"10":1.50},"1":3,"a":"\\u0041"}');
    expect(next(record, [['z', 0]], { moved: new Set(['z']) })).toBe('{"1":2,"a":"\\u0041","z":0}');
    expect(
      next(record, [
        ['n', 1],
        ['1', REMOVED],
        ['é', null],
      ]),
    ).toBe('{"z":{"b":1,"10":1.50},"a":"\\u0041","n":1,"é":null}');
    expect(next(record, [['n', [1]]], { cleared: true })).toBe('{"n":[1]}');
    expect(
      next(record, [
        ['n', undefined],
        ['1', undefined],
      ]),
    ).toBe('{"z":{"b":1,"10":1.50},"a":"\\u0041"}');
    expect(next(' { "a" : [ 1 , "]}\\"" ] , "b\\"" : "x" , "c" : -1.5e3 , "a" : true } ', [])).toBe(
      '{"a":true,"b\\"":"x","c":-1.5e3}',
    );
  });

  test('what was lent and changed does not get into what is kept', () => {
    const record = open('{"list":[1],"n":1}');
    (record.get('list') as number[]).push(2);
    expect(record.get('list')).toEqual([1]);
    expect(text(json.write(record, patch([['n', 2]])))).toBe('{"list":[1],"n":2}');
  });

  test('same compares what would be written', () => {
    const record = open('{"d":"1970-01-01T00:00:00Z","l":[1,2.0],"o":{"b":1,"10":2},"n":null}');
    expect(record.same('d', new Date(0))).toBe(true);
    expect(record.same('l', record.get('l'))).toBe(true);
    expect(record.same('l', Tuple.of<unknown>(1, new Float(2)))).toBe(true);
    expect(record.same('l', [1, 2])).toBe(false);
    expect(record.same('o', record.get('o'))).toBe(true);
    expect(record.same('n', Number.NaN)).toBe(true);
    expect(record.same('n', new Markup('x'))).toBe(false);
    expect(record.same('d', '\ud800')).toBe(false);
  });

  test('another codec’s record is written anew', () => {
    const base = taggedJson.open(bytes('{"b":{" t":[1.0]},"a":{" b":"YQ=="},"f":2.0}'));
    expect(text(json.write(base, patch([['c', 1]])))).toBe('{"b":[1.0],"a":"YQ==","f":2.0,"c":1}');
    expect(() => json.write(taggedJson.open(bytes('{"m":{" m":"x"}}')), NOTHING)).toThrow(SessionEncodeError);
  });

  test.each([
    ['null', '{}'],
    ['[]', '{}'],
    ['""', '{}'],
    ['[["a",1.0],["b",[]]]', '{"a":1.0,"b":[]}'],
    ['["ab"]', '{"a":"b"}'],
    ['[[7,"x"],[1.0,"y"]]', '{"7":"x","1.0":"y"}'],
  ])('%s is a session too', (record, written) => {
    expect(next(record, [])).toBe(written);
  });

  test.each([
    '',
    '5',
    'true',
    '"ab"',
    '[1]',
    '{"a":1}x',
    '{"a":NaN}',
    '{"a":1e400}',
    '{"a":"\\ud800"}',
    '{"a":01}',
    '\ufeff{}',
  ])('refuses %s', (record) => {
    expect(() => open(record)).toThrow(SessionDecodeError);
  });

  test('reads numbers as what they are', () => {
    const record = open('{"i":1,"f":1.0,"big":9007199254740993,"z":-0,"h":1.5}');
    expect(record.keys().map((key) => record.get(key))).toEqual([1, new Float(1), 9007199254740993n, 0, 1.5]);
  });

  test('a record is what was put into it, after any changes', () => {
    const dicts = objectOf(plainValues(anyText), keyText) as fc.Arbitrary<Record<string, unknown>>;
    const plain = (record: ReturnType<typeof open>) => [
      'dict',
      record.keys().map((key) => [key, toNotation(record.get(key))]),
    ];
    fc.assert(
      fc.property(dicts, dicts, (before, change) => {
        const first = json.open(json.write(undefined, patch(Object.entries(before))));
        expect(plain(first)).toEqual(toNotation(before));
        for (const key of first.keys()) expect(first.same(key, first.get(key))).toBe(true);
        const second = json.open(json.write(first, patch(Object.entries(change))));
        const both = new Map([...Object.entries(before), ...Object.entries(change)]);
        expect(plain(second)).toEqual(toNotation(both));
      }),
      { numRuns: 500 },
    );
  });

  test('any value is written so that it can be read, or refused with a SessionEncodeError', () => {
    fc.assert(
      fc.property(anythingAtAll, (value) => {
        let record: Uint8Array;
        try {
          record = json.write(
            undefined,
            patch([
              ['a', value],
              ['b', [value]],
            ]),
          );
        } catch (error) {
          expect(error).toBeInstanceOf(SessionEncodeError);
          return;
        }
        const again = json.write(json.open(record), NOTHING);
        expect(text(again)).toBe(text(record));
      }),
      { numRuns: 1000 },
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
      '"a"',
      '"b":',
      '1',
      '1.0',
      '-0',
      'null',
      '"\\ud83d\\ude00"',
      '"\\\\"',
      ' ',
    ];
    const soup = fc.array(fc.constantFrom(...words, '{"a":1}', '[["a",2.0]]', '\\', '"'), { maxLength: 16 });
    const records = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      soup.map((list) => bytes(list.join(''))),
      soup.map((list) => bytes(`{"x":${list.join('')}}`)),
    );
    fc.assert(
      fc.property(records, (record) => {
        try {
          const opened = json.open(record);
          const before = canonical(['dict', opened.keys().map((key) => [key, toNotation(opened.get(key))])]);
          const again = json.open(json.write(opened, NOTHING));
          for (const key of opened.keys()) expect(again.same(key, opened.get(key))).toBe(true);
          if (opened.size === opened.keys().length) {
            expect(canonical(['dict', again.keys().map((key) => [key, toNotation(again.get(key))])])).toEqual(before);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(SessionDecodeError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('records of many members are taken apart in one pass', () => {
    const many = `{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":"${'\\\\'.repeat(20)}\\""`).join()}}`;
    const record = open(many);
    expect(record.size).toBe(20_000);
    expect(text(json.write(record, NOTHING))).toBe(many);
    const quotes = `{"a":["${'\\"'.repeat(200_000)}"],"b":"${'\\'.repeat(400_000)}"}`;
    expect(next(quotes, [])).toBe(quotes);
  });
});
