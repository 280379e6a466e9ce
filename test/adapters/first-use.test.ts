/** A response is held from the session's first use on: what happens when that is late, or somewhere else than expected. */
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import express from 'express';
import { session as current } from 'flacon';
import { sessions } from 'flacon/adapters/express';
import { MemoryStore } from 'flacon/stores/memory';
import { afterEach, describe, expect, it } from 'vitest';
import type { SessionEvent, SessionOptions } from '../../src/index.ts';
import { Visitor } from '../examples/visitor.ts';
import { stores } from './servers.ts';

const require = createRequire(import.meta.url);
/** The one that compression and morgan use. */
const onHeaders: (res: ServerResponse, listener: () => void) => void = createRequire(require.resolve('compression'))(
  'on-headers',
);

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function visitorOf(app: express.Express): Promise<Visitor> {
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return new Visitor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

/** `/in` begins a session, `/n` shows what is in it. */
function application(options: SessionOptions): express.Express {
  const app = express();
  app.set('env', 'test');
  app.use(sessions(options));
  app.get('/in', async (req, res) => {
    await req.session.load();
    req.session.set('n', 1);
    res.end();
  });
  app.get('/n', async (req, res) => {
    await req.session.load();
    res.end(String(req.session.get('n')));
  });
  return app;
}

const kinds: Record<string, () => SessionOptions> = {
  'a synchronous store': () => ({ store: stores().synchronous }),
  'an asynchronous store': () => ({ store: stores().asynchronous }),
};
const cookies = (): SessionOptions => ({ store: 'cookie', secretKey: 'k'.repeat(32) });

describe.each(Object.entries(kinds))('%s', (_, options) => {
  it('first used while the headers leave (on-headers): saved where the client knows the session', async () => {
    const app = application(options());
    app.get('/', (req, res) => {
      onHeaders(res, () => void req.session.set('n', 2));
      res.end('hello');
    });
    const visitor = await visitorOf(app);
    await visitor.get('/in');
    expect((await visitor.get('/')).text).toBe('hello');
    expect((await visitor.get('/n')).text).toBe('2');
  });

  it('first used while the headers of a stream leave: saved by its end', async () => {
    const app = application(options());
    app.get('/', (req, res) => {
      onHeaders(res, () => void req.session.set('n', 2));
      res.write('hello, ');
      res.write('you');
      res.end();
    });
    const visitor = await visitorOf(app);
    await visitor.get('/in');
    expect((await visitor.get('/')).text).toBe('hello, you');
    expect((await visitor.get('/n')).text).toBe('2');
  });

  it('req.session = null after the headers ends the session', async () => {
    const app = application(options());
    app.get('/out', (req, res) => {
      res.write('good');
      (req as { session: unknown }).session = null;
      expect(req.session).toBeNull();
      res.end('bye');
    });
    const visitor = await visitorOf(app);
    await visitor.get('/in');
    expect((await visitor.get('/out')).text).toBe('goodbye');
    expect((await visitor.get('/n')).text).toBe('undefined');
  });

  it('used while the session of another interface is being saved: saved late, or refused', async () => {
    const app = express();
    app.use(sessions({ store: stores().asynchronous, cookie: { name: 'other' } }, { property: 'other' }));
    app.use(application(options()));
    let thrown: unknown;
    app.get('/', (req, res) => {
      (req as unknown as { other: Map<string, number> }).other.set('a', 1);
      res.end();
      try {
        req.session.set('n', 2);
      } catch (error) {
        thrown = error;
      }
    });
    const visitor = await visitorOf(app);
    const stranger = visitor.copy();
    await visitor.get('/in');
    await visitor.get('/');
    expect((await visitor.get('/n')).text).toBe('2');
    expect(thrown).toBeUndefined();
    await stranger.get('/');
    if (thrown) expect(thrown).toMatchObject({ code: 'ERR_SESSION_HEADERS_SENT' });
    else expect((await stranger.get('/n')).text).toBe('2');
  });
});

it.each([
  ['a store', kinds['a synchronous store'] as () => SessionOptions],
  ['cookies', cookies],
])('%s: what is written while the headers leave, and cannot be kept, is an event', async (_, options) => {
  const events: SessionEvent[] = [];
  const app = application({ ...options(), onEvent: (event) => events.push(event) });
  app.get('/', (req, res) => {
    onHeaders(res, () => void req.session.set('n', 2));
    res.end('hello');
  });
  const visitor = await visitorOf(app);
  expect((await visitor.get('/')).setCookies).toEqual([]);
  expect(events).toMatchObject([{ type: 'late-save-failed', error: { code: 'ERR_SESSION_HEADERS_SENT' } }]);
});

it('what only looks at the session while the headers leave is no event', async () => {
  for (const options of [...Object.values(kinds), cookies]) {
    const events: SessionEvent[] = [];
    const app = application({ ...options(), onEvent: (event) => events.push(event) });
    app.get('/', (req, res) => {
      onHeaders(res, () => void req.session.get('n'));
      res.end('hello');
    });
    expect((await (await visitorOf(app)).get('/')).text).toBe('hello');
    expect(events).toEqual([]);
  }
});

it('a lazy session that is first used after the headers is saved by the end of the response', async () => {
  const memory = new MemoryStore();
  const store = {
    name: 'slow to write',
    read: async (key: string) => memory.read(key),
    touch: async (...args: Parameters<MemoryStore['touch']>) => memory.touch(...args),
    delete: async (key: string) => memory.delete(key),
    write: (...args: Parameters<MemoryStore['write']>) => pause(100).then(() => memory.write(...args)),
  };
  const app = application({ store, lazy: true });
  app.get('/', async (req, res) => {
    res.write('begun');
    await req.session.load();
    req.session.set('n', 2);
    res.end();
  });
  const visitor = await visitorOf(app);
  await visitor.get('/in');
  await visitor.get('/');
  expect((await visitor.get('/n')).text).toBe('2');
});

it('a request that is made and served within another one has its own session in its listeners', async () => {
  const app = express();
  // As loggers do: a listener that is given before the session is opened, here in the context of the outer request.
  app.use((req, res, next) => {
    req.on('end', () => {});
    res.on('finish', () => {});
    next();
  });
  app.use(sessions({ store: new MemoryStore() }));
  app.get('/outer', (req, res) => {
    req.session.set('who', 'outer');
    const inner = new IncomingMessage(new Socket());
    Object.assign(inner, { method: 'POST', url: '/inner' });
    inner.headers['x-answer'] = 'here';
    app(inner as express.Request, new ServerResponse(inner) as express.Response);
    inner.on('end', () => res.end(heard.join()));
    setImmediate(() => {
      inner.push('text');
      inner.push(null);
    });
  });
  const heard: unknown[] = [];
  app.post('/inner', (req) => {
    req.session.set('who', 'inner');
    req.on('data', () => heard.push(current.get('who')));
  });
  const visitor = await visitorOf(app);
  expect((await visitor.get('/outer')).text).toBe('inner');
});

it('two copies of this package (ESM and CommonJS) leave each other’s requests alone', async () => {
  // The query makes it another module.
  const path = '../../src/adapters/node-session.ts?another-copy';
  const copy = (await import(path)) as typeof import('../../src/adapters/node-session.ts');
  const { createSessionInterface } = await import('flacon');
  const theirs = createSessionInterface({ store: new MemoryStore() });
  const settings = { place: copy.placeOf() };
  const second = express();
  second.use((req, res, next) => copy.serveWithSession(theirs, settings, req, res, next));
  const [a, b] = [application({ store: new MemoryStore() }), second].map((app) => {
    app.get('/', (req, res) => void res.end(String(req.session.update<number>('visits', (n) => (n ?? 0) + 1))));
    return app;
  }) as [express.Express, express.Express];
  const [first, other] = [await visitorOf(a), await visitorOf(b)];
  for (const count of ['1', '2']) {
    expect((await first.get('/')).text).toBe(count);
    expect((await other.get('/')).text).toBe(count);
  }
});

it.each(['', '__proto__', 'headers', 'a b', 7])('property %j is refused at start', (property) => {
  expect(() => sessions({ store: new MemoryStore() }, { property: property as string })).toThrow(
    expect.objectContaining({ code: 'ERR_SESSION_CONFIG', message: expect.stringMatching(/^property: got /) }),
  );
});
