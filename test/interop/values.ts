/** A value of every type, and which formats refuse it: there Flask answers 500, and so do we. */
import type { Notation } from '../vectors/notation.ts';
import type { Kind } from './crossing.ts';

export interface Sample {
  readonly name: string;
  readonly value: Notation;
  readonly refusedBy?: readonly Kind[];
}

const MSGSPEC: readonly Kind[] = ['msgpack', 'json'];
const COOKIE: readonly Kind[] = ['cookie'];

const int = (n: number | bigint): Notation => ['int', String(n)];

export const SAMPLES: readonly Sample[] = [
  { name: 'none', value: null },
  { name: 'true', value: true },
  { name: 'text', value: 'naïve 😀 \u2028 "quoted" \\ <b>&</b>\n' },
  { name: 'empty text', value: '' },
  { name: 'lone surrogate', value: 'x\ud800.', refusedBy: MSGSPEC },
  { name: 'zero', value: int(0) },
  { name: 'negative', value: int(-33) },
  { name: 'int beyond 32 bits', value: int(2 ** 32) },
  { name: 'largest safe int', value: int(2n ** 53n - 1n) },
  { name: 'int beyond a double', value: int(2n ** 53n + 1n) },
  { name: 'smallest 64 bit int', value: int(-(2n ** 63n)) },
  { name: 'largest 64 bit int', value: int(2n ** 64n - 1n) },
  { name: 'int beyond 64 bits', value: int(10n ** 30n), refusedBy: ['msgpack'] },
  { name: 'float', value: ['float', '0.1'] },
  { name: 'whole float', value: ['float', '1.0'] },
  { name: 'negative zero', value: ['float', '-0.0'] },
  { name: 'large float', value: ['float', '1e+22'] },
  { name: 'nan', value: ['float', 'nan'] },
  { name: 'infinity', value: ['float', '-inf'] },
  { name: 'bytes', value: ['bytes', '00ff10'] },
  { name: 'bytearray', value: ['bytearray', '80'], refusedBy: COOKIE },
  { name: 'markup', value: ['markup', '<b>bold</b>'], refusedBy: MSGSPEC },
  { name: 'uuid', value: ['uuid', '12345678-1234-5678-9234-567812345678'] },
  { name: 'decimal', value: ['decimal', '1.50'] },
  { name: 'aware datetime', value: ['datetime', '2024-02-29T23:59:59+00:00'] },
  { name: 'datetime with an offset', value: ['datetime', '2024-01-02T03:04:05.678901+05:30'] },
  { name: 'naive datetime', value: ['datetime', '2024-01-02T03:04:05.678901'] },
  { name: 'early datetime', value: ['datetime', '0999-12-31T00:00:00+00:00'] },
  { name: 'date', value: ['date', '2024-02-29'] },
  { name: 'time', value: ['time', '03:04:05.000001'], refusedBy: COOKIE },
  { name: 'timedelta', value: ['timedelta', -2, 3600, 500_000], refusedBy: COOKIE },
  { name: 'set', value: ['set', [int(1)]], refusedBy: COOKIE },
  { name: 'frozenset', value: ['frozenset', ['a']], refusedBy: COOKIE },
  { name: 'list', value: ['list', [int(1), ['float', '2.0'], null, ['list', []]]] },
  { name: 'tuple', value: ['tuple', ['a', ['tuple', [int(1)]], ['list', [['tuple', []]]]]] },
  {
    name: 'dict',
    value: [
      'dict',
      [
        ['b', int(1)],
        ['a', ['dict', [['', ['bytes', 'ff']]]]],
        ['17', ['float', '3.0']],
      ],
    ],
  },
  { name: 'dict like a tag', value: ['dict', [[' t', ['list', ['x']]]]] },
  { name: 'dict with __proto__', value: ['dict', [['__proto__', ['dict', [['polluted', true]]]]]] },
  {
    name: 'dict with int keys',
    value: [
      'dict',
      [
        [int(10), 'ten'],
        [int(9), 'nine'],
      ],
    ],
  },
];
