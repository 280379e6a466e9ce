import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBase64, encodeBase64 } from '../../../src/codecs/base64.ts';
import { SealedSerializer } from '../../../src/codecs/sealed.ts';
import { URLSafeTimedSerializer } from '../../../src/codecs/url-safe.ts';
import {
  BadSignatureError,
  SessionConfigError,
  SessionEncodeError,
  SignatureExpiredError,
} from '../../../src/errors.ts';

const NOW = 1_700_000_000;
const AT_NOW = { now: NOW, maxAge: 0 };
const OLD = 'the old secret, thirty-two bytes or more';
const NEW = 'the new secret, thirty-two bytes or more';
const sealed = new SealedSerializer([OLD, NEW], { name: 'session' });
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const textOf = (payload: Uint8Array) => Buffer.from(payload).toString();
function refused(text: string, by = sealed): void {
  expect(() => by.loads(text, AT_NOW)).toThrow(BadSignatureError);
}

test('payload and second come back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 2 ** 33 }), (payload, now) => {
      const loaded = sealed.loads(sealed.dumps(payload, now + 0.5), { now, maxAge: 0 });
      expect([...loaded.payload]).toEqual([...payload]);
      expect(loaded).toMatchObject({ issuedAt: now, current: true });
    }),
  );
});

test('the text is base64url, shows nothing, and is never the same twice', () => {
  const one = sealed.dumps(bytes('{"user":"ann"}'), NOW);
  expect(one).toMatch(/^[A-Za-z0-9_-]+$/);
  expect(one).not.toBe(sealed.dumps(bytes('{"user":"ann"}'), NOW));
  const token = Buffer.from(one, 'base64url');
  expect(token.includes('ann')).toBe(false);
  const time = Buffer.alloc(4);
  time.writeUInt32BE(NOW);
  expect(token.includes(time)).toBe(false);
});

test('its length depends on the length of the payload only', () => {
  const length = (text: string) => sealed.dumps(bytes(text), NOW).length;
  expect(length('a'.repeat(500))).toBe(length(randomBytes(250).toString('hex')));
});

test('the format, so that a change to it is noticed', () => {
  const context = Buffer.from('["flacon sealed cookie",1,"session","session"]');
  const key = Buffer.from(hkdfSync('sha256', NEW, '', context, 32));
  const nonce = Buffer.alloc(12, 7);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
  cipher.setAAD(context);
  const time = Buffer.alloc(6);
  time.writeUIntBE(NOW, 0, 6);
  const inside = Buffer.concat([cipher.update(time), cipher.update('{}'), cipher.final()]);
  const text = encodeBase64(Buffer.concat([Buffer.from([1]), nonce, inside, cipher.getAuthTag()]));
  expect(textOf(sealed.loads(text, AT_NOW).payload)).toBe('{}');
  expect(text).toBe('AQcHBwcHBwcHBwcHB3Fvxqz5n0oSZa0edAM1-aMx7mrWhCjT3Q');
});

describe('age', () => {
  const text = sealed.dumps(bytes('{}'), NOW);
  test('as the url-safe serializer', () => {
    expect(sealed.loads(text, { now: NOW + 60.9, maxAge: 60 }).issuedAt).toBe(NOW);
    expect(() => sealed.loads(text, { now: NOW + 61, maxAge: 60 })).toThrow(SignatureExpiredError);
    expect(() => sealed.loads(text, { now: NOW - 1, maxAge: 60 })).toThrow(SignatureExpiredError);
    expect(sealed.loads(text, { now: NOW - 1, maxAge: 60, leeway: 1 }).issuedAt).toBe(NOW);
  });

  test.each([Number.NaN, -1, 1e15])('a clock of %d is refused', (now) => {
    expect(() => sealed.dumps(bytes('{}'), now)).toThrow(SessionEncodeError);
  });
});

describe('several secrets', () => {
  test('the newest seals', () => {
    const text = sealed.dumps(bytes('{}'), NOW);
    expect(new SealedSerializer(NEW, { name: 'session' }).loads(text, AT_NOW).current).toBe(true);
    refused(text, new SealedSerializer(OLD, { name: 'session' }));
  });

  test('all open; an old one is said not to be current', () => {
    const text = new SealedSerializer(OLD, { name: 'session' }).dumps(bytes('{}'), NOW);
    expect(sealed.loads(text, AT_NOW)).toMatchObject({ current: false, issuedAt: NOW });
  });
});

describe('what is not ours', () => {
  test('arbitrary text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => refused(text)));
  });

  test('arbitrary bytes behind the version', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (tail) => refused(encodeBase64(new Uint8Array([1, ...tail])))),
    );
  });

  test('changing any bit', () => {
    const token = Buffer.from(sealed.dumps(bytes('{"user":"ann"}'), NOW), 'base64url');
    for (let bit = 0; bit < token.length * 8; bit++) {
      const tampered = Buffer.from(token);
      tampered[bit >> 3] = (tampered[bit >> 3] as number) ^ (1 << (bit & 7));
      refused(encodeBase64(tampered));
    }
  });

  test('another spelling of the same token', () => {
    const text = sealed.dumps(bytes('{}'), NOW);
    for (const other of [`${text}=`, `${text}A`, ` ${text}`, `${text}.`, text.replaceAll('-', '+').concat('+')])
      refused(other);
  });

  test('CVE-2025-47275: a shortened authentication tag', () => {
    const token = Buffer.from(sealed.dumps(bytes('{"user":"ann"}'), NOW), 'base64url');
    for (let cut = 1; cut <= token.length; cut++) refused(encodeBase64(token.subarray(0, token.length - cut)));
    const body = token.subarray(0, token.length - 16);
    for (let size = 0; size < 16; size++)
      refused(encodeBase64(Buffer.concat([body, token.subarray(-16).subarray(0, size)])));
  });

  test('Laravel 7.22.4: the value of a cookie with another name', () => {
    const other = new SealedSerializer([OLD, NEW], { name: 'preferences' });
    refused(other.dumps(bytes('{"admin":true}'), NOW));
    refused(sealed.dumps(bytes('{}'), NOW), other);
  });

  test('CVE-2023-48309: a token made for another purpose', () => {
    const other = new SealedSerializer([OLD, NEW], { name: 'session', purpose: 'oauth-state' });
    refused(other.dumps(bytes('{}'), NOW));
    refused(sealed.dumps(bytes('{}'), NOW), other);
  });

  test('purpose and name cannot be shifted into each other', () => {
    const one = new SealedSerializer(NEW, { name: 'b","c', purpose: 'a' });
    const two = new SealedSerializer(NEW, { name: 'c', purpose: 'a","b' });
    refused(one.dumps(bytes('{}'), NOW), two);
  });

  test('CVE-2026-39324: nothing is decoded that was only signed, or only encoded', () => {
    refused(new URLSafeTimedSerializer(NEW).dumps(bytes('{"admin":true}'), NOW));
    refused(encodeBase64(bytes('{"admin":true}')));
    refused('{"admin":true}');
    refused(
      encodeBase64(
        new Uint8Array([1, ...Buffer.alloc(12), ...Buffer.from('{"admin":true,"padding":"padding padding"}')]),
      ),
    );
  });

  test('another version', () => {
    const token = decodeBase64(sealed.dumps(bytes('{}'), NOW)) as Uint8Array;
    token[0] = 2;
    refused(encodeBase64(token));
  });
});

describe('configuration', () => {
  test('a short secret is refused by its option, and never shown', () => {
    const short = 'hunter2-hunter2-hunter2-hunter2';
    const make = (keys: string | string[]) => {
      try {
        new SealedSerializer(keys, { name: 'session' });
      } catch (error) {
        return error as SessionConfigError;
      }
      throw new Error('accepted');
    };
    expect(make(short)).toBeInstanceOf(SessionConfigError);
    expect(make(short).option).toBe('secretKey');
    expect(make([short, NEW]).option).toBe('secretKeyFallbacks');
    expect(make([]).option).toBe('secretKey');
    expect(make(short).message).not.toContain('hunter2');
    expect(make(short).message).toContain('31 bytes');
  });

  test('32 bytes will do, as text or as bytes', () => {
    const key = new Uint8Array(randomBytes(32));
    const own = new SealedSerializer(key, { name: 's' });
    expect(own.loads(own.dumps(bytes('{}'), NOW), AT_NOW).current).toBe(true);
    expect(new SealedSerializer('\u00e9'.repeat(16), { name: 's' })).toBeDefined();
  });

  test('a name that no cookie can have', () => {
    expect(() => new SealedSerializer(NEW, { name: 'x'.repeat(2000) })).toThrow(SessionConfigError);
  });
});
