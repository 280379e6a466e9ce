/** Adapter suite: the save comes before the first byte, whatever the response is. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { AdapterAnswer } from './adapter-app.ts';
import { type AdapterTest, pause, STORED, type Stage, visit } from './adapter-stage.ts';
import type { HttpAnswer } from './http-visitor.ts';

const FILE = 'the content of a file\n'.repeat(2000);
const LONG = 'a text that compresses well. '.repeat(500);

interface Kind {
  /** Default GET. */
  readonly method?: string;
  readonly acceptEncoding?: string;
  readonly compress?: boolean;
  /** @param file the path of a file with {@link FILE} in it */
  readonly answer: (file: string) => AdapterAnswer;
  check(answer: HttpAnswer): void;
}

async function* pieces(type: 'plain' | 'sse'): AsyncGenerator<string> {
  for (const piece of ['one', 'two', 'three']) {
    yield type === 'sse' ? `data: ${piece}\n\n` : piece;
    await pause(2);
  }
}

const KINDS: Readonly<Record<string, Kind>> = {
  text: {
    answer: () => ({ body: 'hello' }),
    check: ({ status, text }) => assert.deepEqual([status, text], [200, 'hello']),
  },
  bytes: {
    answer: () => ({ body: Uint8Array.of(0, 255, 10), headers: [['Content-Type', 'application/octet-stream']] }),
    check: ({ bytes }) => assert.deepEqual([...bytes], [0, 255, 10]),
  },
  'an error status': {
    answer: () => ({ status: 404, body: 'no such page' }),
    check: ({ status, text }) => assert.deepEqual([status, text], [404, 'no such page']),
  },
  'a redirect': {
    answer: () => ({ redirect: '/next' }),
    check: ({ status, headers }) =>
      assert.deepEqual([status >= 302 && status <= 307, headers.location], [true, '/next']),
  },
  HEAD: {
    method: 'HEAD',
    answer: () => ({ body: 'hello' }),
    check: ({ status, text }) => assert.deepEqual([status, text], [200, '']),
  },
  204: {
    answer: () => ({ status: 204 }),
    check: ({ status, text }) => assert.deepEqual([status, text], [204, '']),
  },
  304: {
    answer: () => ({ status: 304, headers: [['ETag', '"1"']] }),
    check: ({ status, text }) => assert.deepEqual([status, text], [304, '']),
  },
  'a stream': {
    answer: () => ({ body: pieces('plain') }),
    check: ({ text }) => assert.equal(text, 'onetwothree'),
  },
  'server-sent events': {
    answer: () => ({ body: pieces('sse'), headers: [['Content-Type', 'text/event-stream']] }),
    check: ({ text }) => assert.equal(text, 'data: one\n\ndata: two\n\ndata: three\n\n'),
  },
  'a file': {
    answer: (file) => ({ file }),
    check: ({ text }) => assert.equal(text, FILE),
  },
  'a compressed text': {
    compress: true,
    acceptEncoding: 'gzip',
    answer: () => ({ body: LONG, headers: [['Content-Type', 'text/plain; charset=utf-8']] }),
    check(answer) {
      assert.equal(answer.headers['content-encoding'], 'gzip');
      assert.equal(gunzipSync(answer.bytes).toString(), LONG);
      assert.match(String(answer.headers.vary), /accept-encoding/i);
    },
  },
  'a compressed stream': {
    compress: true,
    acceptEncoding: 'gzip',
    answer: () => ({ body: repeated(LONG), headers: [['Content-Type', 'text/plain; charset=utf-8']] }),
    check(answer) {
      assert.equal(answer.headers['content-encoding'], 'gzip');
      assert.equal(gunzipSync(answer.bytes).toString(), LONG + LONG);
    },
  },
};

async function* repeated(text: string): AsyncGenerator<string> {
  yield text;
  await pause(2);
  yield text;
}

export const responses: readonly AdapterTest[] = [
  ...Object.entries(KINDS).map(([name, kind]) => ({
    name: `saved with ${name}`,
    async run(stage: Stage) {
      await withFile(async (file) => {
        const visitor = await stage.start(
          (request) => {
            const visits = visit(request);
            return request.path === '/count' ? String(visits) : kind.answer(file);
          },
          { compress: kind.compress ?? false },
        );
        const headers = kind.acceptEncoding ? { 'accept-encoding': kind.acceptEncoding } : {};
        const answer = await visitor.send('/', { method: kind.method ?? 'GET', headers });
        kind.check(answer);
        assert.equal(answer.setCookie.length, 1);
        assert.match(String(answer.headers.vary), /\bcookie\b/i);
        assert.equal((await visitor.send('/count')).text, '2');
      });
    },
  })),
  ...Object.entries(KINDS).map(([name, kind]) => ({
    name: `not a byte before the store has it: ${name}`,
    kinds: ['asynchronous'] as const,
    async run({ start, store }: Stage) {
      await withFile(async (file) => {
        const visitor = await start(
          (request) => {
            visit(request);
            return kind.answer(file);
          },
          { compress: kind.compress ?? false },
        );
        const headers = kind.acceptEncoding ? { 'accept-encoding': kind.acceptEncoding } : {};
        store.hold();
        const written = store.written();
        let heard = false;
        const answer = visitor.send('/', {
          method: kind.method ?? 'GET',
          headers,
          onHead() {
            heard = true;
          },
        });
        await written;
        await pause(25);
        assert.equal(heard, false);
        store.release();
        kind.check(await answer);
      });
    },
  })),
  {
    name: 'a handler that throws: the error page leaves after the save',
    async run({ start }) {
      const visitor = await start((request) => {
        visit(request);
        if (request.path === '/') throw new Error('a handler that fails');
        return String(request.session().get('visits'));
      });
      const answer = await visitor.send();
      assert.deepEqual([answer.status, answer.setCookie.length], [500, 1]);
      assert.equal((await visitor.send('/count')).text, '2');
    },
  },
  {
    name: 'a handler that throws later',
    async run({ start }) {
      const visitor = await start(async (request) => {
        visit(request);
        await pause(2);
        if (request.path === '/') throw new Error('a handler that fails');
        return String(request.session().get('visits'));
      });
      assert.equal((await visitor.send()).status, 500);
      assert.equal((await visitor.send('/count')).text, '2');
    },
  },
  {
    name: '103 Early Hints come first, and the cookie with the answer',
    async run({ start }) {
      const visitor = await start(async (request) => {
        visit(request);
        await request.earlyHints('</style.css>; rel=preload; as=style');
        return 'hello';
      });
      const answer = await visitor.send();
      assert.deepEqual([answer.informational, answer.text, answer.setCookie.length], [[103], 'hello', 1]);
    },
  },
  {
    name: 'a request that the client gave up is saved all the same',
    kinds: STORED,
    async run({ start }) {
      let entered = (): void => {};
      let left = (): void => {};
      const inside = new Promise<void>((resolve) => {
        entered = resolve;
      });
      const gone = new Promise<void>((resolve) => {
        left = resolve;
      });
      const visitor = await start(async (request) => {
        if (request.path === '/slow') {
          entered();
          await gone;
        }
        return request.path === '/read' ? String(request.session().get('visits')) : String(visit(request));
      });
      await visitor.send();
      const abort = new AbortController();
      const given = visitor.twin().send('/slow', { signal: abort.signal });
      const failure = assert.rejects(given);
      await inside;
      abort.abort();
      await failure;
      await pause(10);
      left();
      // The save of a request that nobody waits for may take a moment.
      let seen = '';
      for (let tries = 0; tries < 200 && seen !== '2'; tries++) {
        await pause(10);
        seen = (await visitor.send('/read')).text;
      }
      assert.equal(seen, '2');
    },
  },
];

async function withFile(run: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'flacon-adapter-'));
  try {
    const file = join(folder, 'file.txt');
    await writeFile(file, FILE);
    await run(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
