/** Adapter suite: what happens to a session while its response is being sent, and on a connection with many requests. */
import assert from 'node:assert/strict';
import { type AdapterTest, pause, STORED, visit } from './adapter-stage.ts';
import { sendRaw } from './http-visitor.ts';

export const streams: readonly AdapterTest[] = [
  {
    name: 'the head and the first event leave while the stream goes on',
    async run({ start }) {
      let goOn = (): void => {};
      const heard = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      const visitor = await start((request) => {
        visit(request);
        const events = async function* () {
          yield 'data: first\n\n';
          await heard;
          yield 'data: second\n\n';
        };
        return { body: events(), headers: [['Content-Type', 'text/event-stream']] };
      });
      const answer = await visitor.send('/', {
        onData(text) {
          if (text.includes('first')) goOn();
        },
      });
      assert.equal(answer.text, 'data: first\n\ndata: second\n\n');
      assert.equal(answer.setCookie.length, 1);
    },
  },
  {
    name: 'what a stream changes is saved before it ends',
    kinds: STORED,
    async run({ start }) {
      const visitor = await start((request) => {
        const session = request.session();
        if (request.path === '/read') return JSON.stringify([session.get('late'), session.get('later')]);
        visit(request);
        const body = async function* () {
          yield 'a';
          await pause(5);
          session.set('late', { list: [1] });
          yield 'b';
          await pause(5);
          session.get<{ list: number[] }>('late')?.list.push(2);
          session.set('later', true);
          yield 'c';
        };
        return { body: body() };
      });
      assert.equal((await visitor.send()).text, 'abc');
      assert.equal((await visitor.send('/read')).text, '[{"list":[1,2]},true]');
    },
  },
  {
    name: 'the end of a stream waits until the store has what it changed',
    kinds: ['asynchronous'],
    async run({ start, store }) {
      let begin = (): void => {};
      const begun = new Promise<void>((resolve) => {
        begin = resolve;
      });
      const visitor = await start((request) => {
        const session = request.session();
        visit(request);
        const body = async function* () {
          yield 'a';
          await pause(5);
          store.hold();
          void store.written().then(begin);
          session.set('late', true);
          yield 'b';
        };
        return { body: body() };
      });
      let over = false;
      const answer = visitor.send().finally(() => {
        over = true;
      });
      await Promise.race([begun, answer]);
      await pause(25);
      assert.equal(over, false, 'the response ended');
      store.release();
      assert.equal((await answer).text, 'ab');
    },
  },
  {
    name: 'what could never be read again is refused: a new session, or one in the cookie',
    async run({ start, kind }) {
      const codes: unknown[] = [];
      const visitor = await start((request) => {
        const session = request.session();
        if (kind === 'cookie') visit(request);
        const body = async function* () {
          yield 'a';
          await pause(5);
          try {
            session.set('late', 1);
          } catch (error) {
            codes.push((error as { code?: unknown }).code);
          }
          yield 'b';
        };
        return { body: body() };
      });
      assert.equal((await visitor.send()).text, 'ab');
      assert.deepEqual(codes, ['ERR_SESSION_HEADERS_SENT']);
    },
  },
  {
    name: 'a stream that fails half-way: broken off, saved, and the server goes on',
    async run({ start }) {
      const visitor = await start((request) => {
        const visits = visit(request);
        if (request.path === '/count') return String(visits);
        const body = async function* () {
          yield 'a';
          await pause(5);
          throw new Error('a stream that fails');
        };
        return { body: body() };
      });
      // Where the failure comes before the first byte left, there is no answer at all.
      const answer = await visitor.send().catch(() => undefined);
      assert.notEqual(answer?.complete, true);
      if (answer && visitor.cookies.size > 0) assert.equal((await visitor.send('/count')).text, '2');
      assert.equal((await visitor.twin().send('/count')).status, 200);
    },
  },
  {
    name: 'requests in one packet are answered in order, each with its own session',
    async run({ start }) {
      const visitor = await start(async (request) => {
        const before = request.session().get<number>('visits', 0);
        await pause(request.path === '/first' ? 10 : 1);
        if (request.path === '/set') visit(request);
        return `[${request.path} ${before}]`;
      });
      await visitor.send('/set');
      const cookie = `session=${visitor.cookies.get('session')}`;
      const received = await sendRaw(
        visitor.url,
        `GET /first HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\n\r\n` +
          'GET /second HTTP/1.1\r\nHost: a\r\n\r\n' +
          `GET /third HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
        () => false,
      );
      assert.deepEqual(received.match(/\[[^\]]+\]/g), ['[/first 1]', '[/second 0]', '[/third 1]']);
    },
  },
  {
    name: 'HTTP/1.0, without a connection kept',
    async run({ start }) {
      const visitor = await start((request) => String(visit(request)));
      const received = await sendRaw(visitor.url, 'GET / HTTP/1.0\r\nHost: a\r\n\r\n', () => false);
      assert.match(received, /^HTTP\/1\.[01] 200/);
      assert.match(received, /\r\nset-cookie: session=/i);
    },
  },
];
