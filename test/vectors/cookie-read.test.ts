import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { OpenRecord } from '../../src/codecs/codec.ts';
import { MAX_INFLATED } from '../../src/codecs/limits.ts';
import { taggedJson } from '../../src/codecs/tagged-json.ts';
import { MAX_TIMESTAMP } from '../../src/codecs/timed.ts';
import { URLSafeTimedSerializer } from '../../src/codecs/url-safe.ts';
import { BadSignatureError, SessionDecodeError } from '../../src/errors.ts';
import { differs } from './differences.ts';
import { type Bytes, loadVectors, type Named, type Notation, toBytes } from './load.ts';
import { canonical, toNotation } from './notation.ts';

interface ReadVector extends Named {
  secret_key: Bytes;
  secret_key_fallbacks?: Bytes[];
  now: number;
  permanent_session_lifetime: number;
  cookie: string;
  outcome: 'session' | 'new' | 'error';
  session?: Notation;
  /** In place of `session`: what its text is like. */
  session_big?: Record<string, { length: number; sha256: string }>;
  error?: { type: string };
}

type Outcome = { session: OpenRecord } | 'bad signature' | 'undecodable';

function read(vector: ReadVector): Outcome {
  const keys = [...(vector.secret_key_fallbacks ?? []), vector.secret_key].map(toBytes);
  const { now, permanent_session_lifetime: maxAge } = vector;
  try {
    const { payload } = new URLSafeTimedSerializer(keys).loads(vector.cookie, { now, maxAge });
    const session = taggedJson.open(payload);
    for (const key of session.keys()) session.get(key);
    return { session };
  } catch (error) {
    if (error instanceof BadSignatureError) return 'bad signature';
    if (error instanceof SessionDecodeError) return 'undecodable';
    throw error;
  }
}

/** Payload, timestamp and signature of a cookie that has them. */
function split(cookie: string): [payload: string, timestamp: string, signature: string] {
  const [, payload = '', timestamp = '', signature = ''] = /^(.*)\.([^.]*)\.([^.]*)$/s.exec(cookie) ?? [];
  return [payload.replace(/^\./, ''), timestamp, signature];
}

const isCanonical = (text: string) => Buffer.from(text, 'base64url').toString('base64url') === text;

function isMalleable(cookie: string): boolean {
  return !split(cookie).every(isCanonical);
}

function isBomb(cookie: string): boolean {
  if (!cookie.startsWith('.')) return false;
  try {
    inflateSync(Buffer.from(split(cookie)[0], 'base64url'), { maxOutputLength: MAX_INFLATED });
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
  }
}

function afterYear9999(cookie: string): boolean {
  return BigInt(`0x${Buffer.from(split(cookie)[1], 'base64url').toString('hex') || '0'}`) > BigInt(MAX_TIMESTAMP);
}

test.each(loadVectors<ReadVector>('cookie_read').vectors)('$name', (vector) => {
  const { name, cookie } = vector;
  const outcome = read(vector);

  if (vector.outcome === 'new') {
    expect(outcome).toBe('bad signature');
  } else if (vector.outcome === 'error') {
    // Python fails the request. Here it is told apart from a bad signature, and becomes a new session all the same.
    if (afterYear9999(cookie)) {
      differs('cookie_read', name, 'S-TIMESTAMP-500', 'a date after 9999 is a bad signature in place of an error');
      expect(outcome).toBe('bad signature');
    } else {
      const quirk = vector.error?.type === 'BadPayload' ? 'S-BAD-PAYLOAD-500' : 'S-NOT-A-DICT-500';
      differs('cookie_read', name, quirk, 'refused as undecodable, which starts a new session, in place of an error');
      expect(outcome).toBe('undecodable');
    }
  } else if (isBomb(cookie)) {
    differs('cookie_read', name, 'S-BOMB', `inflates to more than ${MAX_INFLATED} bytes`);
    expect(outcome).toBe('undecodable');
  } else if (isMalleable(cookie)) {
    differs('cookie_read', name, 'S-MALLEABLE', 'base64 that Python reads and never writes is refused');
    expect(typeof outcome).toBe('string');
  } else {
    expect(outcome).toHaveProperty('session');
    const { session } = outcome as { session: OpenRecord };
    if (vector.session_big) {
      for (const [key, { length, sha256 }] of Object.entries(vector.session_big)) {
        const text = session.get(key) as string;
        expect(text.length).toBe(length);
        expect(createHash('sha256').update(text).digest('hex')).toBe(sha256);
      }
    } else {
      const dict = ['dict', session.keys().map((key) => [key, toNotation(session.get(key))])];
      expect(canonical(dict)).toEqual(canonical(vector.session));
    }
  }
});
