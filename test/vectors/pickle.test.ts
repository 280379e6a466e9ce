/** Pickles that CPython wrote, read and written; and pickles that no reader should survive by luck. */
import { describe, expect, test } from 'vitest';
import { type OpenRecord, REMOVED } from '../../src/codecs/codec.ts';
import { pickle, pickleInt, readPickledInt } from '../../src/codecs/pickle.ts';
import { SessionDecodeError, SessionEncodeError } from '../../src/errors.ts';
import { expectAtMost } from '../relative-time.ts';
import { differs } from './differences.ts';
import { loadVectors, type Named } from './load.ts';
import { canonical, type Notation, toNotation, toValue } from './notation.ts';

interface LegacyVector extends Named {
  class: 'plain' | 'known-types';
  source?: string;
  protocol?: number;
  store?: string;
  pickle_hex: string;
  value: Notation;
  error?: unknown;
}

interface HostileVector extends Named {
  class: string;
  note: string;
  pickle_hex: string;
  must_refuse: boolean;
  python_value?: Notation;
}

interface FileVector extends Named {
  session: Notation;
  files?: Record<string, { hex: string }>;
}

/** The interned texts that a type brings with it. */
const NAMES: Record<string, string[]> = {
  datetime: ['datetime'],
  date: ['datetime'],
  time: ['datetime'],
  timedelta: ['datetime'],
  uuid: ['uuid', 'UUID', 'int'],
  decimal: ['decimal'],
  markup: ['markupsafe', 'Markup'],
  ordereddict: ['collections'],
};

/** MD5 of `__wz_cache_count`. */
const COUNT_FILE = '2029240f6d1128be89ddc32729463129';

const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function notationOf(record: OpenRecord): Notation {
  expect(record.keys()).toHaveLength(record.size);
  return ['dict', record.keys().map((key) => [key, toNotation(record.get(key))])];
}

function expectValue(bytes: Uint8Array, value: Notation): void {
  const record = pickle.open(bytes);
  expect(canonical(notationOf(record))).toEqual(canonical(value));
  expect(record.keys()).toEqual(value[1].map(([key]: [string]) => key));
}

function write(session: Notation): Uint8Array {
  const entries = new Map<string, unknown>(session[1].map(([k, v]: [string, Notation]) => [k, toValue(v)]));
  return pickle.write(undefined, { cleared: false, entries, moved: new Set() });
}

function rewrite(bytes: Uint8Array): Uint8Array {
  return pickle.write(pickle.open(bytes), { cleared: false, entries: new Map(), moved: new Set() });
}

/**
 * CPython writes an object once and refers to it from then on. The notation shows equal values, but not whether they were one
 * object, so the bytes are only determined when nothing that CPython memoizes occurs twice. Exempt are texts of at most one
 * character of Latin-1 and at most one byte, each of which exists only once in CPython, and empty containers, which are objects
 * of their own. A text that is also the name of a class in the pickle may be one object with it or not.
 */
function hasRepeats(session: Notation): boolean {
  const seen = new Set<string>();
  const names = new Set<string>();
  let repeats = false;
  const visit = (n: Notation): void => {
    if (n === null || typeof n === 'boolean') return;
    const [type, items] = typeof n === 'string' ? ['str', n] : n;
    if (type === 'int' || type === 'float') return;
    const unique =
      type === 'str' ? items.length <= 1 && !/[^\0-\xff]/.test(items) : type === 'bytes' && items.length <= 2;
    const empty = Array.isArray(items) && items.length === 0;
    const text = JSON.stringify(n);
    for (const name of NAMES[type] ?? []) names.add(JSON.stringify(name));
    repeats ||= !unique && !empty && seen.has(text);
    seen.add(text);
    if (Array.isArray(items)) for (const item of items) (type.endsWith('dict') ? item : [item]).forEach(visit);
  };
  visit(session);
  return repeats || [...names].some((name) => seen.has(name));
}

/** Exactly CPython's bytes, or where those are not determined the same value. */
function expectWritten(written: Uint8Array, session: Notation, python: Uint8Array): void {
  if (hasRepeats(session)) expectValue(written, session);
  else expect(hex(written)).toBe(hex(python));
}

describe('legacy_pickle', () => {
  for (const vector of loadVectors<LegacyVector>('legacy_pickle').vectors) {
    test(vector.name, () => {
      const bytes = fromHex(vector.pickle_hex);
      if (vector.error) {
        expect(() => pickle.open(bytes)).toThrow(SessionDecodeError);
        return;
      }
      expectValue(bytes, vector.value);
      // What we write is what CPython writes in its highest protocol; nothing is lost on the way through.
      const python = vector.protocol === 5 || vector.store === 'filesystem' ? bytes : undefined;
      expectValue(rewrite(bytes), vector.value);
      if (python) {
        expectWritten(write(vector.value), vector.value, python);
        // A container that is used twice is known to be one when it was read.
        expect(hex(rewrite(python))).toBe(hex(python));
      }
    });
  }
});

describe('hostile_pickle', () => {
  for (const vector of loadVectors<HostileVector>('hostile_pickle').vectors) {
    test(vector.name, () => {
      const bytes = fromHex(vector.pickle_hex);
      let record: OpenRecord | undefined;
      try {
        record = pickle.open(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(SessionDecodeError);
      }
      if (vector.must_refuse) expect(record).toBeUndefined();
      if (vector.python_value) {
        expect(record).toBeDefined();
        expectValue(bytes, vector.python_value);
      }
      if (!record && vector.class === 'code-execution') differs('hostile_pickle', vector.name, 'S-PICKLE', 'data only');
      if (!record && vector.class === 'cyclic') differs('hostile_pickle', vector.name, 'S-PICKLE', 'no cycles');
    });
  }
});

describe('hostile_pickle costs no more than a record as large as one may be', () => {
  const largest = Uint8Array.from(Buffer.from(`\x80\x04}\x8c\x01a](${']'.repeat(200_000)}es.`, 'latin1'));
  const open = (bytes: Uint8Array) => () => {
    try {
      pickle.open(bytes);
    } catch {
      // Refused, or not: at what price is the question.
    }
  };
  test('which is read', () => {
    expect(pickle.open(largest).get('a')).toHaveLength(200_000);
  });
  for (const { name, pickle_hex } of loadVectors<HostileVector>('hostile_pickle').vectors) {
    test(name, () => expectAtMost(1, open(fromHex(pickle_hex)), open(largest)));
  }
});

describe('store_filesystem', () => {
  for (const vector of loadVectors<FileVector>('store_filesystem').vectors) {
    test(vector.name, () => {
      const files = Object.entries(vector.files ?? {}).map(([name, { hex }]) => [name, fromHex(hex)] as const);
      for (const [name, file] of files) {
        const body = file.subarray(expiryLength(file));
        if (name === COUNT_FILE) {
          const count = readPickledInt(body);
          expect(count).toEqual({ value: files.length - 1, length: body.length });
          expect(hex(pickleInt(count!.value))).toBe(hex(body));
        } else {
          expectSession(vector, body);
        }
      }
    });
  }

  function expectSession(vector: FileVector, body: Uint8Array): void {
    if (JSON.stringify(vector.session).includes('["complex",')) {
      differs('store_filesystem', vector.name, 'S-PICKLE', 'no class beyond the known types');
      expect(() => pickle.open(body)).toThrow(SessionDecodeError);
      expect(() => write(vector.session)).toThrow(SessionEncodeError);
      return;
    }
    expectValue(body, vector.session);
    expectWritten(write(vector.session), vector.session, body);
    const record = pickle.open(body);
    for (const [key, value] of vector.session[1]) {
      expect(record.same(key, record.get(key))).toBe(true);
      expect(record.same(key, toValue(value))).toBe(true);
      const gone = pickle.write(record, { cleared: false, entries: new Map([[key, REMOVED]]), moved: new Set() });
      expect(pickle.open(gone).has(key)).toBe(false);
    }
  }

  /** Four bytes before the pickle; up to cachelib 0.6, a pickled int. */
  function expiryLength(file: Uint8Array): number {
    return file[4] === 0x80 ? 4 : readPickledInt(file)!.length;
  }
});
