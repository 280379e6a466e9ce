/** Behind a cache that keeps whatever it may, nobody receives another's page or cookie (CVE-2025-48947, CVE-2023-30861). */
import { MemoryStore } from 'flacon/stores/memory';
import type { AdapterApp, AdapterServer } from 'flacon/testing/adapter-suite';
import { describe, expect, it } from 'vitest';
import { createSessionInterface, type SessionOptions } from '../../src/index.ts';
import { HttpVisitor } from '../../src/testing/http-visitor.ts';
import { startCachingProxy } from '../servers/nginx.ts';
import { frameworks } from './frameworks/index.ts';

const SECRET = 'a secret of the caching tests, long enough';
const profiles: Record<string, () => SessionOptions> = {
  'a store': () => ({ store: new MemoryStore() }),
  'the cookie': () => ({ store: 'cookie', secretKey: SECRET }),
  "Flask's records": () => ({ profile: 'flask', store: new MemoryStore() }),
  "Flask's cookie": () => ({ profile: 'flask', store: 'cookie', secretKey: SECRET }),
};

function application(options: SessionOptions): AdapterApp {
  return {
    sessions: [createSessionInterface(options)],
    mount: '',
    trustProxy: false,
    compress: false,
    async handle(request) {
      if (request.path === '/about') return { body: 'about us' };
      const session = request.session();
      if (request.path.startsWith('/sign-in/')) {
        session.set('user', request.path.slice('/sign-in/'.length));
        return { body: 'welcome' };
      }
      if (request.path === '/visit') session.update<number>('visits', (visits) => (visits ?? 0) + 1);
      if (request.path === '/look') return { body: `${'user' in session}` };
      return { body: `hello ${session.get<string>('user', 'nobody')}` };
    },
  };
}

async function behindCache(
  serve: (app: AdapterApp) => Promise<AdapterServer>,
  options: SessionOptions,
  ignoresSetCookie: boolean,
  run: (url: string) => Promise<void>,
): Promise<void> {
  const server = await serve(application(options));
  try {
    const cache = await startCachingProxy({ upstream: server.url, ignoresSetCookie });
    try {
      await run(cache.url);
    } finally {
      await cache.stop();
    }
  } finally {
    await server.close();
  }
}

describe.each(Object.entries(frameworks))('%s behind nginx', (_name, serve) => {
  it.each(Object.keys(profiles))('sessions in %s', async (profile) => {
    await behindCache(serve, profiles[profile]!(), false, async (url) => {
      // It does cache: what uses no session is served from there.
      const stranger = new HttpVisitor(url);
      await stranger.send('/about');
      expect((await stranger.send('/about')).headers['x-cache']).toBe('HIT');

      const names = Array.from({ length: 8 }, (_, i) => `visitor${i}`);
      const visitors = names.map(() => new HttpVisitor(url));
      // The same address for all of them, after and before they have a session.
      const strangers = await Promise.all(visitors.map((visitor) => visitor.send('/me')));
      expect(strangers.map(({ text }) => text)).toEqual(names.map(() => 'hello nobody'));
      await Promise.all(visitors.map((visitor, i) => visitor.send(`/sign-in/${names[i]}`)));
      for (const path of ['/me', '/visit', '/me', '/visit']) {
        const pages = await Promise.all(visitors.map((visitor) => visitor.send(path)));
        expect(pages.map(({ text }) => text)).toEqual(names.map((name) => `hello ${name}`));
      }
      expect((await visitors[0]!.send('/look')).text).toBe('true');
      const late = new HttpVisitor(url);
      expect([(await late.send('/look')).text, (await late.send('/me')).text]).toEqual(['false', 'hello nobody']);
      const cookies = [...visitors, late].flatMap(({ cookies }) => [...cookies.values()]);
      expect(new Set(cookies).size).toBe(cookies.length);
      expect(cookies.length).toBe(names.length);
    });
  });

  it.each(['a store', 'the cookie'])('a cache that ignores Set-Cookie, sessions in %s', async (profile) => {
    await behindCache(serve, profiles[profile]!(), true, async (url) => {
      const visitors = Array.from({ length: 8 }, () => new HttpVisitor(url));
      // Each is new there, and each gets a cookie of its own.
      for (const visitor of visitors) await visitor.send('/visit');
      const cookies = visitors.flatMap(({ cookies }) => [...cookies.values()]);
      expect(new Set(cookies).size).toBe(visitors.length);
    });
  });
});
