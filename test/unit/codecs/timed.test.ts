import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Signer } from '../../../src/codecs/signer.ts';
import { MAX_TIMESTAMP, TimestampSigner } from '../../../src/codecs/timed.ts';
import { BadSignatureError, SessionEncodeError, SignatureExpiredError } from '../../../src/errors.ts';

const signer = new TimestampSigner(['old', 'key'], { salt: 's' });
const plain = new Signer('key', { salt: 's' });
const timestampOf = (signed: string) => signed.split('.').at(-2);

test('value and second come back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: MAX_TIMESTAMP }), (value, now) => {
      const expected = { value, timestamp: now, keyIndex: 1, current: true };
      expect(signer.unsign(signer.sign(value, now), { now, maxAge: 0 })).toEqual(expected);
    }),
  );
});

test.each([
  [0, ''],
  [1, 'AQ'],
  [255, '_w'],
  [256, 'AQA'],
  [1_700_000_000, 'ZVPxAA'],
  [1_700_000_000.999, 'ZVPxAA'],
  [2 ** 31, 'gAAAAA'],
  [2 ** 32, 'AQAAAAA'],
  [MAX_TIMESTAMP, 'Ov_0QX8'],
])('%d s is written %j', (now, text) => {
  expect(timestampOf(signer.sign('v', now))).toBe(text);
});

test.each([Number.NaN, -1, -0.5, MAX_TIMESTAMP + 1, Number.POSITIVE_INFINITY])('a clock of %d is refused', (now) => {
  expect(() => signer.sign('v', now)).toThrow(SessionEncodeError);
});

describe('age', () => {
  const signed = signer.sign('v', 1000);
  const ages = (now: number, maxAge: number, leeway?: number) => () => signer.unsign(signed, { now, maxAge, leeway });

  test.each([
    [1000, 0],
    [1000.9, 0],
    [1060, 60],
    [1060.9, 60],
    [9e9, Number.POSITIVE_INFINITY],
  ])('at %d with a maximum of %d: accepted', (now, maxAge) => {
    expect(ages(now, maxAge)().timestamp).toBe(1000);
  });

  test.each([
    [1001, 0],
    [1061, 60],
    [1000, -1],
    [999, 60],
    [999.9, 60],
    [0, Number.POSITIVE_INFINITY],
    [Number.NaN, 60],
    [1000, Number.NaN],
  ])('at %d with a maximum of %d: expired', (now, maxAge) => {
    expect(ages(now, maxAge)).toThrow(SignatureExpiredError);
  });

  test('the error tells when it was signed', () => {
    expect(ages(2000, 1)).toThrow(expect.objectContaining({ timestamp: 1000, code: 'ERR_SESSION_SIGNATURE_EXPIRED' }));
  });

  test('leeway lets it be dated ahead by that much, and no more', () => {
    expect(ages(990, 60, 10)().timestamp).toBe(1000);
    expect(ages(989, 60, 10)).toThrow(SignatureExpiredError);
    expect(ages(1061, 60, 10)).toThrow(SignatureExpiredError);
  });

  test('without maxAge it is not checked', () => {
    expect(signer.unsign(signed, { now: 0 }).timestamp).toBe(1000);
  });
});

describe('timestamps that no writer makes', () => {
  test.each(['A', '!!!', 'AB', 'AQ==', 'AQAAAAAAAAAA', '__________8', 'Ov_0QYA', 'AAAAAAAAAAAAAAAA', '\u0141Q'])(
    '%j',
    (text) => {
      expect(() => signer.unsign(plain.sign(`v.${text}`), { now: 1000, maxAge: 1e12 })).toThrow(
        expect.objectContaining({ code: 'ERR_SESSION_BAD_SIGNATURE' }),
      );
    },
  );

  test('none at all', () => {
    expect(() => signer.unsign(plain.sign('value'), { now: 1000, maxAge: 1e12 })).toThrow(BadSignatureError);
  });

  test('leading zero bytes are read, as in Python', () => {
    expect(signer.unsign(plain.sign('v.AAAAAAAAA-g'), { now: 1000, maxAge: 0 }).timestamp).toBe(1000);
  });
});

test('a signature of an older key is read, and said not to be current', () => {
  const signed = new TimestampSigner('old', { salt: 's' }).sign('v', 5);
  expect(signer.unsign(signed, { now: 5, maxAge: 0 })).toEqual({
    value: 'v',
    timestamp: 5,
    keyIndex: 0,
    current: false,
  });
});

test('age is judged only after the signature', () => {
  const forged = new TimestampSigner('other', { salt: 's' }).sign('v', 5);
  expect(() => signer.unsign(forged, { now: 1e9, maxAge: 0 })).not.toThrow(SignatureExpiredError);
  expect(() => signer.unsign(forged, { now: 1e9, maxAge: 0 })).toThrow(BadSignatureError);
});
