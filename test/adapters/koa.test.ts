/** What is Koa's own: middleware above and below, `ctx.onerror`, bodies of every kind, `ctx.respond`. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, createServer as createServer2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { session } from 'flacon';
import { sessions } from 'flacon/adapters/koa';
import { MemoryStore } from 'flacon/stores/memory';
import { HttpVisitor } from 'flacon/testing/http-visitor';
import { WatchedStore } from 'flacon/testing/watched-store';
import Koa from 'koa';
import mount from 'koa-mount';
import { afterEach, describe, expect, test } from 'vitest';

const SECRET = 'a secret of these tests, which is long enough';

const servers: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function visitorOf(app: Koa): Promise<HttpVisitor> {
  const server = createServer(app.callback()).listen(0, '127.0.0.1');
  servers.push({ close: () => server.close(() => {}) && server.closeAllConnections() });
  await once(server, 'listening');
  return new HttpVisitor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const visit = (ctx: Koa.Context) => ctx.session.update<number>('visits', (visits) => (visits ?? 0) + 1);

/** An application that says nothing on the console, and what its `error` event told. */
function create() {
  const app = new Koa();
  const errors: { code?: unknown; message: string }[] = [];
  app.on('error', (error) => errors.push(error));
  return { app, errors };
}

const KINDS = [
  ['answers at once', false],
  ['answers late', true],
] as const;

describe.each(KINDS)('a store that fails and %s', (_name, late) => {
  test('the middleware above can answer', async () => {
    const { app, errors } = create();
    const store = new WatchedStore(new MemoryStore(), late);
    app.use(async (ctx, next) => {
      try {
        await next();
      } catch (error) {
        ctx.status = 503;
        ctx.body = `sorry: ${(error as { code?: unknown }).code}`;
      }
    });
    app.use(sessions({ store }));
    app.use((ctx) => {
      visit(ctx);
      store.broken = true;
      ctx.body = ctx.path === '/stream' ? Readable.from(['all', 'is', 'well']) : 'all is well';
    });
    const visitor = await visitorOf(app);
    for (const path of ['/', '/stream']) {
      const answer = await visitor.send(path);
      expect([answer.status, answer.text, answer.setCookie]).toEqual([503, 'sorry: ERR_SESSION_STORE', []]);
      store.broken = false;
    }
    expect(errors).toEqual([]);
  });

  test('where no middleware does, Koa answers and the application hears of it, once', async () => {
    const { app, errors } = create();
    const store = new WatchedStore(new MemoryStore(), late);
    app.use(sessions({ store }));
    app.use(async (ctx) => {
      visit(ctx);
      store.broken = true;
      ctx.set('ETag', '"1"');
      ctx.body = 'all is well';
      if (ctx.path === '/raw') {
        ctx.respond = false;
        ctx.res.writeHead(201, { 'Content-Type': 'application/x-own' });
        ctx.res.end('all is well');
      }
      if (ctx.path === '/by-hand') {
        ctx.res.write('all is ');
        await new Promise((resolve) => setTimeout(resolve, 10));
        ctx.res.end('well');
      }
    });
    const visitor = await visitorOf(app);
    for (const path of ['/', '/raw', '/by-hand']) {
      store.broken = false;
      const answer = await visitor.send(path);
      expect([path, answer.status, answer.text, answer.setCookie]).toEqual([path, 500, 'Internal Server Error', []]);
      expect(answer.headers.etag).toBeUndefined();
      expect(errors.splice(0).map(({ code }) => code)).toEqual(['ERR_SESSION_STORE']);
    }
  });

  test('an error page whose session cannot be saved either', async () => {
    const { app, errors } = create();
    const store = new WatchedStore(new MemoryStore(), late);
    app.use(sessions({ store }));
    app.use((ctx) => {
      visit(ctx);
      store.broken = true;
      ctx.throw(418, 'a teapot');
    });
    const answer = await (await visitorOf(app)).send();
    expect([answer.status, answer.text, answer.setCookie]).toEqual([500, 'Internal Server Error', []]);
    expect(errors.map(({ message, code }) => code ?? message)).toEqual(['a teapot', 'ERR_SESSION_STORE']);
  });
});

describe.each(KINDS)('with a store that %s', (_name, late) => {
  const store = () => new WatchedStore(new MemoryStore(), late);

  test("Koa's error page has the cookie, whoever threw: below, or above when all was saved", async () => {
    const { app } = create();
    app.use(async (ctx, next) => {
      await next();
      if (ctx.path === '/above') throw new Error('thrown above');
    });
    app.use(sessions({ store: store() }));
    app.use((ctx) => {
      const visits = visit(ctx);
      if (ctx.path === '/below') ctx.throw(401, 'who are you?');
      ctx.body = String(visits);
    });
    const visitor = await visitorOf(app);
    const below = await visitor.send('/below');
    expect([below.status, below.text, below.setCookie.length, below.headers.vary]).toEqual([
      401,
      'who are you?',
      1,
      'Cookie',
    ]);
    expect((await visitor.send()).text).toBe('2');
    const stranger = new HttpVisitor(visitor.url);
    const above = await stranger.send('/above');
    expect([above.status, above.setCookie.length]).toEqual([500, 1]);
    expect((await stranger.send()).text).toBe('2');
  });

  test('what the middleware above changes afterwards is saved before the response', async () => {
    const { app } = create();
    const kept = store();
    app.use(async (ctx, next) => {
      await next();
      if (!ctx.session.isNew) ctx.session.update<number>('above', (above) => (above ?? 0) + 1);
    });
    app.use(sessions({ store: kept }));
    app.use((ctx) => {
      ctx.body = `${visit(ctx)} ${ctx.session.get('above', 0)}`;
    });
    const visitor = await visitorOf(app);
    await visitor.send();
    expect((await visitor.send()).text).toBe('2 0');
    expect((await visitor.send()).text).toBe('3 1');
  });

  test('ctx.respond = false, and what is written by hand', async () => {
    const { app } = create();
    app.use(sessions({ store: store() }));
    app.use(async (ctx) => {
      if (ctx.path === '/later') {
        ctx.respond = false;
        setTimeout(() => ctx.res.end(String(visit(ctx))), 5);
        return;
      }
      visit(ctx);
      ctx.res.statusCode = 200;
      ctx.res.write('a');
      await new Promise((resolve) => setTimeout(resolve, 5));
      ctx.session.set('late', true);
      ctx.res.end(String(ctx.session.get('visits')));
    });
    const visitor = await visitorOf(app);
    expect((await visitor.send('/by-hand')).text).toBe('a1');
    expect((await visitor.send('/later')).text).toBe('2');
    expect((await visitor.send('/later')).text).toBe('3');
  });

  test.each<[string, (text: () => string) => unknown]>([
    ['a stream', (text) => Readable.from(pieces(text))],
    ['a web stream', (text) => webStream(text)],
    ['a Response', (text) => new Response(webStream(text), { headers: { 'content-type': 'text/plain' } })],
    ['a Blob', (text) => new Blob(['a', text()])],
    ['JSON', (text) => ({ a: text() })],
  ])('a body that is %s has the imported session', async (_kind, body) => {
    const { app } = create();
    app.use(sessions({ store: store() }));
    app.use((ctx) => {
      visit(ctx);
      ctx.body = body(() => String(session.get('visits')));
    });
    const visitor = await visitorOf(app);
    expect((await visitor.send()).text).toMatch(/^(a1|\{"a":"1"\})$/);
    expect((await visitor.send()).text).toMatch(/^(a2|\{"a":"2"\})$/);
  });

  test('the same middleware twice is as good as once', async () => {
    const { app } = create();
    const middleware = sessions({ store: store() });
    app.use(middleware).use(mount('/', middleware));
    app.use((ctx) => {
      ctx.body = String(visit(ctx));
    });
    const visitor = await visitorOf(app);
    expect((await visitor.send()).setCookie).toHaveLength(1);
    expect((await visitor.send()).text).toBe('2');
  });

  test('over HTTP/2', async () => {
    const { app } = create();
    const kept = store();
    app.use(sessions({ store: kept }));
    app.use((ctx) => {
      const visits = visit(ctx);
      kept.broken = ctx.path === '/broken';
      ctx.body = ctx.path === '/stream' ? Readable.from(['streamed']) : String(visits);
    });
    const server = createServer2(app.callback() as never).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    let cookie = '';
    const get = async (path: string) => {
      const stream = client.request({ ':path': path, cookie });
      const [headers] = await once(stream, 'response');
      cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? cookie;
      let text = '';
      for await (const chunk of stream) text += chunk;
      return text;
    };
    try {
      expect([await get('/'), await get('/stream'), await get('/broken')]).toEqual([
        '1',
        'streamed',
        'Internal Server Error',
      ]);
      kept.broken = false;
      expect(await get('/')).toBe('3');
    } finally {
      client.close();
    }
  });
});

async function* pieces(text: () => string): AsyncGenerator<string> {
  yield 'a';
  await new Promise((resolve) => setTimeout(resolve, 2));
  yield text();
}

function webStream(text: () => string): ReadableStream<Uint8Array> {
  const parts = pieces(text);
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await parts.next();
      if (done) controller.close();
      else controller.enqueue(new TextEncoder().encode(value));
    },
  });
}

test('in the cookie, a change by the middleware above comes too late, and says so', async () => {
  const { app, errors } = create();
  app.use(async (ctx, next) => {
    await next();
    ctx.session.set('above', true);
  });
  app.use(sessions({ store: 'cookie', secretKey: SECRET }));
  app.use((ctx) => {
    ctx.body = String(visit(ctx));
  });
  expect((await (await visitorOf(app)).send()).status).toBe(500);
  expect(errors.map(({ code }) => code)).toEqual(['ERR_SESSION_HEADERS_SENT']);
});

test('null ends the session, as with koa-session; another value is an error', async () => {
  const { app, errors } = create();
  app.use(sessions({ store: new MemoryStore() }));
  app.use((ctx) => {
    if (ctx.path === '/end') ctx.session = null;
    else if (ctx.path === '/wrong') Object.assign(ctx, { session: { user: 'ada' } });
    else visit(ctx);
    ctx.body = 'ok';
  });
  const visitor = await visitorOf(app);
  await visitor.send();
  expect((await visitor.send('/wrong')).status).toBe(500);
  expect(errors[0]?.message).toMatch(/was replaced by another value/);
  expect(String((await visitor.send('/end')).setCookie)).toMatch(/^session=;.*Max-Age=0/);
  expect(visitor.cookies.size).toBe(0);
});

test('the session of a mounted application is not there outside of it', async () => {
  const { app } = create();
  const inner = new Koa();
  inner.use(sessions({ store: new MemoryStore() }));
  inner.use((ctx) => {
    ctx.body = String(visit(ctx));
  });
  app.use(mount('/shop', inner));
  app.use((ctx) => {
    ctx.body = typeof ctx.session;
  });
  const visitor = await visitorOf(app);
  expect((await visitor.send('/shop')).text).toBe('1');
  expect((await visitor.send('/')).text).toBe('undefined');
  expect('session' in {}).toBe(false);
});

test('a response whose session nobody used is as Koa and Node made it', async () => {
  const { app } = create();
  const held = (res: ServerResponse) => ['writeHead', 'write', 'end'].some((name) => Object.hasOwn(res, name));
  app.use(sessions({ store: new MemoryStore() }));
  app.use((ctx) => {
    ctx.body = String(held(ctx.res));
  });
  const answer = await (await visitorOf(app)).send();
  expect([answer.text, answer.headers.vary]).toEqual(['false', undefined]);
});
