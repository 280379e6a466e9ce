import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBase64, encodeBase64 } from '../../../src/codecs/standard-base64.ts';
import { SessionDecodeError } from '../../../src/errors.ts';

test('bytes of any length come back, in the standard alphabet', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
    }),
  );
  const long = new Uint8Array(100_001).map((_, i) => i * 7);
  expect(decodeBase64(encodeBase64(long))).toEqual(long);
});

// What Python's base64.b64decode answers for each.
test.each([
  ['', ''],
  ['Y!Q==', 'a'],
  ['YQ=\n=', 'a'],
  ['Y=Q==', 'a'],
  ['=YQ==', 'a'],
  ['YQ====', 'a'],
  ['YQ==YWJj', 'a'],
  ['YWI=YWI=', 'ab'],
  ['YR==', 'a'],
])('%j is read as leniently as Python does', (text, expected) => {
  expect(new TextDecoder().decode(decodeBase64(text))).toBe(expected);
});

test.each(['YQ', 'YQ=', 'Y', 'YWJjY', '_-8=', 'é', 'YQ==é', 'YWJj\u0141'])('%j is refused', (text) => {
  expect(() => decodeBase64(text)).toThrow(SessionDecodeError);
});
