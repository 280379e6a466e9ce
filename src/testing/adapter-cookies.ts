/** Adapter suite: the response's headers, byte for byte. */
import assert from 'node:assert/strict';
import type { SessionOptions } from '../core/options.ts';
import { type AdapterTest, visit } from './adapter-stage.ts';

/** What Flask 3.1.3 sent for these settings, at the time below, under the key `dev`. */
const VALUE = 'eyJhIjoxfQ.ZeGaQw.r-bhIjxYONjJMjbdXK_D3FvkRAA';
const PERMANENT = 'eyJfcGVybWFuZW50Ijp0cnVlLCJhIjoxfQ.ZeGaQw.tQp75uUrZsS-Obb7_LAVmxJO3KA';
const NOW = Date.parse('2024-03-01T09:05:07Z');
const RECORDED: readonly (readonly [
  cookie: NonNullable<SessionOptions['cookie']>,
  permanent: boolean,
  sent: string,
])[] = [
  [{}, false, `session=${VALUE}; HttpOnly; Path=/`],
  [{}, true, `session=${PERMANENT}; Expires=Mon, 01 Apr 2024 09:05:07 GMT; HttpOnly; Path=/`],
  [{ name: '__Host-session', secure: true }, false, `__Host-session=${VALUE}; Secure; HttpOnly; Path=/`],
  [{ domain: 'example.com' }, false, `session=${VALUE}; Domain=example.com; HttpOnly; Path=/`],
  [{ path: '/a b;c,d"é' }, false, `session=${VALUE}; HttpOnly; Path=/a%20b%3Bc,d%22%C3%A9`],
  [{ httpOnly: false }, false, `session=${VALUE}; Path=/`],
  [{ sameSite: 'None', secure: true }, false, `session=${VALUE}; Secure; HttpOnly; Path=/; SameSite=None`],
  [{ partitioned: true, secure: true }, false, `session=${VALUE}; Secure; HttpOnly; Path=/; Partitioned`],
  // Header bytes are UTF-8 there, and shown as Latin-1 here.
  [{ name: 'séss' }, false, `s\u00c3\u00a9ss=${VALUE}; HttpOnly; Path=/`],
];

export const cookies: readonly AdapterTest[] = [
  ...RECORDED.map(([cookie, permanent, sent]) => ({
    name: `Flask's bytes: ${sent.replace(/=[^;]*/, '=…')}`,
    kinds: ['cookie'] as const,
    async run({ start }: Parameters<AdapterTest['run']>[0]) {
      const sessions: SessionOptions = { profile: 'flask', secretKey: 'dev', now: () => NOW, cookie };
      const visitor = await start(
        (request) => {
          if (permanent) request.session().permanent = true;
          request.session().set('a', 1);
          return 'ok';
        },
        { sessions },
      );
      const answer = await visitor.send();
      assert.deepEqual(answer.setCookie, [sent]);
      assert.equal(answer.headers.vary, 'Cookie');
    },
  })),
  {
    name: "Flask's bytes: the deletion",
    kinds: ['cookie'],
    async run({ start }) {
      const visitor = await start(
        (request) => {
          request.session().clear();
          return 'ok';
        },
        { sessions: { profile: 'flask', secretKey: 'dev', now: () => NOW } },
      );
      visitor.cookies.set('session', VALUE);
      const answer = await visitor.send();
      assert.deepEqual(answer.setCookie, [
        'session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/',
      ]);
    },
  },
  {
    name: 'other Set-Cookie and Vary headers are kept',
    async run({ start }) {
      const visitor = await start((request) => {
        visit(request);
        return {
          headers: [
            ['Set-Cookie', 'a=1; Path=/x'],
            ['Set-Cookie', 'b=2'],
            ['Vary', 'Accept-Encoding'],
            ['X-Own', 'yes'],
          ],
          body: 'ok',
        };
      });
      const { setCookie, headers } = await visitor.send();
      assert.deepEqual(setCookie.slice(0, 2), ['a=1; Path=/x', 'b=2']);
      assert.match(String(setCookie[2]), /^session=/);
      assert.equal(setCookie.length, 3);
      assert.equal(headers.vary, 'Accept-Encoding, Cookie');
      assert.equal(headers['x-own'], 'yes');
    },
  },
  {
    name: 'a Vary header that names Cookie, or everything, is as it was',
    async run({ start }) {
      const visitor = await start((request) => {
        visit(request);
        return { headers: [['Vary', request.path === '/star' ? '*' : 'accept, COOKIE']], body: 'ok' };
      });
      assert.equal((await visitor.send()).headers.vary, 'accept, COOKIE');
      assert.match(String((await visitor.send('/star')).headers.vary), /\*/);
    },
  },
  {
    name: 'a response with a session cookie is never public (CVE-2025-48947)',
    async run({ start }) {
      const visitor = await start((request) => {
        visit(request);
        return { headers: [['Cache-Control', 'public, max-age=60, s-maxage=600']], body: 'ok' };
      });
      assert.equal((await visitor.send()).headers['cache-control'], 'private, max-age=60');
    },
  },
  {
    name: 'a cookie over 4096 octets is an error before anything is sent',
    kinds: ['cookie'],
    async run({ start }) {
      const visitor = await start((request) => {
        request.session().set('big', noise(6000));
        return 'ok';
      });
      const answer = await visitor.send();
      assert.deepEqual([answer.status, answer.setCookie], [500, []]);
    },
  },
];

/** Text that does not compress. */
function noise(length: number): string {
  let text = '';
  while (text.length < length) text += Math.random().toString(36).slice(2);
  return text.slice(0, length);
}
