/** Adapter suite: the imported `session`, wherever the handler's code goes. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { hasSession, session } from '../core/context.ts';
import type { AdapterRequest } from './adapter-app.ts';
import { type AdapterTest, pause, visit } from './adapter-stage.ts';

const WAYS: Readonly<Record<string, (request: AdapterRequest) => Promise<unknown>>> = {
  'at once': async () => session.get('visits'),
  'after await': async () => {
    await pause(2);
    return session.get('visits');
  },
  'in a timer': () => new Promise((resolve) => setTimeout(() => resolve(session.get('visits')), 2)),
  'in setImmediate': () => new Promise((resolve) => setImmediate(() => resolve(session.get('visits')))),
  'in a microtask': () => new Promise((resolve) => queueMicrotask(() => resolve(session.get('visits')))),
  'in process.nextTick': () => new Promise((resolve) => process.nextTick(() => resolve(session.get('visits')))),
  'in an event listener': () => {
    const emitter = new EventEmitter();
    const heard = new Promise((resolve) => emitter.on('event', () => resolve(session.get('visits'))));
    setTimeout(() => emitter.emit('event'), 2);
    return heard;
  },
  'after the body': async (request) => {
    await request.body();
    return session.get('visits');
  },
};

export const context: readonly AdapterTest[] = [
  ...Object.entries(WAYS).map(([name, use]) => ({
    name: `the imported session ${name}`,
    async run({ start }: Parameters<AdapterTest['run']>[0]) {
      const visitor = await start(async (request) => {
        if (request.path === '/set') return String(visit(request));
        return JSON.stringify(await use(request));
      });
      await visitor.send('/set');
      const body = 'x'.repeat(100_000);
      const headers = { 'content-type': 'text/plain', 'content-length': body.length };
      assert.equal((await visitor.send('/use', { method: 'POST', headers, body })).text, '1');
    },
  })),
  {
    name: 'the imported session while the body is sent',
    async run({ start }) {
      const visitor = await start((request) => {
        if (request.path === '/set') return String(visit(request));
        session.has('visits');
        const body = async function* () {
          yield 'a';
          await pause(2);
          yield String(session.get('visits'));
        };
        return { body: body() };
      });
      await visitor.send('/set');
      assert.equal((await visitor.send('/use')).text, 'a1');
    },
  },
  {
    name: 'the imported session writes, too',
    async run({ start }) {
      const visitor = await start(() => {
        const visits = session.update<number>('visits', (before) => (before ?? 0) + 1);
        return String(visits);
      });
      await visitor.send();
      assert.equal((await visitor.send()).text, '2');
    },
  },
  {
    name: 'parallel requests have each their own',
    async run({ start }) {
      const visitor = await start(async (request) => {
        if (request.path.startsWith('/set/')) session.set('name', request.path.slice(5));
        await pause(Math.random() * 10);
        return String(session.get('name'));
      });
      const names = Array.from({ length: 10 }, (_, i) => `visitor${i}`);
      const visitors = names.map(() => visitor.twin());
      await Promise.all(visitors.map((one, i) => one.send(`/set/${names[i]}`)));
      const answers = await Promise.all(visitors.map((one) => one.send('/read')));
      assert.deepEqual(
        answers.map(({ text }) => text),
        names,
      );
    },
  },
  {
    name: 'outside of a request, the imported session says what is wrong',
    async run({ start }) {
      const visitor = await start(() => String(hasSession()));
      assert.equal((await visitor.send()).text, 'true');
      assert.equal(hasSession(), false);
      assert.throws(() => session.get('visits'), { code: 'ERR_SESSION_NO_CONTEXT' });
    },
  },
];
