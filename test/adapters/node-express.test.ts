import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { session as current } from 'flacon';
import { afterEach, describe, expect, it } from 'vitest';
import type { Session, SessionOptions } from '../../src/index.ts';
import { Client, frameworks, type Handler, type Running, serve, stores } from './servers.ts';

const running: Running[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

const visits = (session: Session) => session.update<number>('visits', (n) => (n ?? 0) + 1);
const url = (req: { url?: string | undefined }) => new URL(req.url ?? '/', 'http://x').pathname;

describe.each(frameworks)('%s', (framework) => {
  describe.each(['synchronous', 'asynchronous'] as const)('%s store', (kind) => {
    async function start(handler: Handler, options: SessionOptions = {}) {
      const server = await serve(framework, { store: stores()[kind], ...options }, handler);
      running.push(server);
      return { client: new Client(server.url), server };
    }

    it('keeps a value from one request to the next', async () => {
      const { client } = await start((req, res) => res.end(String(visits(req.session))));
      const first = await client.send();
      expect(first.body).toBe('1');
      expect(first.setCookie[0]).toMatch(/^session=[\w-]{43}; Expires=[^;]+; HttpOnly; Path=\/; SameSite=Lax$/);
      expect(first.headers.vary).toBe('Cookie');
      expect(first.headers['cache-control']).toBe('private');
      const second = await client.send();
      expect(second.body).toBe('2');
      expect(second.setCookie).toEqual([]);
    });

    it('sends nothing for a session that nobody touched', async () => {
      const { client } = await start((_req, res) => res.end('hello'));
      const answer = await client.send();
      expect(answer.setCookie).toEqual([]);
      expect(answer.headers.vary).toBeUndefined();
    });

    it.each([
      ['a mere look at a key', (s: Session) => s.has('a')],
      ['in', (s: Session) => 'a' in s],
      ['a property', (s: Session) => (s as { a?: unknown }).a],
      ['keys', (s: Session) => Object.keys(s)],
      ['size', (s: Session) => s.size],
      ['iteration', (s: Session) => [...s]],
      ['JSON', (s: Session) => JSON.stringify(s)],
      ['permanent', (s: Session) => s.permanent],
      ['isNew', (s: Session) => s.isNew],
    ])('Vary: Cookie for %s (CVE-2023-30861, CVE-2026-27205)', async (_name, use) => {
      const { client } = await start((req, res) => {
        use(req.session);
        res.end();
      });
      expect((await client.send()).headers.vary).toBe('Cookie');
    });

    it('saves before a redirect leaves', async () => {
      const { client } = await start((req, res) => {
        if (url(req) === '/') {
          req.session.set('user', 'ann');
          res.writeHead(302, { Location: '/next' }).end();
        } else res.end(req.session.get<string>('user', 'nobody'));
      });
      expect((await client.send()).status).toBe(302);
      expect((await client.send('/next')).body).toBe('ann');
    });

    it('saves on HEAD, 204 and 304', async () => {
      const { client } = await start((req, res) => {
        visits(req.session);
        if (url(req) === '/204') res.writeHead(204);
        if (url(req) === '/304') res.statusCode = 304;
        res.end(url(req) === '/n' ? String(req.session.get('visits')) : undefined);
      });
      expect((await client.send('/', 'HEAD')).setCookie).toHaveLength(1);
      expect((await client.send('/204')).status).toBe(204);
      expect((await client.send('/304')).status).toBe(304);
      expect((await client.send('/n')).body).toBe('4');
    });

    it('saves when the handler throws, before the error page leaves', async () => {
      const { client } = await start((req, res) => {
        if (url(req) === '/') {
          req.session.set('before', true);
          throw new Error('boom');
        }
        res.end(JSON.stringify(req.session.get('before')));
      });
      const answer = await client.send();
      expect(answer.status).toBe(500);
      expect(answer.setCookie).toHaveLength(1);
      expect((await client.send('/next')).body).toBe('true');
    });

    it('keeps other Set-Cookie and Vary headers, in every way to give them', async () => {
      const { client } = await start((req, res) => {
        visits(req.session);
        const own = { 'Set-Cookie': ['a=1', 'b=2'], Vary: 'Accept-Encoding', 'X-Own': 'yes' };
        if (url(req) === '/object') res.writeHead(200, own);
        else if (url(req) === '/reason') res.writeHead(200, 'Fine', own);
        else if (url(req) === '/array')
          res.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Vary', 'Accept-Encoding', 'X-Own', 'yes']);
        else for (const [name, value] of Object.entries(own)) res.setHeader(name, value);
        res.end();
      });
      for (const path of ['/', '/object', '/reason', '/array']) {
        client.cookie = undefined;
        const answer = await client.send(path);
        expect(
          answer.setCookie.map((text) => text.split('=', 1)[0]),
          path,
        ).toEqual(['a', 'b', 'session']);
        expect(answer.headers.vary, path).toBe('Accept-Encoding, Cookie');
        expect(answer.headers['x-own'], path).toBe('yes');
      }
    });

    it('never lets a response with a session cookie be public (CVE-2025-48947)', async () => {
      const { client } = await start((req, res) => {
        visits(req.session);
        res.setHeader('Cache-Control', 'public, max-age=60, s-maxage=600');
        res.end();
      });
      expect((await client.send()).headers['cache-control']).toBe('private, max-age=60');
    });

    it('streams: the cookie leaves with the first chunk, later changes are saved', async () => {
      const { client } = await start(async (req, res) => {
        if (url(req) === '/read') return res.end(JSON.stringify(req.session));
        req.session.set('a', 1);
        res.write('one,');
        req.session.set('late', [1]);
        await pause(10);
        res.write('two,');
        req.session.get<number[]>('late')?.push(2);
        res.end('three');
      });
      const answer = await client.send();
      expect(answer.body).toBe('one,two,three');
      expect(answer.setCookie).toHaveLength(1);
      expect(JSON.parse((await client.send('/read')).body)).toMatchObject({ a: 1, late: [1, 2] });
    });

    it('refuses what a stream writes to a session that the client does not know of', async () => {
      let thrown: unknown;
      const { client } = await start(async (req, res) => {
        res.write('begun');
        await pause(15);
        try {
          req.session.set('a', 1);
        } catch (error) {
          thrown = error;
        }
        res.end();
      });
      expect((await client.send()).body).toBe('begun');
      expect(thrown).toMatchObject({ code: 'ERR_SESSION_HEADERS_SENT' });
    });

    it('pipes, with backpressure', async () => {
      const { Readable } = await import('node:stream');
      const { client } = await start((req, res) => {
        visits(req.session);
        Readable.from(Array.from({ length: 200 }, (_, i) => `${String(i).padStart(4, '0')}${'x'.repeat(4092)}`)).pipe(
          res,
        );
      });
      const answer = await client.send();
      expect(answer.body).toHaveLength(200 * 4096);
      expect(answer.body.slice(4096 * 199, 4096 * 199 + 4)).toBe('0199');
      expect(answer.setCookie).toHaveLength(1);
    });

    it('flushHeaders and writeEarlyHints', async () => {
      const { client } = await start(async (req, res) => {
        res.writeEarlyHints({ link: '</a.css>; rel=preload' });
        visits(req.session);
        res.flushHeaders();
        await pause(10);
        res.end('done');
      });
      const answer = await client.send();
      expect(answer.body).toBe('done');
      expect(answer.setCookie).toHaveLength(1);
    });

    it('the imported session in listeners of what Node emits', async () => {
      const heard: unknown[] = [];
      let closed = (): void => {};
      const over = new Promise<void>((resolve) => {
        closed = resolve;
      });
      const { client } = await start((req, res) => {
        if (url(req) === '/set') {
          res.end(String(visits(req.session)));
          return;
        }
        req.once('end', () => {
          heard.push(['end', current.get('visits')]);
          res.end('ok');
        });
        req.on('data', () => heard.push(['data', current.get('visits')]));
        res.on('finish', () => heard.push(['finish', current.get('visits')]));
        res.prependListener('close', () => {
          heard.push(['close', current.get('visits')]);
          closed();
        });
      });
      await client.send('/set');
      await client.send('/set');
      await fetch(new URL('/listen', client.url), {
        method: 'POST',
        headers: { cookie: client.cookie! },
        body: 'text',
      });
      await over;
      expect(heard).toEqual(['data', 'end', 'finish', 'close'].map((event) => [event, 2]));
    });

    it('the imported session is the request’s, across await, timers and parallel requests', async () => {
      const { client, server } = await start(async (_req, res) => {
        const mine = current.update<number>('visits', (n) => (n ?? 0) + 1);
        await pause(5);
        setImmediate(() => res.end(`${mine}=${current.get('visits')}`));
      });
      expect((await client.send()).body).toBe('1=1');
      expect((await client.send()).body).toBe('2=2');
      const others = Array.from({ length: 20 }, () => new Client(server.url).send());
      expect((await Promise.all(others)).map((answer) => answer.body)).toEqual(Array(20).fill('1=1'));
    });

    it('req.session = null ends the session', async () => {
      const { client } = await start((req, res) => {
        if (url(req) === '/out') (req as { session: unknown }).session = null;
        else visits(req.session);
        res.end();
      });
      await client.send();
      const old = client.cookie;
      expect((await client.send('/out')).setCookie[0]).toMatch(/^session=; .*Max-Age=0/);
      client.cookie = old;
      expect((await client.send()).setCookie).toHaveLength(1);
    });

    it('a logout during a slow request stays a logout', async () => {
      const { client } = await start(async (req, res) => {
        if (url(req) === '/slow') {
          req.session.get('user');
          await pause(60);
          req.session.set('late', 1);
        } else if (url(req) === '/out') req.session.destroy();
        else if (url(req) === '/in') req.session.set('user', 'ann');
        res.end(req.session.get<string>('user', 'nobody'));
      });
      await client.send('/in');
      const twin = new Client(client.url);
      twin.cookie = client.cookie;
      const third = new Client(client.url);
      third.cookie = client.cookie;
      const slow = twin.send('/slow');
      await pause(20);
      await client.send('/out');
      await slow;
      expect((await third.send('/')).body).toBe('nobody');
    });

    it('an aborted request leaves nothing behind and the server alive', async () => {
      const { client } = await start(async (req, res) => {
        if (url(req) === '/abort') await pause(30);
        visits(req.session);
        res.end('ok');
      });
      const socket = connect(Number(new URL(client.url).port), '127.0.0.1');
      socket.write('GET /abort HTTP/1.1\r\nHost: x\r\n\r\n');
      await pause(10);
      socket.destroy();
      await pause(50);
      expect((await client.send()).body).toBe('ok');
    });

    it('what a handler does after the end of its answer does not change it', async () => {
      const { client } = await start((req, res) => {
        visits(req.session);
        res.setHeader('Content-Type', 'text/plain');
        res.end('hello');
        if (!res.headersSent) {
          res.setHeader('Content-Type', 'text/html');
          res.statusCode = 500;
        }
        throw new Error('after the answer');
      });
      const answer = await client.send().catch(String);
      // Where the answer has left, the framework may cut the connection under it: that is its own affair.
      if (kind === 'asynchronous') expect(answer).toMatchObject({ status: 200, body: 'hello' });
      else if (typeof answer === 'object') expect(answer).toMatchObject({ status: 200, body: 'hello' });
    });

    it('a request whose body was not read to its end is answered', async () => {
      const { client } = await start(async (req, res) => {
        visits(req.session);
        for await (const chunk of req) {
          void chunk;
          break;
        }
        res.statusCode = 413;
        res.end('too long');
      });
      const answer = await fetch(client.url, { method: 'POST', body: 'x'.repeat(100) });
      expect(answer.status).toBe(413);
    });

    it('pipelined requests of one visitor are each answered in order', async () => {
      const { client } = await start((req, res) => res.end(`<${visits(req.session)}>`));
      await client.send();
      const socket = connect(Number(new URL(client.url).port), '127.0.0.1');
      const one = `GET / HTTP/1.1\r\nHost: x\r\nCookie: ${client.cookie}\r\n\r\n`;
      let text = '';
      socket.on('data', (chunk) => {
        text += String(chunk);
      });
      socket.write(one + one + one);
      await expect.poll(() => text.match(/<\d>/g)?.length).toBe(3);
      socket.destroy();
      expect((await client.send()).body).toBe('<5>');
    });
  });

  describe('a store that fails', () => {
    const broken = (verbs: string[], late: boolean) => {
      const store = stores().synchronous;
      const fail = (): never => {
        throw new Error('secret-key-in-driver-message');
      };
      const bad = Object.fromEntries(verbs.map((verb) => [verb, late ? async () => fail() : fail]));
      return {
        name: 'broken',
        read: store.read.bind(store),
        write: store.write.bind(store),
        touch: store.touch.bind(store),
        delete: store.delete.bind(store),
        ...bad,
      };
    };

    it.each([
      ['at once', false],
      ['late', true],
    ])('%s, when saving: the framework still answers 500', async (_name, late) => {
      const server = await serve(framework, { store: broken(['write'], late) }, (req, res) => {
        visits(req.session);
        res.setHeader('ETag', '"stale"');
        res.end('never seen');
        res.end('nor this');
      });
      running.push(server);
      const answer = await new Client(server.url).send();
      expect(answer.status).toBe(500);
      expect(answer.body).not.toContain('never seen');
      expect(answer.headers.etag).not.toBe('"stale"');
      expect(answer.setCookie).toEqual([]);
      expect(server.events).toContainEqual(expect.objectContaining({ type: 'store-error' }));
      const { error } = server.events.find((event) => event.type === 'store-error') as { error: Error };
      expect(error.message).not.toContain('secret');
    });

    it('when reading: fails the request, or goes on with a read-only session where the policy says so', async () => {
      const handler: Handler = (req, res) => res.end(String(req.session.get('a', 'empty')));
      const failing = await serve(framework, { store: broken(['read'], true) }, handler);
      const going = await serve(framework, { store: broken(['read'], true), onStoreError: 'null-session' }, handler);
      running.push(failing, going);
      for (const [server, status] of [
        [failing, 500],
        [going, 200],
      ] as const) {
        const client = new Client(server.url);
        client.cookie = `session=${'A'.repeat(43)}`;
        const answer = await client.send();
        expect(answer.status).toBe(status);
        if (status === 200) expect(answer.body).toBe('empty');
        expect(answer.setCookie).toEqual([]);
      }
    });

    it('that hangs: an error within the deadline', async () => {
      const hang = () => new Promise<never>(() => {});
      const server = await serve(
        framework,
        { store: { name: 'hung', read: hang, write: hang, touch: hang, delete: hang }, storeTimeout: 0.05 },
        (req, res) => {
          visits(req.session);
          res.end();
        },
      );
      running.push(server);
      expect((await new Client(server.url).send()).status).toBe(500);
      expect(server.events[0]).toMatchObject({ type: 'store-error', error: { code: 'ERR_SESSION_STORE_TIMEOUT' } });
    });
  });

  describe('the data in the cookie', () => {
    const secretKey = 'a secret of at least thirty-two bytes';

    it.each(['secure', 'flask'] as const)('%s profile', async (profile) => {
      const server = await serve(framework, { store: 'cookie', profile, secretKey }, (req, res) => {
        if (url(req) === '/out') req.session.clear();
        else visits(req.session);
        res.end(String(req.session.get('visits')));
      });
      running.push(server);
      const client = new Client(server.url);
      expect((await client.send()).body).toBe('1');
      expect((await client.send()).body).toBe('2');
      expect((await client.send('/out')).setCookie[0]).toMatch(/^session=; Expires=Thu, 01 Jan 1970/);
    });

    it('too much for a cookie: an error before anything is sent', async () => {
      const server = await serve(framework, { store: 'cookie', secretKey }, (req, res) => {
        req.session.set('big', 'x'.repeat(5000));
        res.end('never');
      });
      running.push(server);
      const answer = await new Client(server.url).send();
      expect(answer.status).toBe(500);
      expect(answer.setCookie).toEqual([]);
    });

    it('a write after the headers is refused', async () => {
      let thrown: unknown;
      const server = await serve(framework, { store: 'cookie', secretKey }, (req, res) => {
        visits(req.session);
        res.write('begun');
        try {
          req.session.set('late', 1);
        } catch (error) {
          thrown = error;
        }
        res.end();
      });
      running.push(server);
      await new Client(server.url).send();
      expect(thrown).toMatchObject({ code: 'ERR_SESSION_HEADERS_SENT' });
    });
  });
});
