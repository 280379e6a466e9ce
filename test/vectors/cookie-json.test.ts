/** The payload of Flask's session cookie: its JSON text, both ways. Signing has its own vectors. */
import { expect, test } from 'vitest';
import type { Patch } from '../../src/codecs/codec.ts';
import { dumps, loads, taggedJson } from '../../src/codecs/tagged-json.ts';
import { SessionEncodeError } from '../../src/errors.ts';
import { loadVectors, type Named, type Notation } from './load.ts';
import { canonical, toNotation, toValue } from './notation.ts';

interface CookieWrite extends Named {
  session: Notation;
  json?: string;
  reads_back?: Notation;
  error?: { type: string };
}

const { vectors } = loadVectors<CookieWrite>('cookie_write');
const NOTHING: Patch = { cleared: false, entries: new Map(), moved: new Set() };

test.each(vectors)('cookie_write $name', ({ session, json, reads_back: readsBack, error }) => {
  if (error) {
    expect(() => dumps(toValue(session))).toThrow(SessionEncodeError);
    return;
  }
  const text = json as string;
  expect(dumps(toValue(session))).toBe(text);

  if (readsBack) {
    const record = taggedJson.open(new TextEncoder().encode(text));
    const expected = readsBack.same_as === 'session' ? session : readsBack;
    const pairs = record.keys().map((key) => [key, toNotation(record.get(key))]);
    expect(canonical(['dict', pairs])).toEqual(canonical(expected));
    for (const key of record.keys()) expect(record.same(key, record.get(key)), key).toBe(true);
    // What Flask would write after reading it: the same text, unless there were keys that became text.
    expect(new TextDecoder().decode(taggedJson.write(record, NOTHING))).toBe(dumps(toValue(expected)));
    expect(dumps(loads(text))).toBe(dumps(toValue(expected)));
  }
});
