import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { dumps, taggedJson } from '../../src/codecs/tagged-json.ts';
import { URLSafeTimedSerializer } from '../../src/codecs/url-safe.ts';
import { SessionEncodeError } from '../../src/errors.ts';
import { type Bytes, loadVectors, type Named, type Notation, toBytes } from './load.ts';
import { canonical, toNotation, toValue } from './notation.ts';

interface WriteVector extends Named {
  secret_key: Bytes;
  secret_key_fallbacks?: Bytes[];
  timestamp: number;
  session: Notation;
  json?: string;
  cookie?: string;
  compressed?: boolean;
  reads_back?: Notation;
  error?: unknown;
}

/** A cookie's parts, its payload unpacked: zlib builds differ in what they write. */
function parts(cookie: string) {
  const [timestamp, payload] = cookie.split('.').slice(0, -1).reverse() as [string, string];
  const bytes = Buffer.from(payload, 'base64url');
  return { timestamp, json: (cookie.startsWith('.') ? inflateSync(bytes) : bytes).toString() };
}

test.each(loadVectors<WriteVector>('cookie_write').vectors)('$name', (vector) => {
  const session = toValue(vector.session);
  if (vector.error) {
    expect(() => dumps(session)).toThrow(SessionEncodeError);
    return;
  }

  const json = dumps(session);
  expect(json).toBe(vector.json);
  const keys = [...(vector.secret_key_fallbacks ?? []), vector.secret_key].map(toBytes);
  const serializer = new URLSafeTimedSerializer(keys);
  const cookie = serializer.dumps(Buffer.from(json), vector.timestamp);
  const expected = vector.cookie as string;
  if (vector.compressed || cookie.startsWith('.')) expect(parts(cookie)).toEqual(parts(expected));
  else expect(cookie).toBe(expected);

  for (const text of [cookie, expected]) {
    const { payload, issuedAt, current } = serializer.loads(text, { now: vector.timestamp, maxAge: 0 });
    expect({ issuedAt, current }).toEqual({ issuedAt: vector.timestamp, current: true });
    const record = taggedJson.open(payload);
    const back = ['dict', record.keys().map((key) => [key, toNotation(record.get(key))])];
    const { reads_back } = vector;
    if (reads_back) {
      expect(canonical(back)).toEqual(canonical(reads_back.same_as === 'session' ? vector.session : reads_back));
    }
  }
});
