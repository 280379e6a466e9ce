import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCookieHeader, readCookie } from '../../../src/core/cookie.ts';
import { expectAtMost } from '../../relative-time.ts';

const pieces = [
  'session',
  'a',
  '=',
  ';',
  ' ',
  '\t',
  '"',
  '\\',
  '\\"',
  '\\303\\251',
  '\\4',
  '\\377',
  '\u00a0',
  '\u00e9',
  'b=c; ',
];
const hostile = fc.array(fc.constantFrom(...pieces), { maxLength: 16 }).map((parts) => parts.join(''));
const headers = fc.oneof(hostile, fc.string({ unit: 'binary' }), fc.string());

test('readCookie is the first match of parseCookieHeader', () => {
  fc.assert(
    fc.property(headers, fc.oneof(fc.constantFrom('session', 'a', '', ' ', '\u00a0a'), fc.string()), (header, name) => {
      const found = parseCookieHeader(header).find(([other]) => other === name);
      expect(readCookie(header, name)).toBe(found?.[1]);
    }),
    { numRuns: 3000 },
  );
});

test('without quotes it is a split at every semicolon', () => {
  const plain = headers.map((header) => header.replaceAll('"', ''));
  fc.assert(
    fc.property(plain, (header) => {
      const names = header
        .split(';')
        .map((entry) => (entry.split('=', 1)[0] as string).replace(/^[\t-\r ]+|[\t-\r ]+$/g, ''));
      expect(parseCookieHeader(header).map(([name]) => name)).toEqual(names.filter((name) => name !== ''));
    }),
  );
});

test('what a browser sends comes back', () => {
  const word = fc.stringMatching(/^[\w!#$%&'*+.^`|~-]{1,20}$/);
  const value = fc.stringMatching(/^[\w!#$%&'()*+./:<=>?@[\]^`{|}~-]{0,40}$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(word, value)), (pairs) => {
      expect(parseCookieHeader(pairs.map(([n, v]) => `${n}=${v}`).join('; '))).toEqual(pairs);
    }),
  );
});

test.each<[string, string, string | undefined]>([
  ['first of two', 'session=a; session=b', 'a'],
  ['none', 'other=a', undefined],
  ['empty header', '', undefined],
  ['a name that contains it', 'xsession=1; session2=2', undefined],
  ['a value that looks like it', 'x=session=1; y="; session=2"', undefined],
  ['inside quotes that do not end', 'x="; session=2', '2'],
  ['quoted with escapes', 'session="a\\073b\\"c\\\\"', 'a;b"c\\'],
  ['octal above a byte', 'session="\\400\\18"', '40018'],
  ['a backslash at the end', 'session="a\\"', 'a\\'],
  ['quotes with something behind', 'session="a"b; x=1', '"a"b'],
  ['bad UTF-8 in quotes', 'session="\\377"', '\ufffd'],
])('%s', (_, header, value) => {
  expect(readCookie(header, 'session')).toBe(value);
});

test('no header, no cookie', () => {
  expect(readCookie(undefined, 'session')).toBeUndefined();
});

describe('nobody else gets to say what a cookie is called', () => {
  const guarded = (header: string) => readCookie(header, '__Host-session');

  test('CVE-2023-23934: a cookie without a name has none', () => {
    expect(guarded('=__Host-session=bad')).toBeUndefined();
    expect(guarded(' = __Host-session=bad')).toBeUndefined();
    expect(parseCookieHeader('=__Host-session=bad; =; ==x; a=1')).toEqual([['a', '1']]);
  });

  test('CVE-2020-7070: a name is not percent-decoded', () => {
    expect(guarded('__%48ost-session=bad')).toBeUndefined();
    expect(guarded('%5F%5FHost-session=bad')).toBeUndefined();
    expect(parseCookieHeader('%61=%61')).toEqual([['%61', '%61']]);
  });

  test.each(['\u00a0', '\u00c2\u00a0', '\u0085', '\u001c', '\u001f', '\ufeff', '\u2000', '\u3000', '\0', '"', '$'])(
    'CVE-2026-39410: %j is part of a name',
    (character) => {
      for (const header of [
        `${character}__Host-session=bad`,
        `__Host-session${character}=bad`,
        `a=1; ${character} __Host-session=bad`,
      ]) {
        expect(guarded(header)).toBeUndefined();
      }
    },
  );

  test('names are told apart by case', () => {
    expect(guarded('__host-session=bad')).toBeUndefined();
  });

  test('__proto__ is a name like any other', () => {
    expect(parseCookieHeader('__proto__=x; constructor=y')).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(readCookie('a=b', '__proto__')).toBeUndefined();
    expect(readCookie('a=b', 'constructor')).toBeUndefined();
  });
});

test('a hostile header takes no more time than an ordinary one of the same length, give or take', () => {
  const units = [
    ';',
    'a="',
    '="\\;',
    'a="x;',
    '\\"',
    ' ',
    '=" ',
    '"',
    ' ;',
    '="x" ;" ',
    '="\\"',
    'a= ',
    '=',
    '="\\',
    '"\\303',
  ];
  const read = (unit: string) => {
    const header = unit.repeat(200_000 / unit.length);
    return () => {
      parseCookieHeader(header);
      readCookie(header, 'session');
      readCookie(`session=${header}`, 'session');
    };
  };
  for (const unit of units) expectAtMost(10, read(unit), read('name=value; '), JSON.stringify(unit));
});
