import { expect, test } from 'vitest';
import { parseCookieHeader, readCookie } from '../../src/core/cookie.ts';
import { differs } from './differences.ts';
import { loadVectors, type Named } from './load.ts';

interface HeaderVector extends Named {
  header_hex: string;
  pairs: [name: string, value: string][];
  session: string | null;
}

/** White space to Python and to Unicode, and part of a cookie's name to browsers. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNICODE_SPACE = /^[\s\x1c-\x1f\x85]+|[\s\x1c-\x1f\x85]+$/g;

test.each(loadVectors<HeaderVector>('cookie_header').vectors)('$name', (vector) => {
  const header = Buffer.from(vector.header_hex, 'hex').toString('latin1');
  const pairs = parseCookieHeader(header);
  expect(readCookie(header, 'session')).toBe(pairs.find(([name]) => name === 'session')?.[1]);

  if (pairs.some(([name]) => name !== name.replace(UNICODE_SPACE, ''))) {
    differs(
      'cookie_header',
      vector.name,
      'S-UNICODE-SPACE',
      'white space that browsers take for a part of a name is one',
    );
    const stripped = pairs.map(([name, value]) => [name.replace(UNICODE_SPACE, ''), value]);
    expect(stripped.filter(([name]) => name !== '')).toEqual(vector.pairs);
  } else {
    expect(pairs).toEqual(vector.pairs);
    expect(readCookie(header, 'session') ?? null).toBe(vector.session);
  }
});
