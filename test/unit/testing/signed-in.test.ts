/** A signed-in request in one line, for the test clients that people use. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import { sessions } from 'flacon/adapters/express';
import { sessions as fastifySessions } from 'flacon/adapters/fastify';
import { sessions as honoSessions } from 'flacon/adapters/hono';
import { MemoryStore } from 'flacon/stores/memory';
import { browserCookies, signedIn } from 'flacon/testing/signed-in';
import { Hono } from 'hono';
import supertest from 'supertest';
import { describe, expect, it } from 'vitest';
import { createSessionInterface, type SessionOptions } from '../../../src/index.ts';
import { canSkip, launch } from '../../browser/chromium.ts';

const kinds: Record<string, SessionOptions> = {
  'a store': { store: new MemoryStore() },
  'the cookie': { store: 'cookie', secretKey: 'a secret that is long enough for this' },
  "Flask's cookie": { profile: 'flask', store: 'cookie', secretKey: 'dev', cookie: { name: 'flask' } },
};

function application(web: Parameters<typeof sessions>[0]) {
  const app = express();
  app.use(sessions(web));
  app.get('/account', (req, res) => {
    const user = req.session.get<{ name: string }>('user');
    if (!user) res.status(401).send('who are you?');
    else res.send(`hello ${user.name}`);
  });
  return app;
}

describe.each(Object.entries(kinds))('sessions in %s', (_name, options) => {
  it('supertest', async () => {
    const web = createSessionInterface(options);
    const app = application(web);
    await supertest(app).get('/account').expect(401);
    await supertest(app)
      .get('/account')
      .set(await signedIn(web, { user: { name: 'ann' } }))
      .expect(200, 'hello ann');
  });

  it('app.inject of Fastify', async () => {
    const web = createSessionInterface(options);
    const app = fastify();
    app.register(fastifySessions(web));
    app.get('/account', async (request) => request.session.get<{ name: string }>('user')?.name ?? 'nobody');
    expect((await app.inject({ url: '/account' })).body).toBe('nobody');
    expect((await app.inject({ url: '/account', headers: await signedIn(web, { user: { name: 'ann' } }) })).body).toBe(
      'ann',
    );
    await app.close();
  });

  it('app.request of Hono', async () => {
    const web = createSessionInterface(options);
    const app = new Hono();
    app.use(honoSessions(web));
    app.get('/account', (c) => c.text(c.get('session').get<{ name: string }>('user')?.name ?? 'nobody'));
    const answer = await app.request('/account', { headers: await signedIn(web, { user: { name: 'ann' } }) });
    expect(await answer.text()).toBe('ann');
  });

  it('options in place of the interface, a function in place of the contents', async () => {
    const headers = await signedIn(options, (session) => {
      session.set('user', { name: 'bob' });
      session.permanent = false;
    });
    await supertest(application(options)).get('/account').set(headers).expect(200, 'hello bob');
  });

  it('empty contents are refused', async () => {
    await expect(signedIn(options, () => {})).rejects.toThrow(/empty/);
  });
});

describe.skipIf(canSkip)(`playwright${canSkip ? ' (skipped: no chromium on the PATH; set CHROMIUM_PATH)' : ''}`, () => {
  it('a browser that is signed in', async () => {
    const web = createSessionInterface(kinds['a store']!);
    const server = createServer(application(web));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const browser = await launch();
    try {
      const context = await browser.newContext();
      await context.addCookies(await browserCookies(web, { user: { name: 'ann' } }, url));
      const page = await context.newPage();
      await page.goto(`${url}/account`);
      expect(await page.textContent('body')).toBe('hello ann');
    } finally {
      await browser.close();
      server.closeAllConnections();
      server.close();
    }
  });
});
