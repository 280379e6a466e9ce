// biome-ignore-all lint/suspicious/noExplicitAny: what a test's handler does is of no type

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import compression18 from 'compression';
import compression17 from 'compression17';
import express from 'express';
import express4 from 'express4';
import { sessions as ex } from 'flacon/adapters/express';
import { sessions as nd } from 'flacon/adapters/node';
import { MemoryStore } from 'flacon/stores/memory';
import { describe, expect, it } from 'vitest';
import { get, listen, pause, raw, trapping } from './raw-http.ts';

function later(memory = new MemoryStore(), ms = 4): any {
  const wait = () => pause(ms);
  return {
    name: 'later',
    read: (...a: any[]) => wait().then(() => (memory as any).read(...a)),
    write: (...a: any[]) => wait().then(() => (memory as any).write(...a)),
    touch: (...a: any[]) => wait().then(() => (memory as any).touch(...a)),
    delete: (...a: any[]) => wait().then(() => (memory as any).delete(...a)),
  };
}
const st = (kind: string) => (kind === 'sync' ? new MemoryStore() : later());
const touch = (req: any) => req.session.update('n', (n: any) => (n ?? 0) + 1);
const quiet = {
  onError: (e: any, _q: any, res: any) => {
    if (res.headersSent) res.destroy();
    else {
      res.statusCode = 500;
      res.end(`failed ${e.code ?? e}`);
    }
  },
};

async function node(kind: string, handler: any, send: (port: number) => Promise<any> = (p) => get(p)) {
  const s = await listen(nd({ store: st(kind) }, quiet)(handler));
  try {
    return await trapping(() => send(s.port));
  } finally {
    s.close();
  }
}

describe.each(['sync', 'async'])('%s', (kind) => {
  it.each([
    [
      'writeHead with a bad header value',
      (req: any, res: any) => {
        touch(req);
        res.writeHead(302, { Location: '/\u4e2d\n' });
        res.end();
      },
    ],
    [
      'writeHead bad status',
      (req: any, res: any) => {
        touch(req);
        res.writeHead(99);
        res.end();
      },
    ],
    [
      'statusCode bad',
      (req: any, res: any) => {
        touch(req);
        res.statusCode = 1000;
        res.end('x');
      },
    ],
    [
      'end(object)',
      (req: any, res: any) => {
        touch(req);
        res.end({ a: 1 });
      },
    ],
    [
      'end(number)',
      (req: any, res: any) => {
        touch(req);
        res.end(42);
      },
    ],
    [
      'write(number)',
      (req: any, res: any) => {
        touch(req);
        res.write(42);
        res.end();
      },
    ],
    [
      'write(null)',
      (req: any, res: any) => {
        touch(req);
        res.write(null);
        res.end();
      },
    ],
    [
      'second write(number)',
      (req: any, res: any) => {
        touch(req);
        res.write('a');
        res.write(42);
        res.end();
      },
    ],
    [
      'writeHead; end(number)',
      (req: any, res: any) => {
        touch(req);
        res.writeHead(200);
        res.end(42);
      },
    ],
    [
      'writeHead twice',
      (req: any, res: any) => {
        touch(req);
        res.writeHead(200);
        res.writeHead(200);
        res.end('x');
      },
    ],
    [
      'writeHead, then implicit header as compression 1.7',
      (req: any, res: any) => {
        touch(req);
        res.writeHead(200);
        if (!res._header) res._implicitHeader();
        res.end('x');
      },
    ],
    [
      'setHeader after writeHead',
      (req: any, res: any) => {
        touch(req);
        res.writeHead(200);
        res.setHeader('a', 'b');
        res.end('x');
      },
    ],
    [
      'writeHead array of odd length',
      (req: any, res: any) => {
        touch(req);
        res.writeHead(200, ['a']);
        res.end('x');
      },
    ],
    [
      'late invalid (async handler)',
      async (req: any, res: any) => {
        touch(req);
        await pause(1);
        res.writeHead(302, { Location: 'a\nb' });
        res.end();
      },
    ],
    [
      'without using the session: bad header',
      (_req: any, res: any) => {
        res.writeHead(302, { Location: 'a\nb' });
        res.end();
      },
    ],
  ])('errors at every point: %s', async (_n, handler) => {
    const { value, crashes } = await node(kind, handler);
    expect(crashes).toEqual([]);
    expect(value.hang).toBeUndefined();
  });

  it('two interfaces, different cookies', async () => {
    const app = express();
    const a = later(),
      b = later();
    app.use(ex({ store: kind === 'sync' ? new MemoryStore() : a, cookie: { name: 'a' } }));
    app.use((req: any, _res, next) => {
      touch(req);
      req.first = req.session;
      next();
    });
    app.use(ex({ store: kind === 'sync' ? new MemoryStore() : b, cookie: { name: 'b' } }));
    app.get('/', (req: any, res) => {
      touch(req);
      res.send('ok');
    });
    const s = await listen(app);
    const { value, crashes } = await trapping(() => get(s.port));
    s.close();
    expect(crashes).toEqual([]);
    expect(value).toMatchObject({ status: 200, body: 'ok' });
    expect(value.headers['set-cookie']?.map((c: string) => c.split('=')[0])).toEqual(['a', 'b']);
  });
  it('the same middleware installed twice', async () => {
    const app = express();
    app.use(ex({ store: st(kind) }));
    app.use(ex({ store: st(kind) }));
    app.get('/', (req: any, res) => {
      res.send(`ok${touch(req)}`);
    });
    const s = await listen(app);
    const { value, crashes } = await trapping(() => get(s.port));
    s.close();
    expect(crashes).toEqual([]);
    expect(value).toMatchObject({ status: 200, body: 'ok1' });
  });
  it('twice, session untouched', async () => {
    const app = express();
    app.use(ex({ store: st(kind) }));
    app.use(ex({ store: st(kind) }));
    app.get('/', (_req: any, res) => {
      res.send('ok');
    });
    const s = await listen(app);
    const { value, crashes } = await trapping(() => get(s.port));
    s.close();
    expect(crashes).toEqual([]);
    expect(value).toMatchObject({ status: 200, body: 'ok' });
  });
  it('sub-application reached through a function (vhost), express 5 and 4', async () => {
    const out: any[] = [];
    for (const e of [express, express4 as any]) {
      const sub = e();
      sub.get('/', (req: any, res: any) => res.send(String(req.session && touch(req))));
      const app = e();
      app.use(ex({ store: st(kind) }));
      app.use((req: any, res: any, next: any) => sub(req, res, next));
      const s = await listen(app);
      const { value } = await trapping(() => get(s.port));
      s.close();
      out.push(value.body);
    }
    expect(out).toEqual(['1', '1']);
  });
  it('session installed in a mounted sub-app; parent error handler sees it', async () => {
    const sub = express();
    sub.use(ex({ store: st(kind) }));
    sub.get('/', (req: any, _res) => {
      touch(req);
      throw new Error('x');
    });
    const app = express();
    app.use('/s', sub);
    app.use((_err: any, req: any, res: any, _next: any) => res.status(500).send(`has ${Boolean(req.session)}`));
    const s = await listen(app);
    const { value } = await trapping(() => get(s.port, '/s'));
    s.close();
    expect(value.body).toBe('has true');
  });
  it('sub-application mounted, router mounted', async () => {
    const sub = express();
    sub.get('/', (req: any, res: any) => res.send(String(touch(req))));
    const app = express();
    app.use(ex({ store: st(kind) }));
    app.use('/s', sub);
    const s = await listen(app);
    const { value } = await trapping(() => get(s.port, '/s'));
    s.close();
    expect(value.body).toBe('1');
    expect(value.headers['set-cookie']).toHaveLength(1);
  });

  const compression = (variant: '1.7' | '1.8') =>
    (variant === '1.7' ? compression17 : compression18)({ threshold: 0, filter: () => true });
  const big = join(mkdtempSync(join(tmpdir(), 'flacon-held-')), 'big.bin');
  writeFileSync(big, Buffer.alloc(400_000, 'abcdefgh'));
  for (const variant of ['1.7', '1.8'] as const)
    for (const order of ['control', 'before', 'after'] as const) {
      it.each([
        ['send', (_r: any, res: any) => res.send('x'.repeat(3000)), 3000],
        ['sendFile', (_r: any, res: any) => res.sendFile(big, { dotfiles: 'allow' }), 400_000],
        [
          'pipe',
          (_r: any, res: any) => Readable.from(Array.from({ length: 50 }, () => 'y'.repeat(8000))).pipe(res),
          400_000,
        ],
        [
          'pipeline',
          (_r: any, res: any) =>
            pipeline(Readable.from(Array.from({ length: 50 }, () => 'y'.repeat(8000))), res, () => {}),
          400_000,
        ],
        [
          'two writes',
          (_r: any, res: any) => {
            res.write('a'.repeat(500));
            res.write('b'.repeat(500));
            res.end('c');
          },
          1001,
        ],
        [
          'writeHead, write, end',
          (_r: any, res: any) => {
            res.writeHead(200, { 'X-A': 'b' });
            res.write('a');
            res.end('c');
          },
          2,
        ],
      ])(`compression ${variant} ${order} sessions: %s`, async (_n, handler, size) => {
        const app = express();
        if (order === 'before') app.use(compression(variant));
        if (order === 'control') {
          app.use((q: any, r: any, n: any) => {
            q.session = { update() {} };
            r.setHeader('Set-Cookie', 'a=b');
            n();
          });
          app.use(compression(variant));
        } else app.use(ex({ store: st(kind) }));
        if (order === 'after') app.use(compression(variant));
        app.get('/', (req: any, res: any) => {
          touch(req);
          handler(req, res);
        });
        const s = await listen(app);
        const { value, crashes } = await trapping(() => get(s.port, '/', { 'accept-encoding': 'gzip' }));
        s.close();
        expect(crashes).toEqual([]);
        expect(value.hang).toBeUndefined();
        expect(gunzipSync(Buffer.from(value.body, 'latin1')).length).toBe(size);
        expect(value.headers['set-cookie']).toHaveLength(1);
      });
    }

  it('on-headers wrappers installed before and after set headers', async () => {
    const onHeaders = (res: any, l: any) => {
      const p = res.writeHead;
      let f = false;
      res.writeHead = function (...a: any[]) {
        if (!f) {
          f = true;
          l.call(this);
        }
        return p.apply(this, a);
      };
    };
    const app = express();
    app.use((_q: any, res: any, next: any) => {
      onHeaders(res, () => res.setHeader('X-Before', '1'));
      next();
    });
    app.use(ex({ store: st(kind) }));
    app.use((_q: any, res: any, next: any) => {
      onHeaders(res, () => res.setHeader('X-After', '1'));
      next();
    });
    app.get('/json', (req: any, res: any) => {
      touch(req);
      res.json({ a: 1 });
    });
    app.get('/wh', (req: any, res: any) => {
      touch(req);
      res.writeHead(200, { Vary: 'X' });
      res.end('x');
    });
    app.get('/red', (req: any, res: any) => {
      touch(req);
      res.redirect('/x');
    });
    const s = await listen(app);
    for (const p of ['/json', '/wh', '/red']) {
      const v = await get(s.port, p);
      expect(v.headers).toMatchObject({ 'x-before': '1', 'x-after': '1', vary: expect.stringContaining('Cookie') });
      expect(v.headers['set-cookie']).toHaveLength(1);
    }
    s.close();
  });

  it('trailers, content-length, Uint8Array, callbacks, encodings', async () => {
    const order: string[] = [];
    const { value, crashes } = await node(
      kind,
      (req: any, res: any) => {
        touch(req);
        const u = new URL(req.url, 'http://x').pathname;
        if (u === '/t') {
          res.writeHead(200, { Trailer: 'X-T' });
          res.write('a');
          res.addTrailers({ 'X-T': '1' });
          res.end('b');
        }
        if (u === '/l') {
          res.writeHead(200, { 'Content-Length': 5 });
          res.end('hello');
        }
        if (u === '/u') {
          res.write(new Uint8Array([65, 66]), () => order.push('w1'));
          res.write('4344', 'hex', () => order.push('w2'));
          res.end(new Uint8Array([69]), () => order.push('end'));
          res.on('finish', () => order.push('finish'));
          res.on('close', () => order.push('close'));
        }
        if (u === '/e') res.end('zz', 'latin1', () => order.push('e'));
        if (u === '/c') res.end(() => order.push('c'));
        if (u === '/s') {
          res.writeHead(200, 'Fine', [
            ['A', '1'],
            ['Set-Cookie', 'x=1'],
          ] as any);
          res.end('ok');
        }
      },
      async (p) => ({
        t: await get(p, '/t'),
        l: await get(p, '/l'),
        u: await get(p, '/u'),
        e: await get(p, '/e'),
        c: await get(p, '/c'),
        s: await get(p, '/s'),
      }),
    );
    expect(crashes).toEqual([]);
    expect(value.t).toMatchObject({ body: 'ab', trailers: { 'x-t': '1' } });
    expect(value.l).toMatchObject({ body: 'hello', headers: { 'content-length': '5' } });
    expect(value.u.body).toBe('ABCDE');
    expect(value.e.body).toBe('zz');
    expect(value.c.status).toBe(200);
    expect(value.s.headers).toMatchObject({ a: '1' });
    expect(value.s.headers['set-cookie']).toHaveLength(2);
    expect(order.join()).toMatch(/w1,w2,.*finish.*/);
    expect(order).toContain('end');
    expect(order).toContain('e');
    expect(order).toContain('c');
  });

  it('100-continue, HTTP/1.0, HEAD', async () => {
    const { value, crashes } = await node(
      kind,
      (req: any, res: any) => {
        touch(req);
        let n = 0;
        req.on('data', (d: any) => (n += d.length));
        req.on('end', () => res.end(`got ${n}`));
      },
      async (p) => [
        await raw(p, 'POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc'),
        await raw(p, 'GET / HTTP/1.0\r\n\r\n'),
        await raw(p, 'HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
      ],
    );
    expect(crashes).toEqual([]);
    expect(value[0]).toMatch(/100 Continue[\s\S]*200 OK[\s\S]*got 3/);
    expect(value[1]).toMatch(/200 OK[\s\S]*got 0/);
    expect(value[2]).toMatch(/set-cookie/i);
  });

  it('logout after the redirect was asked for', async () => {
    let cookie: string;
    const { value } = await node(
      kind,
      (req: any, res: any) => {
        if (req.url === '/in') {
          req.session.set('user', 'ann');
          return res.end();
        }
        if (req.url === '/out') {
          req.session.set('seen', 1);
          res.writeHead(302, { Location: '/' });
          res.end();
          req.session.destroy();
          return;
        }
        if (req.url === '/out2') {
          req.session.set('seen', 2);
          res.end();
          req.session.destroy();
          return;
        }
        if (req.url === '/set') {
          req.session.set('seen', 3);
          res.end();
          req.session.set('after', 1);
          return;
        }
        res.end(JSON.stringify([req.session.get('user'), req.session.get('after')]));
      },
      async (p) => {
        const out: any[] = [];
        for (const path of ['/set', '/out', '/out2']) {
          cookie = (await get(p, '/in')).headers['set-cookie'][0].split(';')[0];
          await get(p, path, { cookie });
          await pause(40);
          out.push((await get(p, '/', { cookie })).body);
        }
        return out;
      },
    );
    expect(value).toEqual(['["ann",1]', '[null,null]', '[null,null]']);
  });

  it('a save that fails while the handler pipes, and an error handler that takes its time', async () => {
    const bad = {
      ...later(),
      write: async () => {
        await pause(5);
        throw new Error('down');
      },
    };
    const s = await listen(
      nd(
        { store: bad },
        {
          onError: async (_e: any, _q: any, res: any) => {
            await pause(30);
            if (!res.headersSent) {
              res.statusCode = 500;
              res.end('failed');
            } else res.destroy();
          },
        },
      )((req: any, res: any) => {
        touch(req);
        Readable.from(
          (async function* () {
            for (let i = 0; i < 10; i++) {
              yield `chunk${i};`;
              await pause(4);
            }
          })(),
        ).pipe(res);
      }),
    );
    const { value, crashes } = await trapping(() => get(s.port));
    s.close();
    expect(crashes).toEqual([]);
    expect([value.status, value.body, value.error]).toEqual([500, 'failed', undefined]);
  });
});
