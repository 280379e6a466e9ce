/** Adapter suite: what no browser sends. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type AdapterTest, pause, visit } from './adapter-stage.ts';
import { type HttpVisitor, sendRaw } from './http-visitor.ts';

/** A head with this Cookie header, and what the server answers. */
function withCookie(visitor: HttpVisitor, cookie: string): Promise<string> {
  return sendRaw(
    visitor.url,
    `GET / HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
    () => false,
  );
}

export const hostile: readonly AdapterTest[] = [
  {
    name: 'nameless, percent-encoded and odd cookie names are nobody’s session (CVE-2023-23934, CVE-2020-7070)',
    async run({ start }) {
      const visitor = await start((request) => `visits ${visit(request)}`);
      await visitor.send();
      const value = visitor.cookies.get('session');
      for (const cookie of [
        `=session=${value}`,
        `%73ession=${value}`,
        `session%20=${value}`,
        `\u00a0session=${value}`,
        `__Host-session=${value}`,
        `Session=${value}`,
        `session =x${value}`,
        `session[]=${value}`,
      ]) {
        assert.match(await withCookie(visitor, cookie), /visits 1/, JSON.stringify(cookie.replace(String(value), '…')));
      }
      assert.match(await withCookie(visitor, `session=${value}`), /visits 2/);
    },
  },
  {
    name: 'duplicates, kilobytes of cookies, Latin-1, controls: an answer, and never a failure of the server',
    async run({ start }) {
      const visitor = await start((request) => `visits ${visit(request)}`);
      for (const cookie of [
        'session=a; session=b; session="c"',
        `session=${'a'.repeat(8000)}`,
        Array.from({ length: 1000 }, (_, i) => `c${i}=1`).join(';'),
        ';'.repeat(7000),
        'session=\u00e9\u00ff',
        'session="\\777\\"',
        'session',
        '=',
        'session=;',
        'session=__proto__; __proto__=1; constructor=2',
      ]) {
        const received = await withCookie(visitor, cookie);
        assert.match(received, /^HTTP\/1\.1 200[\s\S]*visits 1/, JSON.stringify(cookie.slice(0, 40)));
      }
      // Node itself refuses these heads, or the framework does; nobody falls over.
      for (const cookie of ['session=a\0b', `session=${'a'.repeat(40_000)}`]) {
        assert.match(await withCookie(visitor, cookie), /^HTTP\/1\.1 4\d\d/);
      }
      assert.equal((await visitor.send()).status, 200);
    },
  },
  {
    name: 'hostile Host and X-Forwarded-* headers change nothing of the cookie',
    async run({ start }) {
      const visitor = await start((request) => `visits ${visit(request)}`);
      const heads = [
        'Host: evil.example:99999',
        'Host: a b',
        'Host: [::1',
        'Host: <script>',
        'Host: a@b',
        'Host: ',
        'Host: a\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Proto: http',
        'Host: a\r\nX-Forwarded-Proto: https;Secure',
        `Host: a\r\nX-Forwarded-Proto: ${'https,'.repeat(1000)}`,
        'Host: a\r\nX-Forwarded-Host: evil.example; Domain=evil.example',
        'Host: a\r\nForwarded: proto=https;host=evil.example',
      ];
      for (const head of heads) {
        const received = await sendRaw(
          visitor.url,
          `GET / HTTP/1.1\r\n${head}\r\nConnection: close\r\n\r\n`,
          () => false,
        );
        assert.match(received, /^HTTP\/1\.1 [24]\d\d/, JSON.stringify(head.slice(0, 60)));
        assert.doesNotMatch(received, /set-cookie:[^\r]*(Domain|Secure)/i);
      }
    },
  },
  {
    name: 'a body that ends half-way: the server goes on, and its unhandled rejections are none',
    async run({ start }) {
      const unhandled: unknown[] = [];
      const note = (reason: unknown) => unhandled.push(reason);
      process.on('unhandledRejection', note);
      try {
        let ended = (): void => {};
        const over = new Promise<void>((resolve) => {
          ended = resolve;
        });
        const visitor = await start(async (request) => {
          visit(request);
          if (request.path !== '/') return 'ok';
          try {
            return String((await request.body()).length);
          } finally {
            ended();
          }
        });
        const socket = connect(Number(new URL(visitor.url).port), '127.0.0.1');
        socket.on('error', () => {});
        socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\nhalf');
        await pause(20);
        socket.destroy();
        // Some frameworks read the body before the handler, and never call it.
        await Promise.race([over, pause(200)]);
        assert.equal((await visitor.send('/next')).status, 200);
        assert.deepEqual(unhandled, []);
      } finally {
        process.off('unhandledRejection', note);
      }
    },
  },
];
