/** Adapter suite: sub-applications, several sessions at once, and proxies in front. */
import assert from 'node:assert/strict';
import { type AdapterTest, visit } from './adapter-stage.ts';

export const places: readonly AdapterTest[] = [
  {
    name: 'sessions of a mounted sub-application',
    async run({ start }) {
      const visitor = await start((request) => `${request.path} ${visit(request)}`, { mount: '/shop' });
      assert.equal((await visitor.send('/shop/cart')).text, '/cart 1');
      assert.equal((await visitor.send('/shop/cart')).text, '/cart 2');
      const outside = await visitor.send('/elsewhere');
      assert.deepEqual([outside.status, outside.setCookie, outside.headers.vary ?? ''], [404, [], '']);
    },
  },
  {
    name: 'two session interfaces with cookies of their own',
    async run({ start }) {
      const visitor = await start(
        (request) => {
          if (request.path === '/second') visit(request, 'second');
          else if (request.path === '/end') request.session().destroy();
          else if (request.path === '/both') for (const name of ['session', 'second'] as const) visit(request, name);
          return JSON.stringify((['session', 'second'] as const).map((name) => request.session(name).get('visits', 0)));
        },
        {
          sessions: [
            { cookie: { name: 'a' }, keyPrefix: 'a:' },
            { cookie: { name: 'b' }, keyPrefix: 'b:' },
          ],
        },
      );
      const both = await visitor.send('/both');
      assert.deepEqual(both.setCookie.map((text) => text.split('=', 1)[0]).sort(), ['a', 'b']);
      assert.equal((await visitor.send('/second')).text, '[1,2]');
      await visitor.send('/end');
      assert.deepEqual([...visitor.cookies.keys()], ['b']);
      assert.equal((await visitor.send('/read')).text, '[0,2]');
    },
  },
  {
    name: 'a trusted proxy decides whether the cookie is Secure',
    async run({ start, forwardedProto }) {
      const visitor = await start((request) => String(visit(request)), { trustProxy: true });
      for (const [proto, secure] of [
        ['https', true],
        ['http', false],
        [undefined, false],
        ['https, http', forwardedProto === 'first'],
        ['http, https', forwardedProto === 'last'],
      ] as const) {
        visitor.cookies.clear();
        const headers = proto === undefined ? {} : { 'x-forwarded-proto': proto };
        const { setCookie } = await visitor.send('/', { headers });
        assert.equal(/; Secure(;|$)/.test(String(setCookie[0])), secure, `X-Forwarded-Proto: ${proto}`);
      }
    },
  },
  {
    name: 'a proxy that is not trusted decides nothing',
    async run({ start }) {
      const visitor = await start((request) => String(visit(request)));
      const { setCookie } = await visitor.send('/', { headers: { 'x-forwarded-proto': 'https' } });
      assert.match(String(setCookie[0]), /^session=/);
      assert.doesNotMatch(String(setCookie[0]), /Secure/);
    },
  },
];
