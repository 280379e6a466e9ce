import { describe, expect, it } from 'vitest';
import { SecureCookieSessionInterface } from '../../../src/core/cookie-session.ts';
import { createSessionInterface, type SessionOptions } from '../../../src/core/options.ts';
import { ServerSideSessionInterface } from '../../../src/core/server-session.ts';
import { MemoryStore } from '../../../src/stores/memory.ts';

const store = new MemoryStore();
const secretKey = 'a secret of at least thirty-two bytes';
const wrong: [string, unknown, string][] = [
  ['nothing to keep sessions in', {}, 'store'],
  ['an unknown option', { store, secret: 'x' }, 'secret'],
  ['a store without verbs', { store: {} }, 'store'],
  ['a cookie session without a key', { store: 'cookie' }, 'secretKey'],
  ['a short key', { store: 'cookie', secretKey: 'short' }, 'secretKey'],
  ['signed ids without a key', { store, signIds: true }, 'secretKey'],
  [
    'one text in place of a list of fallbacks',
    { store, secretKey, secretKeyFallbacks: 'old key' },
    'secretKeyFallbacks',
  ],
  ['an empty fallback', { store, secretKey, secretKeyFallbacks: [''] }, 'secretKeyFallbacks'],
  ['a lifetime as text', { store, idleTimeout: '1 day' }, 'idleTimeout'],
  ['no lifetime', { store, idleTimeout: 0 }, 'idleTimeout'],
  ['not a number', { store, absoluteTimeout: Number.NaN }, 'absoluteTimeout'],
  ['a share above one', { store, refresh: 2 }, 'refresh'],
  ['short ids', { store, idLength: 8 }, 'idLength'],
  ['a prefix that breaks keys', { store, keyPrefix: 'a b\r\n' }, 'keyPrefix'],
  ['an unknown format', { store, format: 'yaml' }, 'format'],
  ['an unknown profile', { store, profile: 'django' }, 'profile'],
  ['a flag that is none', { store, lazy: 'yes' }, 'lazy'],
  ['a listener that is none', { store, onEvent: {} }, 'onEvent'],
  ['a cookie name that splits headers', { store, cookie: { name: 'a;b' } }, 'cookie.name'],
  [
    'a __Host- cookie with a domain',
    { store, cookie: { name: '__Host-s', secure: true, domain: 'example.com' } },
    'cookie.domain',
  ],
  ['no options at all', null, 'options'],
];

describe('createSessionInterface', () => {
  it.each(wrong)('refuses %s at start, and names the option', (_name, options, option) => {
    expect(() => createSessionInterface(options as SessionOptions)).toThrow(
      expect.objectContaining({
        code: 'ERR_SESSION_CONFIG',
        option,
        message: expect.stringMatching(/: got .+; expected .+/),
      }),
    );
  });

  it('never shows a secret in an error', () => {
    for (const options of [
      { store: 'cookie', secretKey: 'hunter2' },
      { store, secretKey, secretKeyFallbacks: 'hunter2' },
      { store, secretKey: { key: 'hunter2' } },
    ]) {
      try {
        createSessionInterface(options as unknown as SessionOptions);
        expect.unreachable();
      } catch (error) {
        expect(String(error)).not.toContain('hunter2');
      }
    }
  });

  it('makes what the options describe, and lets an interface through', () => {
    const server = createSessionInterface({ store });
    expect(server).toBeInstanceOf(ServerSideSessionInterface);
    expect(createSessionInterface({ store: 'cookie', secretKey })).toBeInstanceOf(SecureCookieSessionInterface);
    expect(createSessionInterface(server)).toBe(server);
    expect(createSessionInterface({}, () => store)).toBeInstanceOf(ServerSideSessionInterface);
  });
});
