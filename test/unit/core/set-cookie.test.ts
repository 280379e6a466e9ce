import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CookieAttributes,
  CookieWriter,
  MAX_COOKIE_OCTETS,
  parseCookieHeader,
  readCookie,
  serializeSetCookie,
  validateCookieOptions,
} from '../../../src/core/cookie.ts';
import { SessionConfigError, SessionCookieTooLargeError, SessionEncodeError } from '../../../src/errors.ts';

const AT = Date.UTC(2024, 3, 1, 9, 5, 7, 999);
const name = 's';

test('all attributes, in Werkzeug\u2019s order', () => {
  const writer = new CookieWriter({
    name,
    domain: 'example.com',
    path: '/p',
    secure: true,
    httpOnly: true,
    sameSite: 'lax',
    partitioned: true,
  });
  const tail = 'Secure; HttpOnly; Path=/p; SameSite=Lax; Partitioned';
  expect(writer.set('v', AT)).toBe(`s=v; Domain=example.com; Expires=Mon, 01 Apr 2024 09:05:07 GMT; ${tail}`);
  expect(writer.set('v')).toBe(`s=v; Domain=example.com; ${tail}`);
  expect(writer.clear()).toBe(`s=; Domain=example.com; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; ${tail}`);
  expect(writer.name).toBe('s');
});

test('none', () => {
  expect(serializeSetCookie({ name, value: 'v' })).toBe('s=v');
});

describe('Secure', () => {
  const set = (attributes: Partial<CookieAttributes>, https?: boolean) =>
    new CookieWriter({ name, ...attributes }).set('v', undefined, https);

  test('auto follows the request', () => {
    expect(set({ secure: 'auto' }, true)).toBe('s=v; Secure');
    expect(set({ secure: 'auto' }, false)).toBe('s=v');
    expect(set({ secure: 'auto' })).toBe('s=v');
    expect(new CookieWriter({ name, secure: 'auto' }).clear(true)).toMatch(/; Max-Age=0; Secure$/);
  });

  test('true and false do not', () => {
    expect(set({ secure: true }, false)).toBe('s=v; Secure');
    expect(set({ secure: false }, true)).toBe('s=v');
    expect(set({}, true)).toBe('s=v');
  });

  test('a partitioned cookie is secure', () => {
    expect(set({ partitioned: true, secure: false })).toBe('s=v; Secure; Partitioned');
    expect(set({ partitioned: true, secure: 'auto' }, false)).toBe('s=v; Secure; Partitioned');
  });
});

describe('Domain', () => {
  test.each([
    ['example.com', 'example.com'],
    ['Example.COM', 'Example.COM'],
    ['.example.com', 'example.com'],
    ['..example.com:8080', 'example.com'],
    ['b\u00fccher.Example', 'xn--bcher-kva.Example'],
    ['B\u00dcCHER.example', 'xn--bcher-kva.example'],
    ['stra\u00dfe.de', 'strasse.de'],
    ['\u30c6\u30b9\u30c8\u3002jp', 'xn--zckzah.jp'],
    ['\uff11\uff12.\uff11', '12.1'],
    ['localhost', 'localhost'],
    ['', ''],
  ])('%j is written %j', (domain, written) => {
    expect(serializeSetCookie({ name, value: 'v', domain })).toBe(`s=v; Domain=${written}`);
  });

  test.each(['\u00e9/x', '\u00e9@x', '\u00e9#', '\u00e9 x', 'a b', 'a;b', 'a\r\nb', 'a\0', '\u200d', '\ud800'])(
    '%j is refused',
    (domain) => {
      expect(() => new CookieWriter({ name, domain })).toThrow(SessionConfigError);
    },
  );
});

test.each([
  ['/', '/'],
  ['', ''],
  ['/a b;c,d"\u00e9', '/a%20b%3Bc,d%22%C3%A9'],
  ["/%41~-_.!$&'()*+,:=@", "/%41~-_.!$&'()*+,:=@"],
  ['/\r\n?#[]', '/%0D%0A%3F%23%5B%5D'],
  ['/\u{1f600}', '/%F0%9F%98%80'],
])('Path %j is written %j', (path, written) => {
  expect(serializeSetCookie({ name, value: 'v', path })).toBe(`s=v; Path=${written}`);
});

test('SameSite is title-cased, and one of three', () => {
  for (const sameSite of ['strict', 'LAX', 'None']) {
    const title = sameSite[0]?.toUpperCase() + sameSite.slice(1).toLowerCase();
    expect(serializeSetCookie({ name, value: 'v', sameSite })).toBe(`s=v; SameSite=${title}`);
  }
  for (const sameSite of ['', 'bogus', 'Lax; Domain=x']) {
    expect(() => new CookieWriter({ name, sameSite })).toThrow(SessionConfigError);
  }
});

describe('Expires', () => {
  const expires = (time: number) => /Expires=(.*)/.exec(serializeSetCookie({ name, value: '', expiresAt: time }))?.[1];

  test.each([
    [0, 'Thu, 01 Jan 1970 00:00:00 GMT'],
    [999, 'Thu, 01 Jan 1970 00:00:00 GMT'],
    [1000, 'Thu, 01 Jan 1970 00:00:01 GMT'],
    [Date.UTC(2024, 1, 29, 23, 59, 59), 'Thu, 29 Feb 2024 23:59:59 GMT'],
    [1e15, 'Fri, 31 Dec 9999 23:59:59 GMT'],
    [Number.POSITIVE_INFINITY, 'Fri, 31 Dec 9999 23:59:59 GMT'],
  ])('%d ms', (time, text) => {
    expect(expires(time)).toBe(text);
    expect(expires(time)).toBe(text);
  });

  test.each([Number.NaN, -1])('%d ms is refused', (time) => {
    expect(() => expires(time)).toThrow(SessionEncodeError);
  });
});

describe('name and value', () => {
  test('a name is sent as UTF-8', () => {
    expect(serializeSetCookie({ name: 's\u00e9ss', value: 'v' })).toBe('s\u00c3\u00a9ss=v');
  });

  test.each(['', 'a=b', 'a;b', 'a\r\nSet-Cookie: b', 'a\0', 'a\tb', 'a\x7f'])(
    'CVE-2024-47764: the name %j would be another cookie or another header',
    (bad) => {
      expect(() => new CookieWriter({ name: bad })).toThrow(SessionConfigError);
    },
  );

  test('any value is one value, and comes back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (value) => {
        const text = serializeSetCookie({ name, value });
        expect(text).not.toMatch(/[^\x20-\x7e]/);
        const pairs = parseCookieHeader(text);
        expect(pairs).toHaveLength(1);
        const isWellFormed = !/\p{Surrogate}/u.test(value);
        if (isWellFormed) expect(pairs[0]).toEqual([name, value]);
      }),
    );
  });

  test.each([
    ['eyJhIjoxfQ.ZVPxAA.r-bh_X', 'eyJhIjoxfQ.ZVPxAA.r-bh_X'],
    ['{}[]|~`^<>?@', '{}[]|~`^<>?@'],
    ['a b', '"a b"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['a;b,c', '"a\\073b\\054c"'],
    ['\u00e9', '"\\303\\251"'],
    ['\r\n', '"\\015\\012"'],
  ])('the value %j is written %j', (value, written) => {
    expect(serializeSetCookie({ name, value })).toBe(`s=${written}`);
    expect(readCookie(`s=${written}`, 's')).toBe(value);
  });

  test('more than browsers keep is refused, attributes not counted', () => {
    const writer = new CookieWriter({ name: 'name', path: '/', domain: 'example.com', httpOnly: true });
    expect(writer.set('v'.repeat(MAX_COOKIE_OCTETS - 4), AT)).toContain('Path=/');
    try {
      writer.set('v'.repeat(MAX_COOKIE_OCTETS - 3), AT);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SessionCookieTooLargeError);
      expect(error).toMatchObject({ code: 'ERR_SESSION_COOKIE_TOO_LARGE', size: 4097, limit: 4096 });
      expect((error as Error).message).toMatch(/store less.*server-side/);
      expect((error as Error).message).not.toContain('vvv');
    }
  });

  test('octets are counted, not characters', () => {
    expect(() => serializeSetCookie({ name: '\u00e9'.repeat(2048), value: 'v' })).toThrow(SessionCookieTooLargeError);
  });
});

describe('CVE-2024-47764, GHSA-26pp-8wgv-hjvm: name, path and domain are validated', () => {
  const field = (options: CookieAttributes) => {
    try {
      validateCookieOptions(options);
    } catch (error) {
      expect(error).toBeInstanceOf(SessionConfigError);
      return (error as SessionConfigError).option;
    }
    return undefined;
  };

  test.each<CookieAttributes>([
    { name: 'session' },
    { name: "!#$%&'*+-.^_`|~09azAZ" },
    { name, domain: 'example.com', path: '/app', secure: 'auto', sameSite: 'Lax', httpOnly: true },
    { name, domain: '.example.com' },
    { name, domain: 'b\u00fccher.example' },
    { name, domain: '127.0.0.1' },
    { name, sameSite: 'none', secure: true },
    { name, partitioned: true, secure: true },
    { name: '__Host-session', secure: true, path: '/' },
    { name: '__Secure-session', secure: true, domain: 'example.com' },
    { name: '__Hostsession' },
  ])('%j is good', (options) => {
    expect(field(options)).toBeUndefined();
    expect(new CookieWriter(options)).toBeDefined();
  });

  test.each<[string, CookieAttributes]>([
    ['name', { name: '' }],
    ['name', { name: 'a b' }],
    ['name', { name: 'a=b' }],
    ['name', { name: 'a;b' }],
    ['name', { name: 'a,b' }],
    ['name', { name: 'a\r\nb' }],
    ['name', { name: 's\u00e9ss' }],
    ['name', { name: '\u00a0session' }],
    ['name', { name: '"session"' }],
    ['name', { name: 'x'.repeat(1025) }],
    ['name', { name: 5 as unknown as string }],
    ['domain', { name, domain: '' }],
    ['domain', { name, domain: 'example.com; Secure' }],
    ['domain', { name, domain: 'example.com\r\nX: y' }],
    ['domain', { name, domain: 'a,b' }],
    ['domain', { name, domain: 'example.com:80' }],
    ['domain', { name, domain: 'a..b' }],
    ['domain', { name, domain: '-a.example' }],
    ['domain', { name, domain: `${'a'.repeat(64)}.example` }],
    ['domain', { name, domain: `${'a.'.repeat(130)}example` }],
    ['domain', { name, domain: 5 as unknown as string }],
    ['path', { name, path: '' }],
    ['path', { name, path: 'app' }],
    ['path', { name, path: '/a;b' }],
    ['path', { name, path: '/a,b' }],
    ['path', { name, path: '/a\nb' }],
    ['path', { name, path: '/a\x7f' }],
    ['path', { name, path: `/${'a'.repeat(1024)}` }],
    ['sameSite', { name, sameSite: 'bogus' }],
    ['secure', { name, sameSite: 'None' }],
    ['secure', { name, sameSite: 'none', secure: 'auto' }],
    ['secure', { name, partitioned: true }],
    ['secure', { name: '__Host-s', path: '/' }],
    ['secure', { name: '__host-s', path: '/', secure: 'auto' }],
    ['secure', { name: '__SECURE-s', path: '/', secure: false }],
    ['path', { name: '__hOST-s', secure: true }],
    ['path', { name: '__Host-s', secure: true, path: '/app' }],
    ['domain', { name: '__Host-s', secure: true, path: '/', domain: 'example.com' }],
  ])('%s: %j', (option, options) => {
    expect(field(options)).toBe(`cookie.${option}`);
  });

  test('the option is named as the user wrote it, and shown briefly', () => {
    const flask = () =>
      validateCookieOptions({ name: 'a b'.repeat(1000) }, (part) => `SESSION_COOKIE_${part.toUpperCase()}`);
    expect(flask).toThrow(/^SESSION_COOKIE_NAME: got .{1,70}; expected/);
  });
});
