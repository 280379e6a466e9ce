import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pickleInt } from '../../../src/codecs/pickle.ts';
import { SessionEncodeError } from '../../../src/errors.ts';
import { decodeCount, decodeFile, encodeCount, encodeFile, wholeSeconds } from '../../../src/stores/cachelib-file.ts';

const FOREVER = Number.POSITIVE_INFINITY;

describe('deadlines', () => {
  test('are cut to whole seconds; never is 0, and nothing else is', () => {
    expect(wholeSeconds(1_900_000_000_999)).toBe(1_900_000_000_000);
    expect(wholeSeconds(FOREVER)).toBe(FOREVER);
    for (const past of [0, 999, -5000, Number.NEGATIVE_INFINITY]) expect(wholeSeconds(past)).toBe(1000);
    expect([...encodeFile(FOREVER, new Uint8Array(0))]).toEqual([0, 0, 0, 0]);
  });

  test('end in 2106', () => {
    expect(decodeFile(encodeFile(0xffff_ffff * 1000 + 999, new Uint8Array(1)))?.expiresAt).toBe(0xffff_ffff * 1000);
    expect(() => encodeFile(0x1_0000_0000 * 1000, new Uint8Array(1))).toThrow(SessionEncodeError);
  });
});

describe('any record comes back, even one that looks like a file of cachelib 0.6', () => {
  const check = (seconds: number, record: Uint8Array): number => {
    const file = decodeFile(encodeFile(seconds * 1000, record))!;
    expect(file.legacy).toBe(false);
    expect([...file.record]).toEqual([...record]);
    return seconds - file.expiresAt / 1000;
  };

  test('at any time', () => {
    const byte = fc.oneof(fc.constantFrom(0x80, 2, 3, 4, 5, 0x2e, 0x4a, 0x4b, 0x4c, 0x4d, 0x30, 0x0a, 0), fc.nat(255));
    fc.assert(
      fc.property(
        fc.array(byte, { minLength: 4, maxLength: 4 }),
        fc.array(byte, { maxLength: 20 }),
        (start, record) => {
          const seconds = Buffer.from(start).readUInt32LE();
          if (seconds < 256) return;
          expect(check(seconds, Uint8Array.from(record))).toBeOneOf([0, 1, 2, 3, 4]);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test.each([
    ['4-byte int', [0x4a, 1, 2, 3], [4, 0x2e, 0x80, 5]],
    ['1-byte int', [0x4b, 0, 0x2e, 0x80], [5, 0x7d, 0x2e]],
    ['2-byte int', [0x4d, 1, 1, 0x2e], [0x80, 0x2e, 0x80]],
    ['long', [0x4c, 0x32, 0x32, 0x30], [0x4c, 0x0a, 0x2e, 0x80, 5]],
  ])('%s', (_, start, record) => {
    const seconds = Buffer.from(start).readUInt32LE();
    expect(check(seconds, Uint8Array.from(record))).toBeOneOf([0, 1, 2, 3]);
  });

  test('a pickle is never taken for one, so its deadline is exact', () => {
    for (const first of [0x4a, 0x4b, 0x4c, 0x4d, 0x80]) {
      const seconds = Buffer.from([first, 0x05, 0x2e, 0x71]).readUInt32LE();
      expect(check(seconds, Uint8Array.from([0x80, 5, 0x7d, 0x2e]))).toBe(0);
    }
  });
});

test('cachelib 0.5 and 0.6: an expiry in protocol 4 and 5, framed and not', () => {
  const record = [0x80, 4, 0x7d, 0x2e];
  const framed = [0x80, 4, 0x95, 6, 0, 0, 0, 0, 0, 0, 0, 0x4a, 0, 0x94, 0x35, 0x77, 0x2e];
  expect(decodeFile(Uint8Array.from([...framed, ...record]))).toEqual({
    expiresAt: 2_006_291_456_000 + (0x77359400 - 2_006_291_456) * 1000,
    record: Uint8Array.from(record),
    legacy: true,
  });
  const never = decodeFile(Uint8Array.from([0x80, 5, 0x4b, 0, 0x2e, ...record]));
  expect(never).toEqual({ expiresAt: FOREVER, record: Uint8Array.from(record), legacy: true });
});

test('counts', () => {
  expect(Buffer.from(encodeCount(1)).toString('hex')).toBe('0000000080054b012e');
  for (const count of [0, 255, 256, 70_000]) expect(decodeCount(decodeFile(encodeCount(count)))).toBe(count);
  expect(decodeCount(decodeFile(encodeCount(-3)))).toBe(0);
  expect(decodeCount(undefined)).toBe(0);
  expect(decodeCount(decodeFile(Uint8Array.from([0, 0, 0, 0, 1, 2, 3])))).toBe(0);
  expect(decodeCount(decodeFile(Uint8Array.from([0x4b, 0, 0x2e, ...pickleInt(7)])))).toBe(7);
});
