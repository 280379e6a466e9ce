/** A real application on @fastify/session writes sessions over HTTP; flacon takes them over with the same cookies. */
import { type FastifySessionOptions, MemoryStore as FormerStore } from '@fastify/session';
import { RedisStore as ConnectRedis } from 'connect-redis';
import { type FastifySessionSource, fromFastifySession } from 'flacon/connect';
import { MemoryStore } from 'flacon/stores/memory';
import { createClient } from 'redis';
import { afterAll, describe, expect, test } from 'vitest';
import type { Visitor } from '../examples/visitor.ts';
import { available } from '../servers/process.ts';
import { startRedis } from '../servers/redis.ts';
import { closeSites, Events, fastifySite, flaconApp, serve } from './apps.ts';
import { dataOf } from './stage.ts';

const SECRET = 'a secret of more than thirty-two letters';
const ADA = { passport: { user: 'ada' } };

const redis = await available(startRedis);
const client = createClient(redis.server ? { url: redis.server.url } : {});
if (redis.server) await client.connect();
afterAll(async () => {
  await closeSites();
  if (client.isOpen) client.destroy();
  await redis.server?.stop();
});

type Options = Omit<FastifySessionOptions, 'secret' | 'store'> & { store: FormerStore | ConnectRedis };

/** Ada, signed in with @fastify/session, at an application on flacon that was given the same options. */
async function moved(
  options: Options,
  source: Partial<FastifySessionSource> = {},
  now = Date.now,
): Promise<{ ada: Visitor; events: Events; old: string }> {
  const theirs = { secret: SECRET, ...options, cookie: { secure: false, ...options.cookie } };
  const before = await fastifySite(theirs as FastifySessionOptions);
  const visitor = before.visitor();
  await visitor.get('/login/ada');
  await visitor.get('/put/colour/mauve');
  const events = new Events();
  const ours = fromFastifySession({ store: new MemoryStore(), onEvent: events.listener, now }, {
    ...theirs,
    ...source,
  } as FastifySessionSource);
  const name = options.cookieName ?? 'sessionId';
  return {
    ada: visitor.copy((await serve(flaconApp(ours))).url),
    events,
    old: visitor.cookies.get(name) as string,
  };
}

function takesOver(create: () => { store: FormerStore | ConnectRedis; count(): Promise<number> }): void {
  test('signed in still, under our id; the old record and the old cookie are gone', async () => {
    const { store, count } = create();
    const { ada, events, old } = await moved({ store });
    expect(decodeURIComponent(old)).toMatch(/^[\w-]{32}\.[\w+/]{43}$/);
    expect(await count()).toBe(1);
    const answer = await ada.get('/me');
    expect(dataOf(answer)).toEqual({ ...ADA, colour: 'mauve' });
    expect(answer.setCookies).toEqual([
      expect.stringMatching(/^session=[\w-]{43}; HttpOnly; Path=\/; SameSite=Lax$/),
      'sessionId=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/',
    ]);
    expect([...ada.cookies.keys()]).toEqual(['session']);
    expect(await count()).toBe(0);
    expect(events.all).toEqual([{ type: 'migrated', from: '@fastify/session' }]);
    await ada.get('/put/age/9');
    expect(dataOf(await ada.get('/me'))).toEqual({ ...ADA, colour: 'mauve', age: '9' });
  });
}

describe('its own store, which hands out live objects', () => {
  takesOver(() => {
    const map = new Map();
    return { store: new FormerStore(map), count: async () => map.size };
  });
});

describe.skipIf(redis.missing)(`connect-redis${redis.note}`, () => {
  takesOver(() => ({
    store: new ConnectRedis({ client, prefix: 'fastify:' }),
    count: async () => (await client.keys('fastify:*')).length,
  }));
});

test.each<[string, Omit<Options, 'store'>]>([
  ['another name', { cookieName: 'sid' }],
  ['the prefix of express-session', { cookiePrefix: 's:' }],
  ['another hash', { algorithm: 'sha512' }],
  ['a lifetime', { cookie: { maxAge: 60_000 } }],
  ['an end', { cookie: { expires: new Date(Date.now() + 60_000) } }],
])('with %s', async (_, options) => {
  const { ada } = await moved({ store: new FormerStore(), ...options });
  expect(dataOf(await ada.get('/me'))).toEqual({ ...ADA, colour: 'mauve' });
  const isLasting = options.cookie !== undefined;
  expect(dataOf(await ada.get('/sid'))).toMatchObject({ permanent: isLasting });
});

test('secrets rotate: all of them verify', async () => {
  const { ada } = await moved(
    { store: new FormerStore() },
    { secret: ['another secret of more than thirty-two', SECRET] },
  );
  expect(dataOf(await ada.get('/me'))).toEqual({ ...ADA, colour: 'mauve' });
});

test('another secret: a fresh session, and an event', async () => {
  const { ada, events } = await moved(
    { store: new FormerStore() },
    { secret: 'another secret of more than thirty-two' },
  );
  expect(dataOf(await ada.get('/me'))).toEqual({});
  expect(events.all).toEqual([{ type: 'not-resumed', reason: 'bad-signature', from: '@fastify/session' }]);
});

test('a record that has expired is not loaded, as there', async () => {
  const later = () => Date.now() + 61_000;
  const { ada, events } = await moved({ store: new FormerStore(), cookie: { maxAge: 60_000 } }, {}, later);
  expect(dataOf(await ada.get('/me'))).toEqual({});
  expect(events.types).toEqual(['not-resumed expired']);
});
