/** What is Fastify's own: scopes, hooks, error handlers, hijacked replies, `inject`, HTTP/2. */
import { once } from 'node:events';
import { request as httpRequest, ServerResponse } from 'node:http';
import { connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import cookie from '@fastify/cookie';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { type Session, session } from 'flacon';
import { sessions } from 'flacon/adapters/fastify';
import { MemoryStore } from 'flacon/stores/memory';
import { WatchedStore } from 'flacon/testing/watched-store';
import { afterEach, describe, expect, test } from 'vitest';

const SECRET = 'a secret of these tests, which is long enough';

const apps: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

function create(options: object = {}): FastifyInstance {
  const app = fastify({ forceCloseConnections: true, ...options }) as FastifyInstance;
  apps.push(app);
  return app;
}

/** As it is typed where no other library declares it. */
const sessionOf = (request: FastifyRequest) => request.getDecorator<Session>('session');
const visit = (request: FastifyRequest) => sessionOf(request).update<number>('visits', (visits) => (visits ?? 0) + 1);

/** A request through `inject` that keeps its cookies. */
function browser(app: FastifyInstance) {
  let cookies: Record<string, string> = {};
  return async (url: string, options: { method?: 'GET' | 'POST' | 'HEAD'; payload?: string } = {}) => {
    const answer = await app.inject({ url, cookies, ...options });
    for (const { name, value } of answer.cookies) cookies = { ...cookies, [name]: value };
    return answer;
  };
}

describe('scopes', () => {
  test('at the root, every route has it: those before it, those in plugins, and what is not found', async () => {
    const app = create();
    app.get('/before', async (request) => visit(request));
    app.register(sessions({ store: new MemoryStore() }));
    app.register(async (scope) => scope.get('/inside', async (request) => visit(request)), { prefix: '/plugin' });
    app.setNotFoundHandler(async (request, reply) => reply.code(404).send(`not found ${visit(request)}`));
    const get = browser(app);
    expect((await get('/before')).body).toBe('1');
    expect((await get('/plugin/inside')).body).toBe('2');
    const missing = await get('/nowhere');
    expect([missing.statusCode, missing.body]).toEqual([404, 'not found 3']);
  });

  test('inside of a plugin, its routes have it, and no other', async () => {
    const app = create();
    app.register(async (scope) => {
      await scope.register(sessions({ store: new MemoryStore() }));
      scope.get('/with', async (request) => visit(request));
      scope.register(async (deeper) => deeper.get('/deeper', async (request) => visit(request)));
    });
    app.get('/without', async (request) => ({ has: 'session' in request }));
    const get = browser(app);
    expect((await get('/with')).body).toBe('1');
    expect((await get('/deeper')).body).toBe('2');
    expect((await get('/without')).json()).toEqual({ has: false });
  });

  test('two scopes have sessions of their own', async () => {
    const app = create();
    for (const name of ['shop', 'admin']) {
      app.register(
        async (scope) => {
          await scope.register(sessions({ store: new MemoryStore(), cookie: { name, path: `/${name}` } }));
          scope.get('/', async (request) => visit(request));
        },
        { prefix: `/${name}` },
      );
    }
    const get = browser(app);
    expect([(await get('/shop')).body, (await get('/shop')).body, (await get('/admin')).body]).toEqual(['1', '2', '1']);
  });

  test('the same name twice in one scope is refused at start', async () => {
    const app = create();
    app.register(sessions({ store: new MemoryStore() }));
    app.register(sessions({ store: new MemoryStore() }));
    await expect(app.ready()).rejects.toMatchObject({ code: 'FST_ERR_DEC_ALREADY_PRESENT' });
  });
});

describe('hooks', () => {
  test('have the session, as the imported one, too, until the response is over', async () => {
    const app = create();
    const seen: string[] = [];
    app.register(sessions({ store: new MemoryStore() }));
    app.register(async (scope) => {
      const note = (name: string) => seen.push(`${name} ${session.get('visits')}`);
      scope.addHook('onRequest', async () => void session.set('visits', 1));
      scope.addHook('preParsing', async () => void note('preParsing'));
      scope.addHook('preValidation', async () => void note('preValidation'));
      scope.addHook('preHandler', async () => void note('preHandler'));
      scope.addHook('preSerialization', async () => void note('preSerialization'));
      scope.addHook('onSend', async () => void note('onSend'));
      let over = (): void => {};
      const response = new Promise<void>((resolve) => {
        over = resolve;
      });
      scope.addHook('onResponse', async () => {
        note('onResponse');
        over();
      });
      scope.post('/', async () => ({ visits: session.get('visits') }));
      scope.decorate('response', response);
      apps.push({ close: () => response });
    });
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const body = 'x'.repeat(200_000);
    const answer = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'text/plain' } });
    expect(await answer.json()).toEqual({ visits: 1 });
    await apps.pop()?.close();
    const names = ['preParsing', 'preValidation', 'preHandler', 'preSerialization', 'onSend', 'onResponse'];
    expect(seen).toEqual(names.map((name) => `${name} 1`));
  });

  test('onSend comes before ours when it was added before, and may still change everything', async () => {
    const app = create();
    app.addHook('onSend', async (request) => void visit(request));
    app.register(sessions({ store: 'cookie', secretKey: SECRET }));
    app.get('/', async (request) => ({ visits: sessionOf(request).get('visits', 0) }));
    const get = browser(app);
    expect((await get('/')).json()).toEqual({ visits: 0 });
    expect((await get('/')).json()).toEqual({ visits: 1 });
  });

  test('onSend after ours: changes are saved where a store has the session', async () => {
    const app = create();
    const store = new WatchedStore(new MemoryStore(), true);
    app.register(sessions({ store }));
    app.get('/', async (request) => ({ visits: visit(request), seen: sessionOf(request).get('seen', 0) }));
    app.after(() => {
      app.addHook('onSend', async (request) => {
        if (!sessionOf(request).isNew) sessionOf(request).update<number>('seen', (seen) => (seen ?? 0) + 1);
      });
    });
    const get = browser(app);
    await get('/');
    await get('/');
    expect((await get('/')).json()).toEqual({ visits: 3, seen: 1 });
  });

  test('the headers are there for onSend hooks after ours', async () => {
    const app = create();
    let cookies: unknown;
    app.register(cookie);
    app.register(sessions({ store: new MemoryStore() }));
    app.get('/', async (request, reply) => {
      reply.setCookie('theme', 'dark');
      return visit(request);
    });
    app.after(() => {
      app.addHook('onSend', async (_request, reply) => {
        cookies = reply.getHeader('set-cookie');
      });
    });
    const answer = await app.inject('/');
    expect(answer.cookies.map(({ name }) => name).sort()).toEqual(['session', 'theme']);
    expect(String(cookies)).toContain('session=');
  });

  test('an answer of a hook is saved as any other', async () => {
    const app = create();
    app.register(sessions({ store: new MemoryStore() }));
    app.after(() => {
      app.addHook('preHandler', async (request, reply) => {
        if (visit(request) === 1) return reply.code(401).send('who are you?');
      });
      app.get('/', async () => 'welcome');
    });
    const get = browser(app);
    expect((await get('/')).statusCode).toBe(401);
    expect((await get('/')).body).toBe('welcome');
  });
});

describe.each([
  ['answers at once', false],
  ['answers late', true],
])('a store that fails and %s', (_name, late) => {
  function failing() {
    const store = new WatchedStore(new MemoryStore(), late);
    const app = create();
    const errors: unknown[] = [];
    app.register(sessions({ store }));
    app.setErrorHandler(async (error, _request, reply) => {
      errors.push((error as { code?: unknown }).code);
      return { failed: true, status: reply.statusCode };
    });
    return { app, store, errors };
  }

  test('the error handler answers, and finds nothing of the answer that was stopped', async () => {
    const { app, store, errors } = failing();
    const file = new PassThrough();
    app.get('/text', async (request, reply) => {
      visit(request);
      store.broken = true;
      return reply.code(302).header('location', '/next').header('etag', '"1"').send('moved');
    });
    app.get('/stream', async (request, reply) => {
      visit(request);
      store.broken = true;
      file.write('a part');
      return reply.header('content-encoding', 'gzip').send(file);
    });
    for (const path of ['/text', '/stream']) {
      store.broken = false;
      const answer = await app.inject(path);
      expect([answer.statusCode, answer.json()]).toEqual([500, { failed: true, status: 500 }]);
      for (const name of ['location', 'etag', 'content-encoding', 'set-cookie'])
        expect(answer.headers).not.toHaveProperty(name);
    }
    expect(file.destroyed).toBe(true);
    expect(errors).toEqual(['ERR_SESSION_STORE', 'ERR_SESSION_STORE']);
  });

  test('reading fails to the error handler, too', async () => {
    const { app, store, errors } = failing();
    app.get('/', async (request) => visit(request));
    const get = browser(app);
    await get('/');
    store.broken = true;
    // In the handler, or in the hook that opens the session before it.
    expect((await get('/')).json()).toMatchObject({ failed: true });
    expect(errors).toEqual(['ERR_SESSION_STORE']);
  });

  test('what is written to reply.raw', async () => {
    const { app, store, errors } = failing();
    app.get('/', (request, reply) => {
      visit(request);
      store.broken = true;
      reply.raw.writeHead(201, { 'content-type': 'application/x-own' });
      reply.raw.end('all is well');
    });
    const answer = await app.inject('/');
    expect(answer.body).toBe('{"failed":true,"status":500}');
    expect(answer.headers['content-type']).toMatch('application/json');
    expect(errors).toEqual(['ERR_SESSION_STORE']);
  });

  test('a hijacked reply: a bare 500, since Fastify answers no more', async () => {
    const { app, store, errors } = failing();
    app.get('/', (request, reply) => {
      visit(request);
      store.broken = true;
      reply.hijack();
      reply.raw.end('all is well');
    });
    const answer = await app.inject('/');
    expect([answer.statusCode, answer.body, answer.headers['set-cookie']]).toEqual([
      500,
      'Internal Server Error\n',
      undefined,
    ]);
    expect(errors).toEqual([]);
  });
});

describe.each([
  ['answers at once', false],
  ['answers late', true],
])('past Fastify, with a store that %s', (_name, late) => {
  const store = () => new WatchedStore(new MemoryStore(), late);

  test('a hijacked reply is saved before its first byte, and before its end', async () => {
    const app = create();
    app.register(sessions({ store: store() }));
    app.get('/', (request, reply) => {
      visit(request);
      reply.hijack();
      reply.raw.writeHead(200, { 'content-type': 'text/plain' });
      reply.raw.write('a');
      setTimeout(() => {
        sessionOf(request).set('late', true);
        reply.raw.end('b');
      }, 2);
    });
    app.get('/read', async (request) => [visit(request), sessionOf(request).get('late', false)]);
    const get = browser(app);
    expect((await get('/')).body).toBe('ab');
    expect((await get('/read')).json()).toEqual([2, true]);
  });

  test('a request to upgrade is left alone', async () => {
    const app = create();
    app.register(sessions({ store: store() }));
    // As plugins for WebSockets do it: a route for the upgrade, with a response that goes nowhere.
    const heard = new Promise((resolve) => {
      app.get('/socket', (request, reply) => {
        reply.hijack();
        resolve(sessionOf(request).get('visits'));
        request.raw.socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: own\r\nConnection: Upgrade\r\n\r\n');
      });
    });
    app.get('/', async (request) => visit(request));
    app.server.on('upgrade', (req) => app.routing(req, new ServerResponse(req)));
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const cookie = (await fetch(url)).headers.getSetCookie()[0]?.split(';')[0] as string;
    const upgrade = httpRequest(`${url}/socket`, { headers: { connection: 'Upgrade', upgrade: 'own', cookie } }).end();
    const [answer] = await once(upgrade, 'upgrade');
    expect([answer.statusCode, answer.headers['set-cookie']]).toEqual([101, undefined]);
    expect(await heard).toBe(1);
  });

  test('over HTTP/2', async () => {
    const app = create({ http2: true });
    const kept = store();
    app.register(sessions({ store: kept }));
    app.get('/', async (request) => visit(request));
    app.get('/stream', async (request) => {
      visit(request);
      const body = new PassThrough();
      setTimeout(() => body.end('streamed'), 2);
      return body;
    });
    app.get('/raw', (request, reply) => {
      visit(request);
      reply.hijack();
      kept.broken = 'broken' in (request.query as object);
      reply.raw.end('raw');
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    const client = connect(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`);
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
      expect(await get('/')).toBe('1');
      expect(await get('/stream')).toBe('streamed');
      expect(await get('/raw')).toBe('raw');
      expect(await get('/raw?broken')).toBe('Internal Server Error\n');
      kept.broken = false;
      expect(await get('/')).toBe('4');
    } finally {
      client.close();
    }
  });
});

test('HEAD is answered for a GET route, and saved', async () => {
  const app = create();
  app.register(sessions({ store: new MemoryStore() }));
  app.get('/', async (request) => `visit ${visit(request)}`);
  const send = browser(app);
  const head = await send('/', { method: 'HEAD' });
  expect([head.statusCode, head.body, head.headers['content-length']]).toEqual([200, '', '7']);
  expect((await send('/')).body).toBe('visit 2');
});

test('null ends the session, another value is an error', async () => {
  const app = create();
  app.register(sessions({ store: new MemoryStore() }));
  app.get('/', async (request) => visit(request));
  app.get('/end', async (request) => {
    Object.assign(request, { session: null });
    return 'bye';
  });
  app.get('/wrong', async (request) => {
    Object.assign(request, { session: { user: 'ada' } });
    return 'lost';
  });
  const get = browser(app);
  await get('/');
  expect((await get('/wrong')).statusCode).toBe(500);
  expect((await get('/end')).headers['set-cookie']).toMatch(/^session=;.*Max-Age=0/);
});

test('a response whose session nobody used is as Fastify and Node made it', async () => {
  const app = create();
  app.register(sessions({ store: new MemoryStore() }));
  app.get('/', async (_request, reply) => ['writeHead', 'write', 'end'].some((name) => Object.hasOwn(reply.raw, name)));
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  expect(await (await fetch(url)).text()).toBe('false');
});

test('bad options are refused where they are written', () => {
  expect(() => sessions({ store: 'cookie', secretKey: 'short' })).toThrow(/secretKey/);
});
