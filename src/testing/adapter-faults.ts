/** Adapter suite: the store fails. */
import assert from 'node:assert/strict';
import { type AdapterTest, STORED, visit } from './adapter-stage.ts';

export const faults: readonly AdapterTest[] = [
  {
    name: 'a store that fails to read: 500, and all is well afterwards',
    kinds: STORED,
    async run({ start, store, events }) {
      const visitor = await start((request) => String(visit(request)));
      await visitor.send();
      store.broken = true;
      const answer = await visitor.send();
      assert.deepEqual([answer.status, answer.setCookie], [500, []]);
      assert.ok(events.some(({ type }) => type === 'store-error'));
      store.broken = false;
      assert.equal((await visitor.send()).text, '2');
    },
  },
  {
    name: 'a store that fails to write: 500 in place of the answer, no cookie, and nothing of the answer leaves',
    kinds: STORED,
    async run({ start, store }) {
      const visitor = await start((request) => {
        visit(request);
        if (request.path === '/break') store.broken = true;
        return { status: 201, headers: [['Content-Type', 'application/x-own']], body: 'all is well' };
      });
      const answer = await visitor.send('/break');
      assert.deepEqual([answer.status, answer.setCookie], [500, []]);
      assert.doesNotMatch(answer.text, /all is well/);
      assert.notEqual(answer.headers['content-type'], 'application/x-own');
      store.broken = false;
      assert.equal((await visitor.send()).status, 201);
    },
  },
  {
    name: 'a store that fails to write while a stream begins: 500',
    kinds: STORED,
    async run({ start, store }) {
      const visitor = await start((request) => {
        visit(request);
        store.broken = true;
        const body = async function* () {
          yield 'all is well';
        };
        return { body: body() };
      });
      const answer = await visitor.send();
      assert.deepEqual([answer.status, answer.setCookie], [500, []]);
      assert.doesNotMatch(answer.text, /all is well/);
    },
  },
  {
    name: 'an error page of a handler whose session cannot be saved either',
    kinds: STORED,
    async run({ start, store }) {
      const visitor = await start((request) => {
        visit(request);
        store.broken = true;
        throw new Error('a handler that fails');
      });
      const answer = await visitor.send();
      assert.deepEqual([answer.status, answer.setCookie], [500, []]);
      store.broken = false;
      assert.equal((await visitor.send('/')).status, 500);
    },
  },
  {
    name: "the policy 'null-session': the page is served, the session is empty and refuses to be written",
    kinds: STORED,
    async run({ start, store }) {
      const visitor = await start(
        (request) => {
          if (request.path !== '/read') return String(visit(request));
          return String(request.session().get('visits', 'nothing'));
        },
        { sessions: { onStoreError: 'null-session' } },
      );
      await visitor.send();
      store.broken = true;
      const read = await visitor.send('/read');
      assert.deepEqual([read.status, read.text, read.setCookie], [200, 'nothing', []]);
      assert.equal((await visitor.send('/write')).status, 500);
      store.broken = false;
      assert.equal((await visitor.send('/read')).text, '1');
    },
  },
];
