/** What h3 brings beside the suite: values that are no Response, its two places for headers, its hooks. */
import { Readable } from 'node:stream';
import { sessions } from 'flacon/adapters/h3';
import { MemoryStore } from 'flacon/stores/memory';
import { createEventStream, H3, type H3Config, HTTPError, HTTPResponse, iterable, onError } from 'h3';
import { describe, expect, test } from 'vitest';
import { session as imported, type Session } from '../../src/index.ts';
import { WatchedStore } from '../../src/testing/watched-store.ts';
import { pause, WebVisitor } from './web-visitor.ts';

const visit = (session: Session) => session.update<number>('visits', (visits) => (visits ?? 0) + 1);
const visitorOf = (app: H3) => new WebVisitor(app.fetch);

function application(config: H3Config = {}, store: WatchedStore | MemoryStore = new MemoryStore()): H3 {
  return new H3({ silent: true, ...config }).use(sessions({ store }));
}

test('app.request, as tests use it', async () => {
  const app = application().get('/', (event) => ({ visits: visit(event.context.session) }));
  const first = await app.request('/');
  expect(await first.json()).toEqual({ visits: 1 });
  const [cookie = ''] = first.headers.getSetCookie()[0]?.split(';') ?? [];
  expect(await (await app.request('/', { headers: { cookie } })).json()).toEqual({ visits: 2 });
});

describe('whatever a handler returns', () => {
  const values: Record<string, [make: () => unknown, text: string, vary?: string]> = {
    'a text': [() => 'hello', 'hello'],
    'an object': [() => ({ a: 1 }), '{"a":1}'],
    null: [() => null, ''],
    nothing: [() => undefined, ''],
    'a number': [() => 7, '7'],
    bytes: [() => new TextEncoder().encode('bytes'), 'bytes'],
    'a Response': [() => new Response('own', { headers: { Vary: 'Accept' } }), 'own', 'Accept, Cookie'],
    'an HTTPResponse': [() => new HTTPResponse('h3', { headers: { vary: 'Accept' } }), 'h3', 'Accept, Cookie'],
    'a web stream': [() => new Blob(['stream']).stream(), 'stream'],
    'a Node stream': [() => Readable.from(['node', Buffer.from(' stream')]), 'node stream'],
    'an iterable': [() => iterable(['a', 'b']), 'ab'],
    'an HTTPError': [() => new HTTPError({ status: 418, headers: { vary: 'Accept' } }), '', 'Accept, Cookie'],
  };

  test.each(Object.entries(values))('%s', async (_name, [make, text, vary = 'Cookie']) => {
    const visitor = visitorOf(
      application().get('/', (event) => {
        visit(event.context.session);
        return make();
      }),
    );
    for (const _ of [1, 2]) {
      const answer = await visitor.send();
      const body = await answer.text();
      if (text) expect(body).toBe(text);
      expect(answer.headers.get('vary')).toBe(vary);
    }
    expect(visitor.cookies.size).toBe(1);
  });

  test('headers of event.res go before those of a Response, as ever', async () => {
    const app = application().get('/', (event) => {
      visit(event.context.session);
      event.res.headers.set('vary', 'Origin');
      event.res.headers.append('set-cookie', 'a=1');
      return new Response('own', { headers: { Vary: 'Accept', 'Set-Cookie': 'b=2' } });
    });
    const { headers } = await app.request('/');
    expect(headers.get('vary')).toBe('Origin, Cookie');
    expect(headers.getSetCookie().map((text) => text.slice(0, 3))).toEqual(['b=2', 'a=1', 'ses']);
  });
});

describe('errors', () => {
  const failing = (config: H3Config) =>
    application(config).get('/', (event) => {
      visit(event.context.session);
      throw new HTTPError({ status: 418, message: 'short and stout' });
    });

  test('the answer of onError is saved, whatever it is, and can use the session', async () => {
    let asked = 0;
    const answers = [() => new Response('own', { status: 418 }), () => 'text', () => undefined];
    for (const answer of answers) {
      const app = failing({
        onError(_error, event) {
          asked++;
          event.context.session.set('failed', true);
          imported.set('also', true);
          return answer();
        },
      });
      app.get('/read', (event) => `${event.context.session.get('failed')} ${event.context.session.get('also')}`);
      const visitor = visitorOf(app);
      const { headers } = await visitor.send();
      expect([headers.get('vary'), visitor.cookies.size]).toEqual(['Cookie', 1]);
      expect(await visitor.text('/read')).toBe('true true');
    }
    expect(asked).toBe(answers.length);
  });

  test('a page that is not there, with and without onError', async () => {
    for (const config of [{}, { onError: () => new Response('no such page', { status: 404 }) }]) {
      const app = application(config).use((event) => void visit(event.context.session));
      const visitor = visitorOf(app);
      expect((await visitor.send('/nowhere')).status).toBe(404);
      expect(visitor.cookies.size).toBe(1);
    }
  });

  test('middleware in front sees the error itself', async () => {
    const app = new H3({ silent: true });
    app.use(onError((error) => `seen: ${error.status}`));
    app.use(sessions({ store: new MemoryStore() }));
    app.get('/', () => {
      throw new HTTPError({ status: 418 });
    });
    expect(await (await app.request('/')).text()).toBe('seen: 418');
  });

  test('a failed save reaches onError, which begins anew', async () => {
    const store = new WatchedStore(new MemoryStore(), true);
    const seen: unknown[] = [];
    let ended = false;
    const onError: H3Config['onError'] = (error, event) => {
      seen.push((error.cause as { code?: unknown }).code);
      event.res.status = 503;
      return { failed: true };
    };
    const app = application({ onError }, store).get('/', (event) => {
      visit(event.context.session);
      store.broken = true;
      event.res.status = 201;
      event.res.headers.set('content-encoding', 'x-own');
      event.res.headers.set('x-outer', 'kept');
      return Readable.from(['never']).once('close', () => {
        ended = true;
      });
    });
    const { status, headers } = await app.request('/');
    expect([seen, status]).toEqual([['ERR_SESSION_STORE'], 503]);
    expect([...headers.keys()].sort()).toEqual(['content-type', 'x-outer']);
    await pause(5);
    expect(ended).toBe(true);
  });

  test('a Node stream that fails at once is an error page', async () => {
    const failed = new Readable({ read() {} });
    const app = application().get('/', (event) => {
      visit(event.context.session);
      setImmediate(() => failed.destroy(new Error('no such file')));
      return failed;
    });
    expect((await app.request('/')).status).toBe(500);
  });
});

describe('streams', () => {
  const read = (app: H3) => app.get('/read', (event) => String(event.context.session.get('late', false)));

  test('server-sent events', async () => {
    const app = read(application()).get('/', (event) => {
      visit(event.context.session);
      const events = createEventStream(event);
      void (async () => {
        await events.push('a');
        await pause(5);
        imported.set('late', true);
        await events.push('b');
        await events.close();
      })();
      return events.send();
    });
    const visitor = visitorOf(app);
    expect(await visitor.text()).toBe('data: a\n\ndata: b\n\n');
    expect(await visitor.text('/read')).toBe('true');
  });

  test.each(['node', 'iterable'])('pieces that are made on demand: %s', async (kind) => {
    const app = read(application()).get('/', (event) => {
      visit(event.context.session);
      const pieces = async function* () {
        yield 'a';
        await pause(5);
        imported.set('late', true);
        yield String(imported.get('visits'));
      };
      return kind === 'node' ? Readable.from(pieces()) : iterable(pieces());
    });
    const visitor = visitorOf(app);
    expect(await visitor.text()).toBe('a1');
    expect(await visitor.text('/read')).toBe('true');
  });
});

test('onResponse hears of each response once, cookie included', async () => {
  const heard: number[] = [];
  const onResponse = (response: Response) => void heard.push(response.headers.getSetCookie().length);
  const app = application({ onResponse, onError: () => 'failed' })
    .get('/', (event) => visit(event.context.session))
    .get('/error', (event) => {
      visit(event.context.session);
      throw new Error('a handler that fails');
    });
  await app.request('/');
  await app.request('/error');
  expect(heard).toEqual([1, 1]);
});

test('mounted: sessions of the part, and of nothing else; the same ones twice are as good as once', async () => {
  const store = new WatchedStore(new MemoryStore(), true);
  const same = sessions({ store });
  const shop = new H3()
    .use(same)
    .use(same)
    .get('/cart', (event) => visit(event.context.session));
  const app = new H3().get('/', (event) => typeof event.context.session).mount('/shop', shop);
  const visitor = visitorOf(app);
  await visitor.text('/shop/cart');
  store.commands = [];
  expect(await visitor.text('/')).toBe('undefined');
  expect(store.commands).toEqual([]);
  expect(await visitor.text('/shop/cart')).toBe('2');
  expect(store.commands).toEqual(['read', 'write']);
});
