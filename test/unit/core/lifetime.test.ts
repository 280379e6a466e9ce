import { TimeDelta } from 'flacon';
import { expect, test } from 'vitest';
import { lifetimeSeconds } from '../../../src/core/lifetime.ts';

test.each([
  [0, 0],
  [60, 60],
  [10.7, 10.7],
  [-1, -1],
  [{ days: 31 }, 2_678_400],
  [{ weeks: 1, days: 1, hours: 1, minutes: 1, seconds: 1, milliseconds: 500, microseconds: 250_000 }, 694_861.75],
  [{ seconds: 10, milliseconds: 700 }, 10.7],
  [{ days: 1, hours: -12 }, 43_200],
  [new TimeDelta(1, 2, 500_000), 86_402.5],
])('%j is %d seconds', (given, seconds) => {
  expect(lifetimeSeconds(given)).toBe(seconds);
});

test.each([
  ['60'],
  [null],
  [undefined],
  [true],
  [Number.NaN],
  [Number.POSITIVE_INFINITY],
  [60n],
  [[60]],
  [{}],
  [{ years: 1 }],
  [{ days: '1' }],
  [{ days: Number.NaN }],
  [JSON.parse('{"__proto__": 1}')],
  [{ constructor: 1 }],
])('%s is no lifetime', (given) => {
  expect(lifetimeSeconds(given)).toBeUndefined();
});
