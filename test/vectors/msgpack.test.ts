/** Records that msgspec wrote for Flask-Session, and what it reads: the bytes and the values must be the same here. */
import { describe, expect, test } from 'vitest';
import type { OpenRecord } from '../../src/codecs/codec.ts';
import { MAX_DEPTH } from '../../src/codecs/limits.ts';
import { msgpack } from '../../src/codecs/msgpack.ts';
import { SessionDecodeError, SessionEncodeError } from '../../src/errors.ts';
import { differs } from './differences.ts';
import { loadVectors, type Named } from './load.ts';
import { canonical, type Notation, toNotation, toValue } from './notation.ts';

interface StoreVector extends Named {
  format?: string;
  session?: Notation;
  reads_back?: Notation;
  error?: { type: string };
  value_hex?: string;
  set?: { val_hex: string };
  row?: { data_hex: string };
  item?: { val: { B: string } };
  data_hex?: string;
}

/** The record, wherever the store keeps it. */
function recordOf(vector: StoreVector): Uint8Array | undefined {
  if (vector.item) return Buffer.from(vector.item.val.B, 'base64');
  const hex = vector.value_hex ?? vector.set?.val_hex ?? vector.row?.data_hex ?? vector.data_hex;
  return hex === undefined ? undefined : Buffer.from(hex, 'hex');
}

/** A dict in the vectors' notation, as the patch that makes it. */
function patchOf(session: Notation) {
  const entries = new Map<string, unknown>();
  for (const [key, value] of session[1] as [string, Notation][]) entries.set(key, toValue(value));
  return { cleared: false, entries, moved: new Set<string>() };
}

/** Every value decoded. Keys that are not text have no name; `hidden` says how many there are. */
function contentOf(record: OpenRecord): { hidden: number; dict: Notation } {
  const keys = record.keys();
  return { hidden: record.size - keys.length, dict: ['dict', keys.map((key) => [key, toNotation(record.get(key))])] };
}

function expectContent(record: OpenRecord, expected: Notation): void {
  const pairs = expected[1] as [Notation, Notation][];
  const named = pairs.filter(([key]) => typeof key === 'string');
  const { hidden, dict } = contentOf(record);
  expect(canonical(dict)).toEqual(canonical(['dict', named]));
  expect(hidden).toBe(pairs.length - named.length);
}

/** Whether Python's error is about the session's values, not about the store's own limits (key, lifetime). */
function isUnencodable(notation: Notation): boolean {
  if (typeof notation === 'string') return /\p{Surrogate}/u.test(notation);
  if (!Array.isArray(notation)) return false;
  const [type, content] = notation;
  if (type === 'complex' || type === 'object' || type === 'markup') return true;
  if (type === 'int') return BigInt(content) >= 2n ** 64n || BigInt(content) < -(2n ** 63n);
  return Array.isArray(content) && content.flat(type === 'dict' ? 1 : 0).some(isUnencodable);
}

const files = ['redis', 'memcached', 'mongodb', 'sqlalchemy', 'dynamodb', 'postgresql'].map(
  (store) => `store_${store}`,
);

describe.each(files)('%s', (file) => {
  const vectors = loadVectors<StoreVector>(file).vectors.filter((v) => v.format === 'msgpack' && v.session);

  test.each(vectors)('$name', (vector) => {
    const write = () => msgpack.write(undefined, patchOf(vector.session));
    if (isUnencodable(vector.session)) {
      expect(vector.error).toBeDefined();
      expect(write).toThrow(SessionEncodeError);
      return;
    }
    const bytes = write();
    const record = recordOf(vector);
    // Without a record the store refused the key or the lifetime: the bytes are then only known to be readable.
    if (record) expect(Buffer.from(bytes).toString('hex')).toBe(Buffer.from(record).toString('hex'));
    const same = vector.reads_back === undefined || vector.reads_back?.same_as === 'session';
    const readsBack = same ? vector.session : vector.reads_back;
    expectContent(msgpack.open(record ?? bytes), readsBack);
    const opened = msgpack.open(record ?? bytes);
    for (const key of opened.keys())
      expect(opened.same(key, opened.get(key)), 'a value is the same as itself').toBe(true);
  });
});

interface DecodeVector extends Named {
  format: string;
  record_hex: string;
  decoded?: Notation;
  session?: Notation;
  session_ok?: boolean;
  error?: { type: string };
}

describe('store_decode', () => {
  // With `format` msgpack this codec comes first; what falls through to JSON or pickle it must refuse.
  const vectors = loadVectors<DecodeVector>('store_decode').vectors.filter((v) => v.format === 'msgpack');

  test.each(vectors)('$name', (vector) => {
    const bytes = Buffer.from(vector.record_hex, 'hex');
    const read = () => contentOf(msgpack.open(bytes));
    if (vector.session_ok && looksLikeMsgpack(bytes)) {
      expectContent(msgpack.open(bytes), vector.session);
      return;
    }
    if (vector.error?.type === 'RecursionError' && looksLikeMsgpack(bytes)) {
      differs(
        'store_decode',
        vector.name,
        'S-CORRUPT-RECORD',
        `nesting is refused from ${MAX_DEPTH} levels on, by the documented error`,
      );
    }
    expect(read).toThrow(SessionDecodeError);
  });
});

/** JSON starts with white space, `{`, `[`, `"`, a digit or a letter; pickles with an opcode. As msgpack those are ints and strs. */
function looksLikeMsgpack(bytes: Uint8Array): boolean {
  const lead = bytes[0]!;
  const isPickle = lead === 0x80 && bytes.length > 1;
  return !isPickle && ((lead >= 0x80 && lead < 0xa0) || lead === 0xc0 || (lead >= 0xdc && lead < 0xe0));
}
