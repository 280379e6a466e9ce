import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeBase64 } from '../../../src/codecs/base64.ts';
import { MAX_INFLATED } from '../../../src/codecs/limits.ts';
import { TimestampSigner } from '../../../src/codecs/timed.ts';
import { URLSafeTimedSerializer } from '../../../src/codecs/url-safe.ts';
import { BadSignatureError, SessionDecodeError, SignatureExpiredError } from '../../../src/errors.ts';
import { expectAtMost } from '../../relative-time.ts';

const NOW = 1_700_000_000;
const AT_NOW = { now: NOW, maxAge: 0 };
const serializer = new URLSafeTimedSerializer(['old', 'key']);
const inner = new TimestampSigner('key', { salt: 'cookie-session' });
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const textOf = (payload: Uint8Array) => Buffer.from(payload).toString();

const payloads = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.json({ maxDepth: 2 }).map(bytes),
  fc.tuple(fc.uint8Array({ maxLength: 4 }), fc.nat(60)).map(
    ([unit, n]) =>
      new Uint8Array(
        Array(n)
          .fill([...unit])
          .flat(),
      ),
  ),
);

test('payload and second come back', () => {
  fc.assert(
    fc.property(payloads, fc.integer({ min: 0, max: 2 ** 33 }), (payload, now) => {
      const loaded = serializer.loads(serializer.dumps(payload, now), { now, maxAge: 0 });
      expect([...loaded.payload]).toEqual([...payload]);
      expect(loaded).toMatchObject({ issuedAt: now, current: true });
    }),
  );
});

test('compressed exactly when zlib saves two bytes or more', () => {
  const small = fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.array(fc.nat(), { maxLength: 60 }))
    .map(([alphabet, picks]) => new Uint8Array(picks.map((n) => alphabet[n % alphabet.length] as number)));
  fc.assert(
    fc.property(fc.oneof(payloads, small), (payload) => {
      const compressed = deflateSync(payload);
      const expected = compressed.length < payload.length - 1 ? `.${encodeBase64(compressed)}` : encodeBase64(payload);
      expect(serializer.dumps(payload, 0)).toBe(inner.sign(expected, 0));
    }),
    { numRuns: 5000 },
  );
});

test('runs of one byte, where compression wins earliest', () => {
  for (let length = 1; length < 64; length++) {
    const payload = new Uint8Array(length).fill(97);
    const wins = deflateSync(payload).length < length - 1;
    expect(serializer.dumps(payload, 0).startsWith('.')).toBe(wins);
  }
});

test('the salt is that of Flask, and can be another', () => {
  const signed = serializer.dumps(bytes('{}'), NOW);
  expect(signed).toBe(new URLSafeTimedSerializer('key', { salt: 'cookie-session' }).dumps(bytes('{}'), NOW));
  expect(() => new URLSafeTimedSerializer('key', { salt: 'reset-password' }).loads(signed, AT_NOW)).toThrow(
    BadSignatureError,
  );
});

test('an older key is read, and said not to be current', () => {
  const signed = new URLSafeTimedSerializer('old').dumps(bytes('{}'), NOW);
  expect(serializer.loads(signed, AT_NOW).current).toBe(false);
});

test('age and leeway', () => {
  const signed = serializer.dumps(bytes('{}'), NOW);
  expect(() => serializer.loads(signed, { now: NOW + 61, maxAge: 60 })).toThrow(SignatureExpiredError);
  expect(() => serializer.loads(signed, { now: NOW - 1, maxAge: 60 })).toThrow(SignatureExpiredError);
  expect(serializer.loads(signed, { now: NOW - 1, maxAge: 60, leeway: 1 }).issuedAt).toBe(NOW);
});

describe('genuine, but no payload', () => {
  test.each([
    'A',
    'AB',
    'e30=',
    '!!!!',
    '\u00e9',
    '.',
    '..',
    '.A',
    '.e30',
    '..eJyr',
    `.${encodeBase64(deflateSync('{}').subarray(0, 6))}`,
  ])('%j', (value) => {
    expect(() => serializer.loads(inner.sign(value, NOW), AT_NOW)).toThrow(SessionDecodeError);
  });
});

describe('bombs', () => {
  const bomb = (size: number) => inner.sign(`.${encodeBase64(deflateSync(Buffer.alloc(size, 97)))}`, NOW);

  test('inflating stops at the bound', () => {
    expect(serializer.loads(bomb(MAX_INFLATED), AT_NOW).payload.length).toBe(MAX_INFLATED);
    expect(() => serializer.loads(bomb(MAX_INFLATED + 1), AT_NOW)).toThrow(SessionDecodeError);
  });

  test('so that what would become 64 times as large takes no longer', () => {
    const refuse = (text: string) => () => {
      expect(() => serializer.loads(text, AT_NOW)).toThrow(SessionDecodeError);
    };
    // The text itself is longer, and its signature is checked first.
    expectAtMost(4, refuse(bomb(64 * MAX_INFLATED)), refuse(bomb(MAX_INFLATED + 1)));
  });

  test('nothing is inflated before the signature is right', () => {
    const text = `${bomb(MAX_INFLATED + 1).slice(0, -1)}-`;
    expect(() => serializer.loads(text, AT_NOW)).toThrow(BadSignatureError);
  });
});

test('arbitrary text is refused with BadSignatureError', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      expect(() => serializer.loads(text, AT_NOW)).toThrow(BadSignatureError);
    }),
  );
});

test('arbitrary signed content gives a payload or a documented error', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii' }), (value) => {
      try {
        serializer.loads(inner.sign(value, NOW), AT_NOW);
      } catch (error) {
        expect(error).toBeInstanceOf(SessionDecodeError);
      }
    }),
  );
});

test('changing any character is refused with BadSignatureError', () => {
  const signed = serializer.dumps(new Uint8Array(randomBytes(60)), NOW);
  for (let i = 0; i < signed.length; i++) {
    for (const other of ['A', 'b', '.', '=', '\u0141', '']) {
      const tampered = signed.slice(0, i) + other + signed.slice(i + 1);
      if (tampered !== signed) expect(() => serializer.loads(tampered, AT_NOW)).toThrow(BadSignatureError);
    }
  }
});

test('errors show neither secret nor content', () => {
  const secret = 'a-very-secret-key';
  const own = new URLSafeTimedSerializer(secret);
  const content = new TimestampSigner(secret, { salt: 'cookie-session' }).sign('private!', NOW);
  try {
    own.loads(content, AT_NOW);
    expect.unreachable();
  } catch (error) {
    expect(`${error} ${(error as Error).cause}`).not.toMatch(/private|a-very/);
  }
  expect(textOf(own.loads(own.dumps(bytes('{"a":1}'), NOW), AT_NOW).payload)).toBe('{"a":1}');
});
