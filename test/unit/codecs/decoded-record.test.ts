import { describe, expect, test } from 'vitest';
import { type OpenRecord, REMOVED } from '../../../src/codecs/codec.ts';
import {
  applyPatch,
  DecodedRecord,
  iterate,
  KEPT,
  mappingFrom,
  patchKeys,
} from '../../../src/codecs/decoded-record.ts';
import { Float, Markup, markFloat, Tuple } from '../../../src/codecs/values.ts';
import { SessionDecodeError, SessionEncodeError } from '../../../src/errors.ts';
import { NOTHING, patch } from './json-values.ts';

const encode = (value: unknown) => {
  if (typeof value === 'function') throw new SessionEncodeError('a function');
  return JSON.stringify(value);
};
const sample = (): Map<unknown, unknown> =>
  new Map<unknown, unknown>([
    ['list', [1]],
    [7, 'seven'],
    ['text', 'x'],
    ['float', new Float(1)],
    ['none', null],
  ]);

describe('DecodedRecord', () => {
  test('has text keys by name, and counts the others', () => {
    const record = new DecodedRecord(sample, encode);
    expect(record.size).toBe(5);
    expect(record.keys()).toEqual(['list', 'text', 'float', 'none']);
    expect(record.has('none')).toBe(true);
    expect(record.has('7')).toBe(false);
    expect(record.get('absent')).toBeUndefined();
    expect(record.get('float')).toEqual(new Float(1));
    expect([...record.entries()]).toEqual([...sample()]);
  });

  test('gives a fresh copy each time, and decodes again only when it has to', () => {
    let decodings = 0;
    const record = new DecodedRecord(() => {
      decodings++;
      return sample();
    }, encode);
    const first = record.get('list') as number[];
    record.get('text');
    record.get('float');
    record.get('float');
    expect(decodings).toBe(1);
    first.push(2);
    expect(record.get('list')).toEqual([1]);
    expect(record.get('list')).not.toBe(first);
  });

  test('compares with what was in the record, not with what became of it', () => {
    const record = new DecodedRecord(sample, encode);
    const list = record.get('list') as number[];
    expect(record.same('list', list)).toBe(true);
    list.push(2);
    expect(record.same('list', list)).toBe(false);
    expect(record.same('list', [1])).toBe(true);
    expect([...record.entries()]).toEqual([...sample()]);
    expect(record.same('absent', undefined)).toBe(false);
    expect(record.same('text', () => 1)).toBe(false);
  });

  test('compares encoded bytes too', () => {
    const toBytes = (value: unknown) => new TextEncoder().encode(encode(value));
    const record = new DecodedRecord(sample, toBytes);
    expect(record.same('list', [1])).toBe(true);
    expect(record.same('list', [2])).toBe(false);
    expect(record.same('list', [1, 2])).toBe(false);
  });

  test('errors that are no encoding errors are not hidden', () => {
    const record = new DecodedRecord(sample, () => {
      throw new RangeError('a bug');
    });
    expect(() => record.same('text', 'x')).toThrow(RangeError);
  });
});

describe('patchKeys and applyPatch', () => {
  const entries: [string, unknown][] = [
    ['new', 1],
    ['b', 'B'],
    ['a', 'A'],
    ['c', REMOVED],
    ['gone', REMOVED],
  ];

  test('keep the order of a Python dict', () => {
    const moved = new Set(['a']);
    expect([...patchKeys(['a', 'b', 'c', 7, 'd'], patch(entries, { moved }))]).toEqual([
      ['b', 'B'],
      [7, KEPT],
      ['d', KEPT],
      ['new', 1],
      ['a', 'A'],
    ]);
    expect([...patchKeys(['a', 'b'], patch(entries, { moved, cleared: true })).keys()]).toEqual(['new', 'b', 'a']);
    expect([...patchKeys(['a', 'b'], NOTHING)]).toEqual([
      ['a', KEPT],
      ['b', KEPT],
    ]);
  });

  test('a base of any codec gives its values', () => {
    const base: OpenRecord = {
      size: 2,
      has: (key) => key === 'a' || key === 'b',
      get: (key) => `${key} of the base`,
      keys: () => ['a', 'b'],
      same: () => false,
    };
    expect([...applyPatch(base, patch([['b', 2]]))]).toEqual([
      ['a', 'a of the base'],
      ['b', 2],
    ]);
    expect([...applyPatch(undefined, patch([['b', 2]]))]).toEqual([['b', 2]]);
    expect([...applyPatch(base, patch([['b', 2]], { cleared: true }))]).toEqual([['b', 2]]);
  });

  test('keys that are not text survive, with the values that they had', () => {
    const record = new DecodedRecord(sample, encode);
    (record.get('list') as number[]).push(2);
    const next = applyPatch(record, patch([['text', 'y']]));
    expect([...next]).toEqual([...sample().set('text', 'y')]);
  });
});

describe('mappingFrom does what dict() does', () => {
  test.each<[string, unknown, [unknown, unknown][]]>([
    ['None', null, []],
    ['an empty list', [], []],
    ['empty text', '', []],
    ['empty bytes', new Uint8Array(), []],
    [
      'a mapping',
      { b: 1, a: 2 },
      [
        ['b', 1],
        ['a', 2],
      ],
    ],
    ['a Map', new Map([[1, 2]]), [[1, 2]]],
    [
      'pairs',
      [
        ['a', 1],
        ['b', 2],
        ['a', 3],
      ],
      [
        ['a', 3],
        ['b', 2],
      ],
    ],
    ['tuples', Tuple.of(Tuple.of<unknown>('a', 1)), [['a', 1]]],
    [
      'words of two letters',
      ['ab', '😀d'],
      [
        ['a', 'b'],
        ['😀', 'd'],
      ],
    ],
    ['markup of two letters', [new Markup('ab')], [['a', 'b']]],
    ['two bytes', [Uint8Array.of(1, 2)], [[1, 2]]],
    ['a dict of two keys', [{ a: 1, b: 2 }], [['a', 'b']]],
    [
      'keys that are not text',
      [
        [1, 'x'],
        [null, 'y'],
        [Tuple.of(1), 'z'],
      ],
      [
        [1, 'x'],
        [null, 'y'],
        [Tuple.of(1), 'z'],
      ],
    ],
    [
      'a Map of two keys',
      [
        new Map([
          ['a', 1],
          ['b', 2],
        ]),
      ],
      [['a', 'b']],
    ],
    ['a set', [new Set(['a', 1])], [['a', 1]]],
  ])('of %s', (_, value, expected) => {
    expect([...mappingFrom(value)]).toEqual(expected);
  });

  test('whole floats stay floats', () => {
    const pair = ['a', 1];
    markFloat(pair, 1, 1);
    expect(mappingFrom([pair]).get('a')).toEqual(new Float(1));
    const dict = { a: 1, b: 1 };
    markFloat(dict, 'a', 1);
    expect([...mappingFrom(dict).values()]).toEqual([new Float(1), 1]);
  });

  test.each<[string, unknown]>([
    ['true', true],
    ['a number', 5],
    ['a date', new Date(0)],
    ['text', 'ab'],
    ['numbers', [1, 2]],
    ['words of other lengths', ['abc']],
    ['one item', [['a']]],
    ['three items', [['a', 1, 2]]],
    ['a list as a key', [[['a'], 1]]],
    ['a dict as a key', [[{}, 1]]],
    ['a Map as a key', [[new Map(), 1]]],
    ['a tuple with a list as a key', [[Tuple.of([]), 1]]],
  ])('refuses %s', (_, value) => {
    expect(() => mappingFrom(value)).toThrow(SessionDecodeError);
  });
});

test('iterate gives what Python iterates over', () => {
  expect(iterate('a😀')).toEqual(['a', '😀']);
  expect(iterate(new Map([[1, 2]]))).toEqual([1]);
  expect(() => iterate(1n)).toThrow(SessionDecodeError);
});
