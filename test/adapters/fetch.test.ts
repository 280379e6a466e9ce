/** What the Fetch adapter does beyond the suite: answers of every kind, errors, and sessions by hand. */
import { sessionOpener, sessions } from 'flacon/adapters/fetch';
import { MemoryStore } from 'flacon/stores/memory';
import { describe, expect, test } from 'vitest';
import { session as imported, type Session } from '../../src/index.ts';
import { WatchedStore } from '../../src/testing/watched-store.ts';
import { pause, WebVisitor } from './web-visitor.ts';

const visit = (session: Session) => session.update<number>('visits', (visits) => (visits ?? 0) + 1);
const watched = () => new WatchedStore(new MemoryStore(), true);

describe('answers', () => {
  test('a constant of the program, answered to everybody, carries the cookie of nobody', async () => {
    const constant = new Response(null, { status: 204, headers: { 'X-Own': 'yes' } });
    const handler = sessions({ store: new MemoryStore() })((_request, session) => {
      visit(session);
      return constant;
    });
    const [ann, ben] = [new WebVisitor(handler), new WebVisitor(handler)];
    expect((await ann.send()).headers.getSetCookie()).toHaveLength(1);
    const answer = await ben.send();
    expect([answer.status, answer.headers.get('x-own'), answer.headers.getSetCookie().length]).toEqual([204, 'yes', 1]);
    expect(ben.cookies.get('session')).not.toBe(ann.cookies.get('session'));
    expect(constant.headers.getSetCookie()).toEqual([]);
  });

  test('a redirect, whose headers cannot be changed', async () => {
    const visitor = new WebVisitor(
      sessions({ store: new MemoryStore() })((_request, session) => {
        visit(session);
        return Response.redirect('http://localhost/next', 303);
      }),
    );
    const { status, headers } = await visitor.send();
    expect([status, headers.get('location'), headers.get('vary')]).toEqual([303, 'http://localhost/next', 'Cookie']);
    expect(visitor.cookies.size).toBe(1);
  });

  test('the same Response where the session was not used', async () => {
    const own = new Response('hello');
    expect(await sessions({ store: new MemoryStore() })(() => own)(new Request('http://localhost'))).toBe(own);
  });

  test('none: the request was upgraded', async () => {
    const store = watched();
    const handler = sessions({ store })((_request, session) => {
      visit(session);
      return undefined;
    });
    expect(await handler(new Request('http://localhost'))).toBeUndefined();
    expect(store.commands).toEqual(['write']);
  });

  test('what the runtime passes beside the request comes after the session', async () => {
    const handler = sessions({ store: new MemoryStore() })(
      (_request, session, env: { name: string }, more: number) => new Response(`${visit(session)} ${env.name} ${more}`),
    );
    expect(await (await handler(new Request('http://localhost'), { name: 'worker' }, 7)).text()).toBe('1 worker 7');
  });
});

describe('errors', () => {
  test('a Response that is thrown is the answer, and saved', async () => {
    const visitor = new WebVisitor(
      sessions({ store: new MemoryStore() })((_request, session) => {
        throw new Response(`sign in first, ${visit(session)}`, { status: 401 });
      }),
    );
    const answer = await visitor.send();
    expect([answer.status, await answer.text()]).toEqual([401, 'sign in first, 1']);
    expect(await visitor.text()).toBe('sign in first, 2');
  });

  test.each(['read', 'write'] as const)('a store that fails to %s: onError is asked once', async (verb) => {
    const store = watched();
    const errors: unknown[] = [];
    const handler = sessions(
      { store, refresh: 'always' },
      {
        onError(error) {
          errors.push((error as { code?: unknown }).code);
          return new Response('failed', { status: 503 });
        },
      },
    )((_request, session) => {
      visit(session);
      if (verb === 'write') store.broken = true;
      return new Response('all is well');
    });
    const visitor = new WebVisitor(handler);
    visitor.cookies.set('session', 'A'.repeat(43));
    if (verb === 'read') store.broken = true;
    const answer = await visitor.send();
    expect([answer.status, await answer.text(), answer.headers.getSetCookie()]).toEqual([503, 'failed', []]);
    expect(errors).toEqual(['ERR_SESSION_STORE']);
  });

  test('an onError that fails itself is asked once, too', async () => {
    let asked = 0;
    const onError = () => {
      asked++;
      throw new Error('an error page that fails');
    };
    const handler = sessions(
      { store: new MemoryStore() },
      { onError },
    )(() => {
      throw new Error('a handler that fails');
    });
    await expect(handler(new Request('http://localhost'))).rejects.toThrow('an error page that fails');
    expect(asked).toBe(1);
  });

  test('a body that is not sent is told to stop', async () => {
    const store = watched();
    let reason: unknown = 'never told';
    const handler = sessions(
      { store },
      { onError: () => new Response(null, { status: 500 }) },
    )((_request, session) => {
      visit(session);
      store.broken = true;
      const cancel = (told: unknown) => {
        reason = told;
      };
      return new Response(new ReadableStream({ cancel }));
    });
    expect((await handler(new Request('http://localhost'))).status).toBe(500);
    expect(reason).toBeUndefined();
  });
});

describe('bodies', () => {
  test('nothing is read ahead of the client, and the end of one that leaves is in the request', async () => {
    let pieces = 0;
    let last: unknown;
    const store = new MemoryStore();
    const visitor = new WebVisitor(
      sessions({ store })((request, session) => {
        if (request.url.endsWith('/read')) return new Response(String(session.get('left', false)));
        visit(session);
        const body = new ReadableStream(
          {
            pull(controller) {
              pieces++;
              controller.enqueue(new Uint8Array(1));
            },
            cancel() {
              last = imported.get('visits');
              imported.set('left', true);
            },
          },
          { highWaterMark: 0 },
        );
        return new Response(body);
      }),
    );
    await visitor.send('/read');
    await (await visitor.send()).body?.cancel();
    const { body } = await visitor.send();
    await pause(5);
    expect(pieces).toBe(0);
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    expect(pieces).toBe(1);
    await reader.cancel();
    expect(last).toBe(2);
    expect(await visitor.text('/read')).toBe('true');
  });

  test('of two that are nested, the imported session is the inner one, in the body as well', async () => {
    const outer = sessions({ store: new MemoryStore(), cookie: { name: 'outer' } });
    const inner = sessions({ store: new MemoryStore(), cookie: { name: 'inner' } });
    const handler = outer((request: Request, first) =>
      inner((_request, second) => {
        visit(first);
        second.set('visits', 'inner');
        const body = new ReadableStream(
          {
            pull(controller) {
              controller.enqueue(new TextEncoder().encode(String(imported.get('visits'))));
              controller.close();
            },
          },
          { highWaterMark: 0 },
        );
        return new Response(body);
      })(request),
    );
    const visitor = new WebVisitor(handler);
    expect(await visitor.text()).toBe('inner');
    expect([...visitor.cookies.keys()].sort()).toEqual(['inner', 'outer']);
  });
});

describe('by hand', () => {
  const facts = (cookie?: string) => ({ cookie, secure: true });

  test('open, run, save; the cookie is taken apart', async () => {
    const open = sessionOpener({
      store: new MemoryStore(),
      cookie: { name: '__Host-id', secure: true, sameSite: 'Strict', partitioned: true },
    });
    const first = await open(facts());
    expect(first.run(() => visit(imported))).toBe(1);
    const { cookies, vary, private: own, setCookie } = await first.save();
    expect([vary, own]).toEqual([true, true]);
    const [cookie] = cookies;
    const { name, value, options } = cookie!;
    expect(name).toBe('__Host-id');
    expect(encodeURIComponent(value)).toBe(value);
    expect(options).toEqual({
      path: '/',
      httpOnly: true,
      secure: true,
      sameSite: 'strict',
      partitioned: true,
      expires: expect.any(Date),
    });
    expect(setCookie).toContain(`__Host-id=${value}; Expires=${options.expires?.toUTCString()}; Secure`);
    const second = await open(new Request('https://localhost', { headers: { cookie: `a=1; ${name}=${value}` } }));
    expect(visit(second.session)).toBe(2);
    second.session.destroy();
    const cleared = (await second.save()).cookies;
    expect(cleared).toMatchObject([{ name, value: '', options: { maxAge: 0, expires: new Date(0), secure: true } }]);
    expect((await open(facts(`${name}=${value}`))).session.has('visits')).toBe(false);
  });

  test('nothing is said of a session that nobody used', async () => {
    const store = watched();
    const opened = await sessionOpener({ store })({ cookie: null, secure: false });
    const { cookies, setCookie, vary = false } = await opened.save();
    expect([cookies, setCookie, vary]).toEqual([[], undefined, false]);
    expect(store.commands).toEqual([]);
  });

  test('https is told by the request: its URL, or a proxy that is trusted', async () => {
    const secure = async (trustProxy: boolean, url: string, proto?: string) => {
      const opened = await sessionOpener(
        { store: new MemoryStore() },
        { trustProxy },
      )(new Request(url, { headers: proto ? { 'x-forwarded-proto': proto } : {} }));
      visit(opened.session);
      return (await opened.save()).cookies[0]?.options.secure ?? false;
    };
    expect(await secure(false, 'https://localhost')).toBe(true);
    expect(await secure(true, 'http://localhost', 'https')).toBe(true);
    expect(await secure(true, 'https://localhost', 'http')).toBe(false);
  });

  test('what is changed after the save is saved by the end', async () => {
    const open = sessionOpener({ store: watched() });
    const first = await open(facts());
    visit(first.session);
    const cookie = (await first.save()).setCookie?.split(';', 1)[0];
    const second = await open(facts(cookie));
    visit(second.session);
    await second.save();
    second.session.set('late', true);
    await second.finish();
    expect((await open(facts(cookie))).session.get('late')).toBe(true);
  });

  test('a store that fails to open', async () => {
    const store = watched();
    store.broken = true;
    const opening = sessionOpener({ store })(facts(`session=${'A'.repeat(43)}`));
    await expect(opening).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' });
  });
});
