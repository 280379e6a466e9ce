import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatHttpDate, parseHttpDate } from '../../../src/codecs/http-date.ts';
import { DateTime } from '../../../src/codecs/values.ts';
import { SessionEncodeError } from '../../../src/errors.ts';

const iso = (date: Date | null) =>
  date && (date instanceof DateTime ? date : new DateTime(date.getTime())).toISOString();

// What Werkzeug's parse_date answers for each.
test.each([
  ['Tue, 02 Jan 2024 03:04:05 GMT', '2024-01-02T03:04:05+00:00'],
  ['Fri, 02 Jan 2024 03:04:05 GMT', '2024-01-02T03:04:05+00:00'],
  ['Tue,02 Jan 2024 03:04:05 GMT', '2024-01-02T03:04:05+00:00'],
  ['tue 2 january 2024 3:4', '2024-01-02T03:04:00+00:00'],
  ['  02 \t Jan\n2024 03:04:05 ', '2024-01-02T03:04:05+00:00'],
  ['02 Jan 2024 03.04.05', '2024-01-02T03:04:05+00:00'],
  ['Jan 2, 2024, 03:04:05, EST', '2024-01-02T03:04:05-05:00'],
  ['Tuesday, 02-Jan-24 03:04:05 GMT', '2024-01-02T03:04:05+00:00'],
  ['Tue Jan  2 03:04:05 2024', '2024-01-02T03:04:05+00:00'],
  ['Tue Jan  2 03:04:05 PDT 2024', '2024-01-02T03:04:05-07:00'],
  ['02 Jan 2024 03:04:05+0100', '2024-01-02T03:04:05+01:00'],
  ['02 Jan 2024 03:04:05-0530', '2024-01-02T03:04:05-05:30'],
  ['02 Jan 2024 03:04:05 -0000', '2024-01-02T03:04:05+00:00'],
  ['02 Jan 2024 03:04:05 -1', '2024-01-02T03:04:05-00:01'],
  ['02 Jan 2024 03:04:05 +2359', '2024-01-02T03:04:05+23:59'],
  ['02 Jan 2024 03:04:05 nowhere', '2024-01-02T03:04:05+00:00'],
  ['02 Jan 2024 03:04:05 GMT (a comment)', '2024-01-02T03:04:05+00:00'],
  ['02 Jan 68 03:04:05', '2068-01-02T03:04:05+00:00'],
  ['02 Jan 69 03:04:05', '1969-01-02T03:04:05+00:00'],
  ['02 Jan 0050 03:04:05', '2050-01-02T03:04:05+00:00'],
  ['02 Jan 100 03:04:05', '0100-01-02T03:04:05+00:00'],
  ['29 Feb 2024 00:00:00', '2024-02-29T00:00:00+00:00'],
  ...['', ' ', 'garbage', '2024-01-02T03:04:05Z', '2 Jan 2024', '2 Jan 2024 03', '2 Foo 2024 03:04:05'].map((s) => [
    s,
    null,
  ]),
  ...['29 Feb 2023 0:0', '0 Jan 2024 0:0', '32 Jan 2024 0:0', '2 Jan 2024 24:00', '2 Jan 2024 0:60'].map((s) => [
    s,
    null,
  ]),
  ...['2 Jan 2024 0:0:60', '2 Jan 10000 0:0', '2 Jan 2024 0:0 +2400', '2 Jan 2024 1:2:3:4', '-2 Jan 2024 0:0'].map(
    (s) => [s, null],
  ),
  ...['02-Jan-24 03:04:05', '2 Jan 2024 a:b', 'Tue,', 'Jan Jan Jan Jan', '2 Jan x y z'].map((s) => [s, null]),
])('parses %j', (text, expected) => {
  expect(iso(parseHttpDate(text as string))).toBe(expected);
});

test('only what is not in UTC needs a DateTime', () => {
  expect(parseHttpDate('02 Jan 2024 03:04:05 GMT')).not.toBeInstanceOf(DateTime);
  expect(parseHttpDate('02 Jan 2024 03:04:05 EST')).toBeInstanceOf(DateTime);
});

test('what is formatted is parsed again, from the year 100 on', () => {
  fc.assert(
    fc.property(fc.integer({ min: -59_011_459_200, max: 253_402_300_799 }), (seconds) => {
      const text = formatHttpDate(seconds * 1000 + 999);
      expect(text).toMatch(/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/);
      expect(parseHttpDate(text)?.getTime()).toBe(seconds * 1000);
    }),
  );
  expect(formatHttpDate(-62_135_596_800_000)).toBe('Mon, 01 Jan 0001 00:00:00 GMT');
});

test.each([Number.NaN, -62_135_596_800_001, 253_402_300_800_000, Number.POSITIVE_INFINITY])(
  'refuses to format %d',
  (time) => {
    expect(() => formatHttpDate(time)).toThrow(SessionEncodeError);
  },
);

test('text of any kind and size is a date or none', () => {
  const words = fc.constantFrom(
    'Tue,',
    'tue',
    '02',
    'Jan',
    '2024',
    '24',
    '03:04:05',
    '3:4',
    'EST',
    '+0100',
    ',',
    '-',
    ':',
    ' ',
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 8 }), fc.constantFrom('', ' '), (list, glue) => {
      const date = parseHttpDate(list.join(glue));
      expect(date === null || Number.isFinite(date.getTime())).toBe(true);
    }),
  );
  for (const unit of [' ', '2 ', '-', ':', ',', '9', 'Jan ', '1-', 'a']) parseHttpDate(unit.repeat(200_000));
  expect(parseHttpDate(`2 Jan 2024 03:04:05 ${'9'.repeat(400)}`)).toBeNull();
});
