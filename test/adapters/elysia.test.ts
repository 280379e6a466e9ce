/** What Elysia brings beside the suite: scopes, plugins used by plugins, its hooks, generators. */
import { Elysia, sse, status } from 'elysia';
import { sessions } from 'flacon/adapters/elysia';
import { MemoryStore } from 'flacon/stores/memory';
import { describe, expect, test } from 'vitest';
import { session as imported, type Session } from '../../src/index.ts';
import { WatchedStore } from '../../src/testing/watched-store.ts';
import { pause, WebVisitor } from './web-visitor.ts';

const visit = (session: Session) => session.update<number>('visits', (visits) => (visits ?? 0) + 1);
const visitorOf = (app: { handle(request: Request): Promise<Response> }) =>
  new WebVisitor((request) => app.handle(request));
/** Elysia's own streams are of texts, which only servers take: `response.text()` refuses them, with and without sessions. */
async function read({ body }: Response): Promise<string> {
  let text = '';
  for await (const piece of body as unknown as AsyncIterable<string>) text += piece;
  return text;
}

const late = () => new WatchedStore(new MemoryStore(), true);

test('app.handle, as tests use it', async () => {
  const app = new Elysia().use(sessions({ store: new MemoryStore() })).get('/', ({ session }) => visit(session));
  const first = await app.handle(new Request('http://localhost/'));
  expect(await first.text()).toBe('1');
  const [cookie = ''] = first.headers.getSetCookie()[0]?.split(';') ?? [];
  expect(await (await app.handle(new Request('http://localhost/', { headers: { cookie } }))).text()).toBe('2');
});

describe('scopes', () => {
  test('local to the instance that uses it: others neither have a session nor read one', async () => {
    const store = late();
    const shop = new Elysia({ prefix: '/shop' }).use(sessions({ store })).get('/', ({ session }) => visit(session));
    const app = new Elysia().use(shop).get('/', (context) => String('session' in context));
    const visitor = visitorOf(app);
    expect(await visitor.text('/shop')).toBe('1');
    store.commands = [];
    expect(await visitor.text('/')).toBe('false');
    expect(store.commands).toEqual([]);
    expect(await visitor.text('/shop')).toBe('2');
  });

  test.each(['scoped', 'global'] as const)('%s: shared with the instance above', async (scope) => {
    const shared = new Elysia({ name: 'sessions' }).use(sessions({ store: late() })).as(scope as 'scoped');
    const app = new Elysia().use(shared).get('/', ({ session }) => visit(session));
    const visitor = visitorOf(app);
    await visitor.text();
    expect(await visitor.text()).toBe('2');
  });

  test('a plugin of its own, used by several instances, is one', async () => {
    const store = late();
    const shared = new Elysia({ name: 'sessions' }).use(sessions({ store })).as('scoped');
    const shop = new Elysia({ prefix: '/shop' }).use(shared).get('/', ({ session }) => visit(session));
    const app = new Elysia()
      .use(shared)
      .use(shop)
      .get('/', ({ session }) => visit(session));
    const visitor = visitorOf(app);
    await visitor.text('/shop');
    store.commands = [];
    expect(await visitor.text('/')).toBe('2');
    expect(await visitor.text('/shop')).toBe('3');
    expect(store.commands).toEqual(['read', 'write', 'read', 'write']);
  });

  test('twice the same plugin is as good as once', async () => {
    const store = late();
    const same = sessions({ store });
    const app = new Elysia()
      .use(same)
      .use(new Elysia({ prefix: '/in' }).use(same).get('/', ({ session }) => visit(session)));
    const visitor = visitorOf(app);
    await visitor.text('/in');
    store.commands = [];
    expect(await visitor.text('/in')).toBe('2');
    expect(store.commands).toEqual(['read', 'write']);
  });

  test('two interfaces, in an instance that is used by another', async () => {
    const both = new Elysia({ prefix: '/both' })
      .use(sessions({ store: late(), cookie: { name: 'a' } }))
      .use(sessions({ store: late(), cookie: { name: 'b' } }, { property: 'second' }))
      .get('/', ({ session, second }) => {
        imported.set('imported', true);
        return `${visit(session)} ${visit(second)} ${session.has('imported')} ${second.has('imported')}`;
      });
    const visitor = visitorOf(new Elysia().use(both));
    expect(await visitor.text('/both')).toBe('1 1 false true');
    expect([...visitor.cookies.keys()].sort()).toEqual(['a', 'b']);
    expect(await visitor.text('/both')).toBe('2 2 false true');
  });
});

describe('hooks', () => {
  const application = (store: MemoryStore | WatchedStore) => new Elysia().use(sessions({ store }));

  test.each([
    ['a store that answers at once', () => new MemoryStore()],
    ['a store that answers late', late],
  ])('hooks and guards have the session, over %s', async (_name, make) => {
    const app = application(make())
      .onBeforeHandle(({ session, path }) => {
        if (path === '/account' && !session.has('user')) return status(401, 'sign in first');
        return;
      })
      .get('/sign-in', ({ session, redirect }) => {
        session.set('user', 'ann');
        return redirect('http://localhost/account');
      })
      .get('/account', ({ session }) => session.get('user'));
    const visitor = visitorOf(app);
    expect((await visitor.send('/account')).status).toBe(401);
    const { status: moved, headers } = await visitor.send('/sign-in');
    expect([moved, headers.get('location'), headers.get('vary')]).toEqual([302, 'http://localhost/account', 'Cookie']);
    expect(await visitor.text('/account')).toBe('ann');
  });

  test('cookies of its own are kept', async () => {
    const app = application(late()).get('/', ({ session, cookie, set }) => {
      visit(session);
      cookie.a!.value = '1';
      cookie.b!.value = '2';
      set.headers.vary = 'Accept';
      return 'ok';
    });
    const { headers } = await app.handle(new Request('http://localhost/'));
    expect(headers.getSetCookie().map((text) => text.slice(0, 3))).toEqual(['a=1', 'b=2', 'ses']);
    expect(headers.get('vary')).toBe('Accept, Cookie');
  });

  test('generators: what they change is there when they end', async () => {
    const app = application(late())
      .get('/read', ({ session }) => String(session.get('late', false)))
      .get('/', async function* ({ session }) {
        yield `a${visit(session)}`;
        await pause(5);
        imported.set('late', true);
        yield 'b';
      })
      .get('/events', async function* ({ session }) {
        yield sse({ event: 'visit', data: `${visit(session)}` });
        await pause(5);
        imported.set('late', true);
        yield sse({ data: 'bye' });
      });
    for (const [path, text] of [
      ['/', 'a1b'],
      ['/events', 'event: visit\ndata: 1\n\ndata: bye\n\n'],
    ]) {
      const visitor = visitorOf(app);
      expect(await read(await visitor.send(path))).toBe(text);
      expect(await visitor.text('/read')).toBe('true');
    }
  });

  test('onError can use the session, and its answer is saved', async () => {
    const app = application(late())
      .onError(({ error }) => {
        imported.set('said', (error as Error).message);
        return 'failed';
      })
      .get('/read', ({ session }) => session.get('said', 'nothing'))
      .get('/', ({ session }) => {
        visit(session);
        throw new Error('a handler that fails');
      });
    const visitor = visitorOf(app);
    const answer = await visitor.send();
    expect([answer.status, await answer.text(), visitor.cookies.size]).toEqual([500, 'failed', 1]);
    expect(await visitor.text('/read')).toBe('a handler that fails');
  });

  test('a failed save reaches onError, which begins anew', async () => {
    const store = late();
    const seen: unknown[] = [];
    const app = application(store)
      .onAfterResponse(() => {})
      .onError(({ code, error, set }) => {
        seen.push(code, error instanceof Error);
        set.headers['x-error'] = 'yes';
        return { failed: true };
      })
      .get('/', ({ session, set }) => {
        visit(session);
        store.broken = true;
        set.status = 201;
        Object.assign(set.headers, { 'content-encoding': 'x-own', 'x-outer': 'kept', 'set-cookie': ['a=1', 'b=2'] });
        return 'all is well';
      });
    const answer = await app.handle(new Request('http://localhost/'));
    expect(seen).toEqual(['ERR_SESSION_STORE', true]);
    expect([answer.status, await answer.json()]).toEqual([500, { failed: true }]);
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect([...new Set(answer.headers.keys())].sort()).toEqual(['content-type', 'set-cookie', 'x-error', 'x-outer']);
  });

  test('a failed save reaches the nearest onError above', async () => {
    const store = late();
    const inner = new Elysia({ prefix: '/inner' }).use(sessions({ store })).get('/', ({ session }) => {
      store.broken = true;
      return visit(session);
    });
    const app = new Elysia().onError(({ code }) => `above: ${code}`).use(new Elysia({ prefix: '/middle' }).use(inner));
    const answer = await app.handle(new Request('http://localhost/middle/inner'));
    expect([answer.status, await answer.text()]).toEqual([500, 'above: ERR_SESSION_STORE']);
  });

  test('a failed read reaches onError', async () => {
    const store = late();
    store.broken = true;
    let asked = 0;
    const app = new Elysia()
      .use(sessions({ store, refresh: 'always' }))
      .onError(({ code, set }) => {
        asked++;
        set.status = 503;
        return String(code);
      })
      .get('/', () => 'never');
    const headers = { cookie: `session=${'A'.repeat(43)}` };
    const answer = await app.handle(new Request('http://localhost/', { headers }));
    expect([answer.status, await answer.text(), asked]).toEqual([503, 'ERR_SESSION_STORE', 1]);
  });
});

test('without its compiler, Elysia has no place for it: refused at start', async () => {
  const store = new MemoryStore();
  expect(() => new Elysia({ aot: false }).use(sessions({ store }))).toThrow('aot: got false; expected');
  const inside = new Elysia().use(sessions({ store })).get('/', ({ session }) => visit(session));
  const errors: string[] = [];
  const app = new Elysia({ aot: false }).onError(({ error }) => void errors.push((error as Error).message)).use(inside);
  expect((await app.handle(new Request('http://localhost/'))).status).toBe(500);
  expect(errors).toEqual([expect.stringContaining('aot')]);
});

test('the plugin makes Elysia prepare nothing of a request that handlers do not use', async () => {
  const app = new Elysia().use(sessions({ store: new MemoryStore() })).get('/', ({ session }) => visit(session));
  await app.handle(new Request('http://localhost/'));
  const { query, headers, body, cookie, server } = (app as unknown as { inference: Record<string, boolean> }).inference;
  expect({ query, headers, body, cookie, server }).toEqual({
    query: false,
    headers: false,
    body: false,
    cookie: false,
    server: false,
  });
});
