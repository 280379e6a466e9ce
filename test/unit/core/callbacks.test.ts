import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  session as current,
  NullSession,
  Session,
  SessionHeadersSentError,
  type SessionInterface,
  SessionReadOnlyError,
} from 'flacon';
import { type SessionIncomingMessage, sessions } from 'flacon/adapters/node';
import { MemoryStore } from 'flacon/stores/memory';
import { afterEach, describe, expect, it } from 'vitest';
import { MapSessionInterface } from '../../../examples/own-interface/map-session-interface.ts';
import type { SessionMembers } from '../../../src/core/session.ts';
import type { SessionOptions } from '../../../src/index.ts';
import { Visitor } from '../../examples/visitor.ts';

const secretKey = 'a secret of these tests, thirty-two bytes or more';
const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

type Handler = (req: SessionIncomingMessage, res: ServerResponse) => unknown;

async function serve(options: SessionOptions | SessionInterface, handler: Handler): Promise<Visitor> {
  const onError = (error: unknown, _req: IncomingMessage, res: ServerResponse) => {
    res.writeHead(500).end((error as Error).name);
  };
  const server = createServer(sessions(options, { onError })(handler));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return new Visitor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

/** What a member that takes a callback calls it with. */
const called = (run: (callback: (...args: unknown[]) => void) => unknown) =>
  new Promise<unknown[]>((resolve) => run((...args) => resolve(args)));
const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('a session by itself', () => {
  const members = ['regenerate', 'destroy', 'save', 'reload'] as const;

  it.each(members)('%s calls back once, later, and answers with the session', async (member) => {
    const session = new Session({ a: 1 });
    let calls = 0;
    expect(session[member](() => calls++)).toBe(session);
    expect(calls).toBe(0);
    await pause();
    expect(calls).toBe(1);
  });

  it.each(['regenerate', 'destroy'] as const)('%s of a null session calls back with the error', async (member) => {
    const session: SessionMembers = new NullSession('for a test');
    expect(await called((callback) => session[member](callback))).toEqual([expect.any(SessionReadOnlyError)]);
  });

  it.each(['save', 'reload'] as const)('%s calls back with the error, whether thrown or rejected', async (member) => {
    const thrown = new Error('thrown');
    const fail = () => {
      throw thrown;
    };
    for (const control of [fail, async () => fail()]) {
      const session = new Session({}, { [member]: control });
      expect(await called((callback) => session[member](callback))).toEqual([thrown]);
    }
  });

  it('what the callback throws is told to nobody else', async () => {
    const thrown = new Error('of the callback');
    const uncaught: unknown[] = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => uncaught.push(error));
    const calls: unknown[] = [];
    new Session().save((error) => {
      calls.push(error);
      throw thrown;
    });
    await pause();
    for (const listener of listeners) process.on('uncaughtException', listener);
    expect(uncaught).toEqual([thrown]);
    expect(calls).toEqual([undefined]);
  });

  it('touch is a use', () => {
    const session = new Session({ a: 1 });
    expect(session.accessed).toBe(false);
    expect(session.touch()).toBe(session);
    expect([session.accessed, session.modified]).toEqual([true, false]);
  });
});

describe.each<[string, () => SessionOptions | SessionInterface]>([
  ['a store', () => ({ store: new MemoryStore() })],
  ['a cookie', () => ({ store: 'cookie', secretKey })],
  ['an interface of its own', () => new MapSessionInterface(secretKey)],
])('regenerate(callback) with %s', (_name, options) => {
  it('the former session shows what was in it, until the other one is saved', async () => {
    const seen: unknown[] = [];
    const visitor = await serve(options(), async (req, res) => {
      const former = req.session;
      if (req.url === '/set') {
        former.assign({ a: 1, list: [1] });
        return res.end();
      }
      former.set('b', 2);
      seen.push(await called((callback) => former.regenerate(callback)));
      const { session } = req;
      seen.push(
        session === former,
        current.size,
        Object.keys(session),
        JSON.parse(JSON.stringify(former)),
        'a' in former,
        session.isNew,
      );
      expect(() => former.set('c', 3)).toThrow(SessionReadOnlyError);
      expect(() => former.destroy()).toThrow(SessionReadOnlyError);
      for (const key in former) session.set(key, former.get(key));
      session.get<number[]>('list')?.push(2);
      seen.push(await called((callback) => session.save(callback)));
      former.set('d', 4);
      session.set('e', 5);
      seen.push(former.toJSON());
      res.end(JSON.stringify(session));
    });
    await visitor.get('/set');
    const old = visitor.copy();
    const answer = await visitor.get('/');
    const own = (data: unknown) => {
      return Object.fromEntries(Object.entries(data as object).filter(([key]) => !key.startsWith('_')));
    };
    const [error, same, size, keys, former, has] = seen;
    expect(error).toEqual([undefined]);
    expect([same, has]).toEqual([false, true]);
    expect((keys as string[]).filter((key) => !key.startsWith('_'))).toEqual([]);
    expect(size).toBe((keys as string[]).length);
    expect(own(former)).toEqual({ a: 1, list: [1], b: 2 });
    expect(seen[7]).toEqual([undefined]);
    const all = { a: 1, list: [1, 2], b: 2, d: 4, e: 5 };
    expect(own(seen[8])).toEqual(all);
    expect(own(JSON.parse(answer.text))).toEqual(all);
    expect(visitor.cookies.get('session')).not.toBe(old.cookies.get('session'));
  });

  it('twice in a request, each former session shows its own', async () => {
    const visitor = await serve(options(), async (req, res) => {
      const first = req.session;
      first.set('n', 1);
      await called((callback) => first.regenerate(callback));
      const second = req.session;
      second.set('n', 2);
      await called((callback) => second.regenerate(callback));
      const third = req.session;
      third.set('n', 3);
      const seen = [first, second, third].map((session) => session.get('n'));
      req.session = third;
      res.end(JSON.stringify([...seen, req.session === third]));
    });
    expect(JSON.parse((await visitor.get('/')).text)).toEqual([1, 2, 3, true]);
  });
});

describe('with a store', () => {
  const count = (store: MemoryStore, keys: readonly string[]) => keys.filter((key) => store.read(key)).length;

  /** A memory store that tells which keys it was given. */
  function listening() {
    const keys: string[] = [];
    const store = new MemoryStore();
    const { write } = store;
    store.write = (key, ...rest) => {
      if (!keys.includes(key)) keys.push(key);
      return write.call(store, key, ...rest);
    };
    return { store, records: () => count(store, keys), keys };
  }

  it('an interface of its own removes the record of the old id', async () => {
    const records = new Map<string, string>();
    class Keeping extends MapSessionInterface {
      protected override async write(sid: string, json: string) {
        records.set(sid, json);
        await super.write(sid, json);
      }
      protected override async remove(sid: string) {
        records.delete(sid);
        await super.remove(sid);
      }
    }
    const visitor = await serve(new Keeping(secretKey), async (req, res) => {
      if (req.url === '/in') await called((callback) => req.session.regenerate(callback));
      req.session.set('at', req.url);
      res.end();
    });
    await visitor.get('/');
    const old = visitor.copy();
    await visitor.get('/in');
    expect([...records.values()]).toEqual(['{"at":"/in"}']);
    expect(visitor.cookies.get('session')).not.toBe(old.cookies.get('session'));
  });

  it('the record is there when save calls back, and gone when destroy does', async () => {
    const { store, records } = listening();
    const seen: number[] = [];
    const visitor = await serve({ store }, async (req, res) => {
      req.session.set('a', 1);
      await called((callback) => req.session.save(callback));
      seen.push(records());
      await called((callback) => req.session.destroy(callback));
      seen.push(records(), req.session.size);
      res.end();
    });
    const answer = await visitor.get('/');
    expect(seen.slice(0, 2)).toEqual([1, 0]);
    expect(answer.setCookies).toEqual([expect.stringContaining('Max-Age=0')]);
  });

  it('a session that was regenerated and left empty is gone, and its cookie', async () => {
    const { store, records } = listening();
    const visitor = await serve({ store }, async (req, res) => {
      if (req.url === '/out') await called((callback) => req.session.regenerate(callback));
      else req.session.set('a', 1);
      res.end();
    });
    await visitor.get('/');
    expect(records()).toBe(1);
    await visitor.get('/out');
    expect(records()).toBe(0);
    expect(visitor.cookies.size).toBe(0);
  });

  it('reload drops what was not saved', async () => {
    const visitor = await serve({ store: new MemoryStore() }, async (req, res) => {
      if (req.url === '/set') req.session.set('a', 1);
      else {
        req.session.set('a', 2);
        await called((callback) => req.session.reload(callback));
        return res.end(String(req.session.get('a')));
      }
      res.end();
    });
    await visitor.get('/set');
    expect((await visitor.get('/')).text).toBe('1');
  });

  it.each<[string, SessionOptions]>([
    ['a store', { store: new MemoryStore() }],
    ['a cookie', { store: 'cookie', secretKey }],
  ])('regenerate calls back with the error once the response of %s has begun', async (_name, options) => {
    let error: unknown;
    const visitor = await serve(options, async (req, res) => {
      if (req.url === '/set') req.session.set('a', 1);
      else {
        void req.session.get('a');
        res.write('begun');
        await pause();
        [error] = await called((callback) => req.session.regenerate(callback));
        expect(req.session.get('a')).toBe(1);
      }
      res.end();
    });
    await visitor.get('/set');
    expect((await visitor.get('/')).text).toBe('begun');
    expect(error).toBeInstanceOf(SessionHeadersSentError);
    expect((await visitor.get('/')).text).toBe('begun');
  });
});
