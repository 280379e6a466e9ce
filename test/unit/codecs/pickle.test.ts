import { describe, expect, test } from 'vitest';
import { type Patch, REMOVED } from '../../../src/codecs/codec.ts';
import { pickle, pickleInt, readPickledInt } from '../../../src/codecs/pickle.ts';
import { OrderedDict } from '../../../src/codecs/pickle-globals.ts';
import { encodePickle } from '../../../src/codecs/pickle-write.ts';
import { DateTime, Float, FrozenSet, floatMarks, isMarked, Markup, Tuple, UUID } from '../../../src/codecs/values.ts';
import { SessionDecodeError, SessionEncodeError } from '../../../src/errors.ts';

const NOTHING: Patch = { cleared: false, entries: new Map(), moved: new Set() };

const patch = (entries: [string, unknown][], more: Partial<Patch> = {}): Patch => ({
  ...NOTHING,
  entries: new Map(entries),
  ...more,
});

const open = (session: unknown) => pickle.open(encodePickle(session));
const fromHex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('an open record', () => {
  test('knows its keys in order, and counts those that are not text', () => {
    const record = open(
      new Map<unknown, unknown>([
        ['b', 1],
        [2, 'two'],
        ['a', null],
      ]),
    );
    expect(record.size).toBe(3);
    expect(record.keys()).toEqual(['b', 'a']);
    expect(record.has('a')).toBe(true);
    expect(record.has('2')).toBe(false);
    expect(record.get('a')).toBeNull();
    expect(record.get('nothing')).toBeUndefined();
  });

  test('hands out copies: what the handler does to one shows nowhere else', () => {
    const session = { list: [1, { deep: new Uint8Array([1]) }], when: new DateTime(5, 6, 60), set: new Set([1]) };
    const record = open(session);
    const list = record.get('list') as [number, { deep: Uint8Array }];
    list[1].deep[0] = 9;
    list.push(2 as never);
    (record.get('when') as Date).setTime(0);
    (record.get('set') as Set<number>).clear();
    expect(record.get('list')).toEqual([1, { deep: new Uint8Array([1]) }]);
    expect(record.get('when')).toEqual(session.when);
    expect(record.get('set')).toEqual(new Set([1]));
    expect(hex(pickle.write(record, NOTHING))).toBe(hex(encodePickle(session)));
  });

  test('gives dicts with only text keys as plain objects, whatever the keys, and others as Maps', () => {
    const keys = ['__proto__', 'constructor', 'toString', '1', ''];
    const record = open({ text: new Map(keys.map((key, i) => [key, i])), mixed: new Map([[null, 'n']]) });
    const text = record.get('text') as object;
    expect(Object.getPrototypeOf(text)).toBe(Object.prototype);
    expect(new Set(Object.keys(text))).toEqual(new Set(keys));
    expect(Object.getOwnPropertyDescriptor(text, '__proto__')?.value).toBe(0);
    expect(record.get('mixed')).toEqual(new Map([[null, 'n']]));
  });

  test('tells whole floats from ints', () => {
    const record = open({ top: new Float(1), in: { a: new Float(2), b: 2 }, list: [new Float(3)], int: 1 });
    expect(record.get('top')).toEqual(new Float(1));
    expect(record.get('int')).toBe(1);
    const dict = record.get('in') as Record<string, number>;
    expect(dict).toEqual({ a: 2, b: 2 });
    expect(isMarked(floatMarks(dict), 'a', 2)).toBe(true);
    expect(isMarked(floatMarks(dict), 'b', 2)).toBe(false);
    expect(record.same('in', dict)).toBe(true);
    expect(record.same('in', { a: 2, b: 2 })).toBe(false);
    expect(record.same('list', record.get('list'))).toBe(true);
    expect(record.same('top', new Float(1))).toBe(true);
    expect(record.same('top', 1)).toBe(false);
    expect(record.same('int', 1)).toBe(true);
    expect(record.same('int', new Float(1))).toBe(false);
  });

  test('compares by what would be written', () => {
    const uuid = new UUID('12345678123456781234567812345678');
    const session = {
      n: null,
      text: 'a',
      dict: { 1: 'x', b: [true] },
      markup: new Markup('<b>'),
      uuid,
      when: new Date(7),
    };
    const record = open(session);
    for (const key of record.keys()) {
      expect(record.same(key, record.get(key))).toBe(true);
      expect(record.same(key, 'else')).toBe(false);
      expect(record.same(key, undefined)).toBe(false);
      expect(record.same(key, () => {})).toBe(false);
    }
    expect(record.same('nothing', undefined)).toBe(false);
    expect(record.same('nothing', null)).toBe(false);
    expect(record.same('dict', { 1: 'x', b: [true], c: undefined })).toBe(true);
    expect(record.same('dict', { 1: 'x', b: [false] })).toBe(false);
    expect(record.same('dict', { 1: 'x', b: Tuple.of(true) })).toBe(false);
    expect(record.same('when', { toJSON: () => new Date(7) })).toBe(true);
  });

  test('keeps an integer-like key in its place, though the handler saw it elsewhere', () => {
    const bytes = encodePickle({
      d: new Map([
        ['b', 1],
        ['1', 2],
      ] as [string, number][]),
    });
    const record = pickle.open(bytes);
    expect(Object.keys(record.get('d') as object)).toEqual(['1', 'b']);
    expect(record.same('d', record.get('d'))).toBe(true);
    expect(hex(pickle.write(record, NOTHING))).toBe(hex(bytes));
  });

  test('keeps what is one list in Python one list, inside a value and from key to key', () => {
    // {'a': (l, l), 'b': l} with l = ['same']
    const shared = ['same'];
    const bytes = encodePickle({ a: Tuple.of(shared, shared), b: shared });
    const record = pickle.open(bytes);
    const [first, second] = record.get('a') as Tuple;
    expect(first).toBe(second);
    expect(record.get('b')).not.toBe(first);
    expect(hex(pickle.write(record, NOTHING))).toBe(hex(bytes));
    expect(hex(pickle.write(record, patch([['a', record.get('a')]])))).not.toBe(hex(bytes));
  });

  test('names all its entries to other codecs', () => {
    const entries = [...(open(new Map([[1, new Map()]])) as unknown as { entries(): Iterable<unknown> }).entries()];
    expect(entries).toEqual([[1, new Map()]]);
  });
});

describe('write', () => {
  const base = () =>
    open(
      new Map<unknown, unknown>([
        ['a', 1],
        [5, 'five'],
        ['b', [new Float(2)]],
        ['c', 3],
      ] as never),
    );
  const order = (bytes: Uint8Array) =>
    [...(pickle.open(bytes) as never as { entries(): Iterable<[unknown]> }).entries()].map(([key]) => key);

  test('follows the order of a Python dict', () => {
    expect(
      order(
        pickle.write(
          base(),
          patch([
            ['z', 0],
            ['a', 9],
          ]),
        ),
      ),
    ).toEqual(['a', 5, 'b', 'c', 'z']);
    expect(order(pickle.write(base(), patch([['a', 9]], { moved: new Set(['a']) })))).toEqual([5, 'b', 'c', 'a']);
    expect(order(pickle.write(base(), patch([['a', REMOVED]])))).toEqual([5, 'b', 'c']);
    expect(order(pickle.write(base(), patch([['b', 1]], { cleared: true })))).toEqual(['b']);
    expect(
      order(
        pickle.write(
          undefined,
          patch([
            ['x', undefined],
            ['y', 1],
          ]),
        ),
      ),
    ).toEqual(['y']);
  });

  test('takes a base of another codec', () => {
    const other = { size: 1, has: () => true, get: () => new Float(1), keys: () => ['k'], same: () => true };
    expect(hex(pickle.write(other, patch([['l', 1]])))).toBe(hex(encodePickle({ k: new Float(1), l: 1 })));
  });

  test('keeps an OrderedDict one, and a frozenset, inside of what is not touched', () => {
    const session = { o: new OrderedDict([['k', new Float(1)]]), f: new FrozenSet(['x']) };
    const record = open(session);
    expect(hex(pickle.write(record, NOTHING))).toBe(hex(encodePickle(session)));
    const o = record.get('o');
    expect(o).toBeInstanceOf(OrderedDict);
    expect(hex(pickle.write(record, patch([['o', o]])))).toBe(hex(encodePickle(session)));
  });
});

describe('the top', () => {
  test.each([
    ['an int', 5],
    ['None', null],
    ['a list', []],
    ['text', 'x'],
    ['a set', new Set()],
  ])('%s is refused', (_, value) => {
    expect(() => pickle.open(encodePickle(value))).toThrow(SessionDecodeError);
  });

  test('an OrderedDict is a dict', () => {
    expect(pickle.open(encodePickle(new OrderedDict([['a', 1]]))).get('a')).toBe(1);
  });
});

describe('pickled ints', () => {
  test.each([
    ['4b002e', 0, 'protocol 1'],
    ['4a809168712e8005', 1902678400, 'protocol 1, with what follows'],
    ['4c323230303030303030304c0a2e', 2200000000, 'protocol 1, beyond 31 bits'],
    ['80054b012e', 1, 'protocol 5, too short for a frame'],
    ['80054b012e00000000', 1, 'protocol 5, with what follows'],
    ['80059506000000000000004a809168712e', 1902678400, 'protocol 5, in a frame'],
    ['80028a05000000800000002e', undefined, 'an int that is cut'],
    ['49340a2e', 4, 'protocol 0'],
    ['4c2d393030373139393235343734303939314c0a2e', -9007199254740991, 'the longest'],
    ['4c393030373139393235343734303939334c0a2e', undefined, 'not safe'],
    ['4930310a2e', undefined, 'a bool'],
    ['473ff00000000000002e', undefined, 'a float'],
    ['4780000000000000002e', undefined, 'a negative zero'],
    ['80057d942e', undefined, 'a dict'],
    ['8091687180057d942e', undefined, 'an expiry of four bytes'],
    ['', undefined, 'nothing'],
  ])('%s is %s: %s', (bytes, value, why) => {
    const read = readPickledInt(fromHex(bytes));
    expect(read?.value).toBe(value);
    if (read && !why.includes('follows')) expect(read.length).toBe(bytes.length / 2);
    if (read && why.includes('follows')) expect(bytes.slice(read.length * 2 - 2, read.length * 2)).toBe('2e');
  });

  test.each([
    [0, '80054b002e'],
    [255, '80054bff2e'],
    [256, '80059504000000000000004d00012e'],
    [65536, '80059506000000000000004a000001002e'],
    [-1, '80059506000000000000004affffffff2e'],
    [2 ** 31, '80059508000000000000008a0500000080002e'],
  ])('%i', (value, bytes) => {
    expect(hex(pickleInt(value))).toBe(bytes);
    expect(readPickledInt(fromHex(bytes))).toEqual({ value, length: bytes.length / 2 });
  });

  test('only safe integers', () => {
    for (const value of [0.5, Number.NaN, 2 ** 53, Infinity])
      expect(() => pickleInt(value)).toThrow(SessionEncodeError);
    expect(readPickledInt(pickleInt(Number.MIN_SAFE_INTEGER))?.value).toBe(Number.MIN_SAFE_INTEGER);
  });
});
