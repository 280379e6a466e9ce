import session from 'express-session';
import { SessionConfigError, type SessionOptions } from 'flacon';
import { fromCookieSession, fromExpressSession, fromFastifySession } from 'flacon/connect';
import { MemoryStore } from 'flacon/stores/memory';
import { describe, expect, test } from 'vitest';

const ours = { store: new MemoryStore() };
const theirs = { secret: 'keyboard cat', store: new session.MemoryStore() };

describe('what cannot work is refused at start', () => {
  const refusals: [string, SessionOptions, Record<string, unknown>, string][] = [
    ['no secret', ours, { ...theirs, secret: undefined }, 'secret'],
    ['no store', ours, { ...theirs, store: undefined }, 'store'],
    ['a store of ours for theirs', ours, { ...theirs, store: new MemoryStore() }, 'store'],
    ['cookies in place of a store', { store: 'cookie', secretKey: 'x'.repeat(32) }, theirs, 'store'],
    ['two cookies of one name', { ...ours, cookie: { name: 'connect.sid' } }, theirs, 'cookie.name'],
    ['a name that is none', ours, { ...theirs, name: 'a b' }, 'name'],
    ['attributes by a function', ours, { ...theirs, cookie: () => ({}) }, 'cookie'],
    ['a path that is none', ours, { ...theirs, cookie: { path: 'shop' } }, 'cookie.path'],
    ['a domain that is none', ours, { ...theirs, cookie: { domain: 7 } }, 'cookie.domain'],
    ['a grace that is none', ours, { ...theirs, grace: -1 }, 'grace'],
    ['a grace that is text', ours, { ...theirs, grace: '60' }, 'grace'],
    ['an option of ours that is none', { ...ours, rolling: true } as never, theirs, 'rolling'],
  ];
  test.each(refusals)('%s', (_, options, source, option) => {
    const make = () => fromExpressSession(options, source as never);
    expect(make).toThrow(SessionConfigError);
    expect(make).toThrow(expect.objectContaining({ option }));
    expect(make).not.toThrow(/keyboard cat/);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['a name that is none', { cookieName: 'a;b' }, 'cookieName'],
    ['a hash that is none', { algorithm: 'rot13' }, 'algorithm'],
    ['a signer object', { secret: { sign() {}, unsign() {} } }, 'secret'],
  ])('@fastify/session: %s', (_, source, option) => {
    expect(() => fromFastifySession(ours, { ...theirs, ...source } as never)).toThrow(
      expect.objectContaining({ option }),
    );
  });

  const inCookie: SessionOptions = { store: 'cookie', secretKey: 'x'.repeat(32), cookie: { name: 'sid' } };
  test.each<[string, SessionOptions, Record<string, unknown>, string]>([
    ['no key', inCookie, {}, 'secret'],
    ['an empty list of keys', inCookie, { keys: [] }, 'keys'],
    ['cookies that are not signed', inCookie, { keys: ['a'], signed: false }, 'signed'],
    ['two cookies of one name', { ...ours }, { keys: ['a'] }, 'cookie.name'],
    ['two cookies of one name, both with the session in them', inCookie, { keys: ['a'], name: 'sid' }, 'cookie.name'],
    ['a path that is none', inCookie, { keys: ['a'], path: 'shop' }, 'path'],
    ['a grace without a store', inCookie, { keys: ['a'], grace: 60 }, 'grace'],
  ])('cookie-session: %s', (_, options, source, option) => {
    expect(() => fromCookieSession(options, source as never)).toThrow(expect.objectContaining({ option }));
  });

  test.each([undefined, null, 7, 'x'])('options that are none: %s', (source) => {
    expect(() => fromExpressSession(ours, source as never)).toThrow(SessionConfigError);
    expect(() => fromFastifySession(ours, source as never)).toThrow(SessionConfigError);
    expect(() => fromCookieSession(ours, source as never)).toThrow(SessionConfigError);
  });
});

test("their options as they are, with what is not ours to heed, and a name's former option", () => {
  const options = { ...theirs, key: 'sid', resave: false, saveUninitialized: true, rolling: true, unset: 'destroy' };
  expect(fromExpressSession(ours, options).cookieName).toBe('session');
});
