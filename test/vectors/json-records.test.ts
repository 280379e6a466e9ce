/** The records that Flask-Session writes as JSON, as each of its stores holds them. */
import { expect, test } from 'vitest';
import type { Codec, Patch } from '../../src/codecs/codec.ts';
import { json } from '../../src/codecs/json.ts';
import { SessionDecodeError, SessionEncodeError } from '../../src/errors.ts';
import { loadVectors, type Named, type Notation } from './load.ts';
import { canonical, toNotation, toValue } from './notation.ts';

interface StoreVector extends Named {
  format?: string;
  session: Notation;
  reads_back?: Notation;
  error?: { type: string };
  /** redis, memcached */
  value_hex?: string;
  /** mongodb */
  set?: { val_hex: string };
  /** sqlalchemy */
  row?: { data_hex: string };
  /** postgresql */
  data_hex?: string;
  /** dynamodb */
  item?: { val: { B: string } };
}

function recordOf(vector: StoreVector): Buffer | undefined {
  const hex = vector.value_hex ?? vector.set?.val_hex ?? vector.row?.data_hex ?? vector.data_hex;
  if (hex !== undefined) return Buffer.from(hex, 'hex');
  return vector.item && Buffer.from(vector.item.val.B, 'base64');
}

const STORES = ['redis', 'memcached', 'mongodb', 'sqlalchemy', 'dynamodb', 'postgresql'];

function patchOf(session: Notation): Patch {
  const value = toValue(session);
  const entries = value instanceof Map ? value : new Map(Object.entries(value as object));
  return { cleared: false, entries: entries as Map<string, unknown>, moved: new Set() };
}

const NOTHING: Patch = { cleared: false, entries: new Map(), moved: new Set() };

function read(codec: Codec, record: Uint8Array): Notation {
  const open = codec.open(record);
  return ['dict', open.keys().map((key) => [key, toNotation(open.get(key))])];
}

for (const store of STORES) {
  for (const vector of loadVectors<StoreVector>(`store_${store}`).vectors.filter(({ format }) => format === 'json')) {
    test(`store_${store} ${vector.name}`, () => {
      if (vector.error) {
        expect(() => json.write(undefined, patchOf(vector.session))).toThrow(SessionEncodeError);
        return;
      }
      const written = json.write(undefined, patchOf(vector.session));
      const record = recordOf(vector);
      if (record) expect(Buffer.from(written).toString()).toBe(record.toString());
      expect(json.write(json.open(written), NOTHING)).toEqual(written);
      if (vector.reads_back) {
        const expected = vector.reads_back.same_as === 'session' ? vector.session : vector.reads_back;
        expect(canonical(read(json, written))).toEqual(canonical(expected));
      }
    });
  }
}

interface DecodeVector extends Named {
  record_hex: string;
  decoded?: Notation;
  session_ok?: boolean;
  session?: Notation;
}

// Bytes whose first character cannot begin JSON are read by the other formats. `1` and `123` are msgpack too, and become
// no session either way.
const decodes = loadVectors<DecodeVector>('store_decode').vectors;

test.each(decodes)('store_decode as JSON: $name', ({ record_hex, decoded, session_ok, session }) => {
  const record = Buffer.from(record_hex, 'hex');
  const isJson = /^[ \t\r\n]*["{[ntf\d-]/.test(record.toString('latin1')) && decoded !== undefined && session_ok;
  // A msgpack or pickle record never begins like a JSON mapping and decodes too.
  if (isJson) expect(canonical(read(json, record))).toEqual(canonical(session));
  else expect(() => json.open(record)).toThrow(SessionDecodeError);
});
