import * as crypto from 'node:crypto';
import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type Digest, type KeyDerivation, Signer } from '../../../src/codecs/signer.ts';
import { BadSignatureError, SessionConfigError, SessionEncodeError } from '../../../src/errors.ts';
import { expectAtMost } from '../../relative-time.ts';

vi.mock('node:crypto', async (original) => {
  const actual = await original<typeof import('node:crypto')>();
  return { ...actual, timingSafeEqual: vi.fn(actual.timingSafeEqual) };
});
const compare = vi.mocked(crypto.timingSafeEqual);
beforeEach(() => {
  compare.mockClear();
});

const derivations: KeyDerivation[] = ['hmac', 'concat', 'django-concat', 'none'];
const digests: Digest[] = ['sha1', 'sha256', 'sha384', 'sha512'];
const anyText = fc.string({ unit: 'grapheme' });

describe.each(derivations)('derivation %s', (keyDerivation) => {
  test.each(digests)('digest %s: text and bytes come back', (digest) => {
    const signer = new Signer(['old', 'new'], { salt: 's', keyDerivation, digest });
    fc.assert(fc.property(anyText, (text) => signer.unsign(signer.sign(text)) === text));
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect([...signer.unsign(signer.sign(bytes))]).toEqual([...bytes]);
      }),
    );
  });
});

test('text is signed as its UTF-8 bytes', () => {
  const signer = new Signer('key');
  fc.assert(
    fc.property(anyText, (text) => {
      expect(Buffer.from(signer.sign(Buffer.from(text))).toString()).toBe(signer.sign(text));
    }),
  );
});

test.each([0, 1, 54, 55, 56, 1365, 1366, 4095, 4096, 4097, 100_000])(
  'a message of %i bytes, by createHmac',
  (length) => {
    for (const digest of digests) {
      for (const unit of ['a', '\u00e9', '\u4f60']) {
        const message = unit.repeat(length);
        for (const key of ['k', 'k'.repeat(64), 'k'.repeat(65), 'k'.repeat(200)]) {
          const mac = crypto.createHmac(digest, key).update(message).digest('base64url');
          expect(new Signer(key, { keyDerivation: 'none', digest }).sign(message)).toBe(`${message}.${mac}`);
        }
      }
    }
  },
);

test('changing any character is refused with BadSignatureError', () => {
  const signer = new Signer('key');
  fc.assert(
    fc.property(anyText, fc.nat(), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), (text, at, other) => {
      const signed = signer.sign(text);
      const index = at % signed.length;
      const tampered = signed.slice(0, index) + other + signed.slice(index + 1);
      if (tampered === signed) return;
      expect(() => signer.unsign(tampered)).toThrow(BadSignatureError);
      expect(() => signer.unsign(signed.slice(0, index))).toThrow(BadSignatureError);
    }),
  );
});

test('arbitrary text is refused with BadSignatureError', () => {
  const signer = new Signer(['old', 'new']);
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      expect(() => signer.unsign(text)).toThrow(BadSignatureError);
      expect(() => signer.unsign(Buffer.from(text))).toThrow(BadSignatureError);
    }),
  );
});

test('a character is not taken for another whose low byte is the same', () => {
  const signer = new Signer('key');
  const signed = signer.sign('abc');
  const wide = (text: string, at: number) =>
    text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) + 0x100) + text.slice(at + 1);
  for (let at = 0; at < signed.length; at++) expect(signer.verify(wide(signed, at))).toBeUndefined();
});

test('a lone surrogate has no UTF-8: neither signed, nor taken for U+FFFD', () => {
  const signer = new Signer('key');
  expect(() => signer.sign('a\ud800')).toThrow(SessionEncodeError);
  expect(signer.verify(signer.sign('a\ufffd').replace('\ufffd', '\ud800'))).toBeUndefined();
});

describe('several keys', () => {
  const keys = ['first', 'second', 'third'];
  const signer = new Signer(keys, { salt: 's' });

  test('CVE-2025-47278: the newest key signs', () => {
    expect(signer.sign('x')).toBe(new Signer('third', { salt: 's' }).sign('x'));
    expect(signer.sign('x')).not.toBe(new Signer('first', { salt: 's' }).sign('x'));
  });

  test.each([0, 1, 2])('key %i verifies, and is named', (keyIndex) => {
    const key = keys[keyIndex] as string;
    const signed = new Signer(key, { salt: 's' }).sign('x');
    expect(signer.verify(signed)).toEqual({ value: 'x', keyIndex, current: keyIndex === 2 });
  });

  test('another key, another salt, another derivation, another digest: refused', () => {
    for (const other of [
      new Signer('fourth', { salt: 's' }),
      new Signer('third'),
      new Signer('third', { salt: 's', keyDerivation: 'concat' }),
      new Signer('third', { salt: 's', digest: 'sha256' }),
    ]) {
      expect(signer.verify(other.sign('x'))).toBeUndefined();
    }
  });
});

test('CVE-2009-3086, GHSA-92vm-wfm5-mxvv: signatures are compared in constant time, at equal length', () => {
  const signer = new Signer(['old', 'new']);
  const signed = signer.sign('value');
  const wrong = signed.slice(0, -4) + (signed.endsWith('AAAA') ? 'BBBB' : 'AAAA');
  expect(signer.verify(wrong)).toBeUndefined();
  expect(compare).toHaveBeenCalledTimes(2);
  for (const [expected, given] of compare.mock.calls) {
    expect(expected.byteLength).toBe(given.byteLength);
    expect(expected.byteLength).toBe(27 * 2);
  }
  compare.mockClear();
  expect(signer.verify(signed)).toBeDefined();
  expect(compare).toHaveBeenCalledTimes(1);
});

test('a signature of another length is refused without hashing', () => {
  const signer = new Signer('key');
  const signed = signer.sign('value');
  for (const text of ['', '.', 'value', 'value.', `${signed}A`, signed.slice(0, -1), `${signed}=`, `${signed}.`]) {
    expect(signer.verify(text)).toBeUndefined();
  }
  expect(compare).not.toHaveBeenCalled();
});

test('a long text is refused in the time that a genuine one takes', () => {
  const signer = new Signer('key');
  const signature = signer.sign('').slice(1);
  const genuine = signer.sign('A'.repeat(200_000));
  for (const unit of ['.', 'A', '\u00e9', '\ud800', '.A']) {
    for (const end of ['', '.', `.${signature}`]) {
      const text = unit.repeat(200_000 / unit.length) + end;
      expect(signer.verify(text)).toBeUndefined();
      const what = `${JSON.stringify(unit)} … ${JSON.stringify(end)}`;
      expectAtMost(
        4,
        () => signer.verify(text),
        () => signer.verify(genuine),
        what,
      );
    }
  }
});

describe('configuration', () => {
  test('keys: a list without any, and an empty one', () => {
    expect(() => new Signer([])).toThrow(SessionConfigError);
    expect(() => new Signer('')).toThrow(SessionConfigError);
    expect(() => new Signer(['', 'x'])).toThrow(SessionConfigError);
    expect(() => new Signer(new Uint8Array(0))).toThrow(SessionConfigError);
  });

  test.each(['', 'a', '-', '_', '0', '::', '\u00e9'])('separator %j', (separator) => {
    expect(() => new Signer('key', { separator })).toThrow(SessionConfigError);
  });

  test.each([':', '/', '=', ' ', '\0'])('separator %j works', (separator) => {
    const signer = new Signer('key', { separator });
    expect(signer.unsign(signer.sign('a.b:c'))).toBe('a.b:c');
  });

  test('unknown names', () => {
    expect(() => new Signer('key', { keyDerivation: 'x' as KeyDerivation })).toThrow(SessionConfigError);
    expect(() => new Signer('key', { digest: 'md5' as Digest })).toThrow(SessionConfigError);
    expect(() => new Signer('key', { digest: 'toString' as Digest })).toThrow(SessionConfigError);
  });

  test('a key given as bytes is copied: changing them later changes nothing', () => {
    const key = new Uint8Array([1, 2, 3]);
    const signer = new Signer(key, { keyDerivation: 'none' });
    const signed = signer.sign('x');
    key.fill(0);
    expect(signer.sign('x')).toBe(signed);
    expect(signer.sign('x'.repeat(5000))).toBe(
      new Signer(new Uint8Array([1, 2, 3]), { keyDerivation: 'none' }).sign('x'.repeat(5000)),
    );
  });
});
