/** A cookie-session application signs Ada in; flacon takes her over, into a store and into a cookie of its own. */
import cookieSession from 'cookie-session';
import express from 'express';
import { type CookieSessionSource, fromCookieSession } from 'flacon/connect';
import Koa from 'koa';
import { afterAll, describe, expect, test } from 'vitest';
import { Visitor } from '../examples/visitor.ts';
import { closeSites, Events, flaconApp, serve } from './apps.ts';
import { dataOf, SeenMemory } from './stage.ts';

afterAll(closeSites);

const ADA = { passport: { user: 'ada' }, naïve: '☃' };

/** Ada's cookies. */
async function signedIn(content: unknown = ADA, keys = ['old key']): Promise<Visitor> {
  const site = await serve(typeof content === 'string' ? raw(content, keys) : former(content as object, keys));
  const visitor = site.visitor();
  await visitor.get('/');
  expect([...visitor.cookies.keys()]).toEqual(['session', 'session.sig']);
  return visitor;
}

function former(content: object, keys: string[]) {
  const app = express();
  app.use(cookieSession({ keys }) as unknown as express.RequestHandler);
  app.get('/', (req, res) => {
    Object.assign(req.session, content);
    res.send('in');
  });
  return app;
}

/** Any text under a good signature: Koa's cookies are signed by the package that signs cookie-session's. */
function raw(text: string, keys: string[]) {
  const app = new Koa();
  app.keys = keys;
  app.use((ctx) => {
    ctx.cookies.set('session', Buffer.from(text).toString('base64'), { signed: true, overwrite: true });
    ctx.body = 'in';
  });
  return app.callback();
}

describe.each(['store', 'cookie'] as const)('into a %s', (target) => {
  async function flacon(source: CookieSessionSource = { keys: ['new key', 'old key'] }) {
    const events = new Events();
    const store = target === 'store' ? new SeenMemory(true, []) : ('cookie' as const);
    const ours = {
      store,
      secretKey: 'a secret of thirty-two characters',
      cookie: { name: 'sid' },
      onEvent: events.listener,
    };
    const site = await serve(flaconApp(fromCookieSession(ours, source)));
    return { url: site.url, events, store };
  }

  test('signed in still; the old cookies are gone', async () => {
    const { url, events } = await flacon();
    const ada = (await signedIn()).copy(url);
    const answer = await ada.get('/me');
    expect(dataOf(answer)).toEqual(ADA);
    expect(answer.setCookies).toEqual([
      expect.stringMatching(/^sid=[\w-]{43,}; HttpOnly; Path=\/; SameSite=Lax$/),
      'session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/',
      'session.sig=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/',
    ]);
    expect([...ada.cookies.keys()]).toEqual(['sid']);
    await ada.get('/put/age/9');
    expect(dataOf(await ada.get('/me'))).toEqual({ ...ADA, age: '9' });
    expect(events.types).toEqual(['migrated']);
  });

  test('a request that does not use its session changes nothing', async () => {
    const { url } = await flacon();
    const ada = (await signedIn()).copy(url);
    expect((await ada.get('/unused')).setCookies).toEqual([]);
    expect(dataOf(await ada.get('/me'))).toEqual(ADA);
  });

  test('whether it outlives the browser', async () => {
    const { url } = await flacon({ secret: 'old key', maxAge: 60_000 });
    const ada = (await signedIn()).copy(url);
    expect((await ada.get('/me')).setCookies[0]).toContain('; Expires=');
  });

  test('signing out with the very request takes all cookies along', async () => {
    const { url, store } = await flacon();
    const ada = (await signedIn()).copy(url);
    const thief = ada.copy();
    await ada.get('/logout');
    expect(ada.cookies.size).toBe(0);
    // Without a store there is no telling that it was ended, as with cookie-session itself.
    expect(dataOf(await thief.get('/me'))).toEqual(store === 'cookie' ? ADA : {});
  });

  test('signing out with both cookies', async () => {
    const { url } = await flacon();
    const ada = new Visitor(url);
    await ada.get('/put/colour/mauve');
    for (const [name, value] of (await signedIn()).cookies) ada.cookies.set(name, value);
    expect(dataOf(await ada.get('/me'))).toEqual({ colour: 'mauve' });
    await ada.get('/logout');
    expect(ada.cookies.size).toBe(0);
  });

  test.each<[string, (cookies: Map<string, string>) => void]>([
    ['another key', (cookies) => cookies.set('session.sig', 'A'.repeat(27))],
    ['no signature', (cookies) => cookies.delete('session.sig')],
    [
      'another content',
      (cookies) => cookies.set('session', Buffer.from('{"passport":{"user":"eve"}}').toString('base64')),
    ],
    ['8 KB', (cookies) => cookies.set('session', 'A'.repeat(8000))],
  ])('not resumed: %s', async (_, forge) => {
    const { url, events } = await flacon();
    const ada = (await signedIn()).copy(url);
    forge(ada.cookies);
    expect(dataOf(await ada.get('/me'))).toEqual({});
    expect(events.all).toEqual([{ type: 'not-resumed', reason: 'bad-signature', from: 'cookie-session' }]);
  });

  test.each(['7', '"text"', '{"a":', '\0'])('not a session: %s', async (content) => {
    const { url, events } = await flacon();
    const ada = (await signedIn(content)).copy(url);
    expect(dataOf(await ada.get('/me'))).toEqual({});
    expect(events.types).toEqual(['not-resumed undecodable']);
  });
});

test('cookies that cookie-session 2.1.1 made, with the key `k1`', async () => {
  const ours = { store: new SeenMemory(true, []), cookie: { name: 'sid' } };
  const site = await serve(flaconApp(fromCookieSession(ours, { keys: ['k2', 'k1'] })));
  const visitor = site.visitor();
  visitor.cookies.set('session', 'eyJ1c2VyIjoiYWRhIiwi4piDIjpbMSx7ImEiOiLDvCJ9XX0=');
  visitor.cookies.set('session.sig', 'k7SLQNt9f1g3uI5aunPJ4rC4-kM');
  expect(dataOf(await visitor.get('/me'))).toEqual({ user: 'ada', '☃': [1, { a: 'ü' }] });
});

test('20 parallel first requests into a store: one session that has every change', async () => {
  const site = await serve(
    flaconApp(fromCookieSession({ store: new SeenMemory(false, []), cookie: { name: 'sid' } }, { keys: ['old key'] })),
  );
  const ada = (await signedIn()).copy(site.url);
  await Promise.all(Array.from({ length: 20 }, (_, i) => ada.copy().get(`/put/key${i}/x`)));
  expect(Object.keys(dataOf(await ada.get('/me')) as object)).toHaveLength(22);
});
