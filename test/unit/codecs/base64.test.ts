import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBase64, encodeBase64 } from '../../../src/codecs/base64.ts';

test('any bytes come back', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const text = encodeBase64(bytes);
      expect(text).toMatch(/^[A-Za-z0-9_-]*$/);
      expect([...(decodeBase64(text) ?? [])]).toEqual([...bytes]);
    }),
  );
});

test('a view into a larger buffer is encoded alone', () => {
  expect(encodeBase64(new Uint8Array([1, 2, 3, 4]).subarray(1, 3))).toBe('AgM');
});

test.each(['A', 'AAAAA', 'AQ==', 'AQ=', 'AR', 'A+/A', 'A Q', 'AQ\n', 'A\u0141', '\u0151AAA', '!!!!', '.'])(
  'refuses %j, which no encoder writes',
  (text) => {
    expect(decodeBase64(text)).toBeUndefined();
  },
);

test('what is accepted is the one spelling', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), (text) => {
      const bytes = decodeBase64(text);
      if (bytes) expect(encodeBase64(bytes)).toBe(text);
    }),
  );
});
