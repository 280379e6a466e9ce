import { expect, test } from 'vitest';
import { parseCookieHeader, readCookie } from '../../src/core/cookie.ts';
import { differs } from './differences.ts';
import { loadVectors, type Named } from './load.ts';

interface HeaderVector extends Named {
  header_hex: string;
  pairs: [name: string, value: string][];
  session: string | null;
}

/** What Python's `strip` removes around a name and the cookie specification does not. */
const UNICODE_SPACE = /(^|;)[\s\x1c-\x1f\x85]*[\x1c-\x1f\x85\xa0]|[\x1c-\x1f\x85\xa0][\s\x1c-\x1f\x85]*(=|;|$)/;

test.each(loadVectors<HeaderVector>('cookie_header').vectors)('$name', (vector) => {
  const header = Buffer.from(vector.header_hex, 'hex').toString('latin1');
  const pairs = parseCookieHeader(header);
  expect(readCookie(header, 'session')).toBe(pairs.find(([name]) => name === 'session')?.[1]);
  if (UNICODE_SPACE.test(header) && pairs.some(([name], i) => name !== vector.pairs[i]?.[0])) {
    differs(
      'cookie_header',
      vector.name,
      'S-UNICODE-SPACE',
      'a name keeps white space that browsers take as part of it',
    );
    return;
  }
  expect(pairs).toEqual(vector.pairs);
  expect(readCookie(header, 'session') ?? null).toBe(vector.session);
});
