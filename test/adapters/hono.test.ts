/** What Hono brings beside the suite: its test client, error handling, helpers for streams, parts of an application. */
import { sessions } from 'flacon/adapters/hono';
import { MemoryStore } from 'flacon/stores/memory';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { stream, streamSSE, streamText } from 'hono/streaming';
import { describe, expect, test } from 'vitest';
import { session as imported, type Session } from '../../src/index.ts';
import { WatchedStore } from '../../src/testing/watched-store.ts';
import { pause, WebVisitor } from './web-visitor.ts';

const visit = (session: Session) => session.update<number>('visits', (visits) => (visits ?? 0) + 1);
const visitorOf = (app: { fetch(request: Request): Response | Promise<Response> }) => new WebVisitor(app.fetch);

test('app.request, as tests use it', async () => {
  const app = new Hono()
    .use(sessions({ store: new MemoryStore() }))
    .get('/', (c) => c.text(String(visit(c.var.session))));
  const first = await app.request('/');
  expect(await first.text()).toBe('1');
  const [cookie = ''] = first.headers.getSetCookie()[0]?.split(';') ?? [];
  expect(await (await app.request('/', { headers: { cookie } })).text()).toBe('2');
});

test.each([
  ['c.body(null, 204)', 204],
  ['HEAD', 200],
  ['a page that is not there', 404],
])('saved with %s', async (what, status) => {
  const app = new Hono();
  app.use(sessions({ store: new MemoryStore() }), async (c, next) => {
    visit(c.get('session'));
    await next();
  });
  app.get('/', (c) => (status === 204 ? c.body(null, 204) : c.text('hello')));
  const visitor = visitorOf(app);
  const answer = await visitor.send(status === 404 ? '/nowhere' : '/', { method: what === 'HEAD' ? 'HEAD' : 'GET' });
  expect([answer.status, answer.headers.get('vary'), visitor.cookies.size]).toEqual([status, 'Cookie', 1]);
});

test('a constant of the program carries the cookie of nobody', async () => {
  const constant = new Response(null, { status: 204 });
  const app = new Hono().use(sessions({ store: new MemoryStore() })).get('/', (c) => {
    visit(c.var.session);
    return constant;
  });
  await app.request('/');
  expect((await app.request('/')).headers.getSetCookie()).toHaveLength(1);
  expect(constant.headers.getSetCookie()).toEqual([]);
});

describe('errors', () => {
  test('app.onError can use the session, and its answer is saved', async () => {
    const app = new Hono().use(sessions({ store: new MemoryStore() })).get('/', (c) => {
      visit(c.var.session);
      throw new HTTPException(418, { message: 'short and stout' });
    });
    app.onError((error, c) => {
      imported.set('said', error.message);
      return c.text(`${c.get('session').get('visits')}`, 418);
    });
    app.get('/said', (c) => c.text(c.get('session').get<string>('said', '')));
    const visitor = visitorOf(app);
    const answer = await visitor.send();
    expect([answer.status, await answer.text()]).toEqual([418, '1']);
    expect(await visitor.text('/said')).toBe('short and stout');
  });

  test('a failed save reaches app.onError, which begins anew', async () => {
    const store = new WatchedStore(new MemoryStore(), true);
    const app = new Hono();
    app.use(async (c, next) => {
      c.header('X-Outer', 'kept');
      await next();
    });
    app.use(sessions({ store }));
    app.get('/', (c) => {
      visit(c.get('session'));
      store.broken = true;
      c.header('Content-Encoding', 'x-own');
      c.header('ETag', '"1"');
      return c.redirect('/next');
    });
    const seen: unknown[] = [];
    app.onError((error, c) => {
      seen.push((error as { code?: unknown }).code, c.error === error);
      c.header('X-Error', 'yes');
      return c.json({ failed: true }, 503);
    });
    const { status, headers } = await app.request('/');
    expect(seen).toEqual(['ERR_SESSION_STORE', true]);
    expect([status, Object.fromEntries(headers)]).toEqual([
      503,
      { 'content-type': 'application/json', 'x-error': 'yes', 'x-outer': 'kept' },
    ]);
  });

  test('a failed read reaches app.onError', async () => {
    const store = new WatchedStore(new MemoryStore(), true);
    store.broken = true;
    const app = new Hono().use(sessions({ store })).get('/', (c) => c.text('never'));
    app.onError((_error, c) => c.text('failed', 503));
    const headers = { cookie: `session=${'A'.repeat(43)}` };
    expect((await app.request('/', { headers })).status).toBe(503);
  });
});

describe('helpers for streams', () => {
  const app = new Hono().use(sessions({ store: new MemoryStore() }));
  const late = async (write: (text: string) => Promise<unknown>) => {
    await write('a');
    await pause(5);
    imported.set('late', true);
    await write('b');
  };
  app.get('/read', (c) => c.text(String(c.var.session.get('late', false))));
  app.use(async (c, next) => {
    visit(c.var.session);
    await next();
  });
  app.get('/stream', (c) => stream(c, (out) => late((text) => out.write(text))));
  app.get('/text', (c) => streamText(c, (out) => late((text) => out.writeln(text))));
  app.get('/events', (c) => streamSSE(c, (out) => late((data) => out.writeSSE({ data }))));

  test.each([
    ['/stream', 'ab'],
    ['/text', 'a\nb\n'],
    ['/events', 'data: a\n\ndata: b\n\n'],
  ])('%s: what it changes is there when it ends', async (path, text) => {
    const visitor = visitorOf(app);
    expect(await visitor.text(path)).toBe(text);
    expect(await visitor.text('/read')).toBe('true');
  });
});

describe('parts of an application', () => {
  test('app.route: sessions of the part, and of nothing else', async () => {
    const store = new WatchedStore(new MemoryStore(), true);
    const shop = new Hono().use(sessions({ store })).get('/', (c) => c.text(String(visit(c.var.session))));
    const app = new Hono().get('/', (c) => c.text(typeof c.get('session'))).route('/shop', shop);
    const visitor = visitorOf(app);
    expect(await visitor.text('/shop')).toBe('1');
    store.commands = [];
    expect(await visitor.text('/')).toBe('undefined');
    expect(store.commands).toEqual([]);
    expect(await visitor.text('/shop')).toBe('2');
  });

  test('the same sessions twice are as good as once', async () => {
    const store = new WatchedStore(new MemoryStore(), true);
    const same = sessions({ store });
    const shop = new Hono().use(same).get('/', (c) => c.text(String(visit(c.var.session))));
    const visitor = visitorOf(new Hono().use(same).route('/shop', shop));
    await visitor.text('/shop');
    store.commands = [];
    const answer = await visitor.send('/shop');
    expect([await answer.text(), store.commands]).toEqual(['2', ['read', 'write']]);
  });
});
