/** Properties: what is written is read back, and nothing that is read can do more than be refused. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OpenRecord } from '../../../src/codecs/codec.ts';
import { pickle, readPickledInt } from '../../../src/codecs/pickle.ts';
import { unpickle } from '../../../src/codecs/pickle-read.ts';
import { encodePickle } from '../../../src/codecs/pickle-write.ts';
import { ByteArray, DateTime, Float, FrozenSet, TimeDelta, Tuple, UUID } from '../../../src/codecs/values.ts';
import { SessionDecodeError } from '../../../src/errors.ts';
import { loadVectors } from '../../vectors/load.ts';
import { toNotation } from '../../vectors/notation.ts';

const NOTHING = { cleared: false, entries: new Map(), moved: new Set<string>() };

const text = fc.string({ unit: 'binary', maxLength: 8 });
const atom = fc.oneof(
  text,
  fc.boolean(),
  fc.constant(null),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: 2n ** 60n, max: 2n ** 70n }),
  fc.double().map((x) => (Number.isInteger(x) ? new Float(x) : x)),
  fc.uint8Array({ maxLength: 8 }),
  fc.uuid().map((uuid) => new UUID(uuid)),
  fc
    .tuple(fc.integer({ min: -999_999_999, max: 999_999_999 }), fc.nat(86_399), fc.nat(999_999))
    .map((parts) => new TimeDelta(...parts)),
  fc
    .tuple(fc.integer({ min: 0, max: 4e12 }), fc.nat(999), fc.option(fc.integer({ min: -86_399, max: 86_399 })))
    .map(([time, micros, offset]) =>
      offset === 0 && micros === 0 ? new Date(time) : new DateTime(time, micros, offset),
    ),
);
/** What is equal in Python, where a set or a dict holds it only once: 1, 1.0 and True; one date in two time zones. */
function identity(member: unknown): unknown {
  if (member instanceof Float) return member.value;
  if (typeof member === 'number' || typeof member === 'boolean') return Number(member);
  return member instanceof Date ? member.getTime() : JSON.stringify(toNotation(member));
}

const members = (key: fc.Arbitrary<unknown>) =>
  fc.uniqueArray(key, { maxLength: 4, selector: identity, comparator: 'SameValueZero' });

const items = (key: fc.Arbitrary<unknown>, value: fc.Arbitrary<unknown>) =>
  fc.uniqueArray(fc.tuple(key, value), {
    maxLength: 5,
    selector: ([name]) => identity(name),
    comparator: 'SameValueZero',
  });

const { value } = fc.letrec<{ value: unknown; key: unknown }>((tie) => ({
  key: fc.oneof(
    { depthSize: 'small' },
    atom,
    fc.array(tie('key'), { maxLength: 3 }).map((items) => Tuple.from(items)),
  ),
  value: fc.oneof(
    { depthSize: 'small' },
    atom,
    fc.uint8Array({ maxLength: 8 }).map((bytes) => new ByteArray(bytes)),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(tie('value'), { maxLength: 5 }).map((items) => Tuple.from(items)),
    fc.dictionary(text, tie('value'), { maxKeys: 5 }),
    items(tie('key'), tie('value')).map((pairs) => new Map(pairs)),
    members(tie('key')).map((items) => new Set(items)),
    members(tie('key')).map((items) => new FrozenSet(items)),
  ),
}));
const session = fc.array(fc.tuple(text, value), { maxLength: 5 }).map((items) => new Map(items));

test('decode(encode(x)) is x', () => {
  fc.assert(
    fc.property(session, (data) => {
      const record = pickle.open(encodePickle(data));
      expect(record.keys()).toEqual([...data.keys()]);
      for (const [key, member] of data) {
        expect(toNotation(record.get(key))).toEqual(toNotation(member));
        expect(record.same(key, record.get(key))).toBe(true);
        expect(record.same(key, member)).toBe(true);
      }
      expect(pickle.write(record, NOTHING)).toEqual(encodePickle(data));
    }),
    { numRuns: 500 },
  );
});

/** How long the pickle is that the bytes start with; 0: there is none. */
function lengthOf(bytes: Uint8Array): number {
  try {
    return unpickle(bytes).length;
  } catch {
    return 0;
  }
}

/** Opens, reads everything, writes it again and reads that: all or nothing. */
function survive(bytes: Uint8Array): void {
  let record: OpenRecord;
  try {
    record = pickle.open(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(SessionDecodeError);
    return;
  }
  for (const key of record.keys()) record.get(key);
  const again = pickle.write(record, NOTHING);
  expect(pickle.write(pickle.open(again), NOTHING)).toEqual(again);
  expect(Object.prototype).not.toHaveProperty('polluted');
}

describe('hostile bytes only ever raise SessionDecodeError', () => {
  const corpus = [
    ...loadVectors<{ name: string; pickle_hex: string }>('legacy_pickle').vectors,
    ...loadVectors<{ name: string; pickle_hex: string }>('hostile_pickle').vectors,
  ]
    .map(({ pickle_hex }) => new Uint8Array(Buffer.from(pickle_hex, 'hex')))
    .filter((bytes) => bytes.length > 0 && bytes.length < 2000);
  const sample = fc.constantFrom(...corpus);

  test('arbitrary bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), survive), { numRuns: 5000 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        readPickledInt(bytes);
      }),
    );
  });

  test('flipped bits', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(sample, flips, (bytes, changes) => {
        const copy = bytes.slice();
        for (const [at, mask] of changes) copy[at % copy.length]! ^= mask;
        survive(copy);
      }),
      { numRuns: 10_000 },
    );
  });

  test('cut at every length', () => {
    for (const bytes of corpus) {
      for (let length = 0; length < bytes.length; length++) survive(bytes.subarray(0, length));
      const whole = lengthOf(bytes);
      for (let length = 0; length < whole; length++) expect(lengthOf(bytes.subarray(0, length))).toBe(0);
    }
  });

  test('one pickle spliced into another', () => {
    fc.assert(
      fc.property(sample, sample, fc.nat(), fc.nat(), fc.nat(), (a, b, at, from, length) => {
        const start = at % a.length;
        const piece = b.subarray(from % b.length, (from % b.length) + (length % b.length));
        survive(new Uint8Array([...a.subarray(0, start), ...piece, ...a.subarray(start)]));
      }),
      { numRuns: 10_000 },
    );
  });

  test('programs of valid opcodes', () => {
    const opcodes = [
      ...[
        '(',
        '0',
        '1',
        '2',
        'N',
        '\x88',
        '\x89',
        'K\x01',
        'M\x01\x02',
        'I5\n',
        'I01\n',
        'L7L\n',
        'F1.5\n',
        'G\x3f\xf0\0\0\0\0\0\0',
      ],
      ...[
        '\x8a\x01\xff',
        'X\x01\0\0\0a',
        '\x8c\x03int',
        'Vx\n',
        "S'y'\n",
        'U\x01z',
        'C\x01\xff',
        '\x96\x01\0\0\0\0\0\0\0\x01',
      ],
      ...[
        ']',
        ')',
        '}',
        '\x8f',
        'l',
        't',
        'd',
        '\x91',
        '\x85',
        '\x86',
        '\x87',
        'a',
        'e',
        's',
        'u',
        '\x90',
        'R',
        '\x81',
        'b',
      ],
      ...['\x94', 'p0\n', 'q\x01', 'h\0', 'h\x01', 'g2\n', 'j\x03\0\0\0', '.'],
      ...['cuuid\nUUID\n', 'c__builtin__\nset\n', 'cbuiltins\nfrozenset\n', 'c_codecs\nencode\n', 'Vlatin1\n'],
      ...[
        'ccollections\nOrderedDict\n',
        'cdatetime\ndatetime\n',
        'cdatetime\ntimedelta\n',
        'C\x0a\x07\xe8\x01\x02\x03\x04\x05\0\0\0',
      ],
      ...['cdatetime\ntimezone\n', 'cmarkupsafe\nMarkup\n', 'ccopy_reg\n_reconstructor\n', 'c__builtin__\nobject\n'],
    ].map((opcode) => Buffer.from(opcode, 'latin1'));
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...opcodes), { maxLength: 40 }), fc.boolean(), (program, dict) => {
        const body = dict ? ['}\x8c\x01k', ...program, 's.'] : [...program, '.'];
        const bytes = Buffer.concat(
          body.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
        );
        survive(new Uint8Array(bytes));
      }),
      { numRuns: 20_000 },
    );
  });
});
