/** Adapter suite: what a request costs the store. */
import assert from 'node:assert/strict';
import { type AdapterTest, visit } from './adapter-stage.ts';

export const costs: readonly AdapterTest[] = [
  {
    name: 'a request that does not use its session asks the store nothing; one that reads, one thing',
    kinds: ['synchronous'],
    async run({ start, store }) {
      const visitor = await start((request) => {
        if (request.path === '/set') visit(request);
        return request.path === '/read' ? String(request.session().get('visits')) : 'ok';
      });
      await visitor.send('/');
      assert.deepEqual(store.commands, []);
      await visitor.send('/set');
      assert.deepEqual(store.commands.splice(0), ['write']);
      await visitor.send('/');
      assert.deepEqual(store.commands, []);
      assert.equal((await visitor.send('/read')).text, '1');
      assert.deepEqual(store.commands.splice(0), ['read']);
      await visitor.send('/set');
      assert.deepEqual(store.commands, ['read', 'write']);
    },
  },
  {
    name: 'lazy: read when the handler loads it, and only then',
    kinds: ['asynchronous'],
    async run({ start, store }) {
      let early: unknown;
      const visitor = await start(
        async (request) => {
          if (request.path === '/') return 'ok';
          const session = request.session();
          if (request.path === '/early') {
            try {
              session.get('visits');
            } catch (error) {
              early = (error as { code?: unknown }).code;
            }
          }
          await session.load();
          return String(request.path === '/set' ? visit(request) : session.get('visits'));
        },
        { sessions: { lazy: true } },
      );
      await visitor.send('/set');
      assert.deepEqual(store.commands.splice(0), ['write']);
      await visitor.send('/');
      assert.deepEqual(store.commands, []);
      assert.equal((await visitor.send('/read')).text, '1');
      assert.deepEqual(store.commands.splice(0), ['read']);
      assert.equal((await visitor.send('/early')).text, '1');
      assert.equal(early, 'ERR_SESSION_NOT_LOADED');
      await visitor.send('/set');
      assert.equal((await visitor.send('/read')).text, '2');
    },
  },
  {
    name: 'not lazy: a visitor with a cookie costs one read, one without none',
    kinds: ['asynchronous'],
    async run({ start, store }) {
      const visitor = await start((request) => (request.path === '/set' ? String(visit(request)) : 'ok'));
      await visitor.send('/');
      assert.deepEqual(store.commands, []);
      await visitor.send('/set');
      store.commands = [];
      await visitor.send('/');
      assert.deepEqual(store.commands, ['read']);
    },
  },
  {
    name: 'junk in the place of an id creates nothing (CVE-2015-5143)',
    kinds: ['synchronous', 'asynchronous'],
    async run({ start, store }) {
      const visitor = await start((request) => String(request.session().get('visits', 0)));
      for (const junk of ['x', 'A'.repeat(43), '../../etc/passwd', '%00']) {
        visitor.cookies.set('session', junk);
        assert.equal((await visitor.send()).text, '0');
      }
      assert.ok(!store.commands.includes('write'), store.commands.join());
    },
  },
];
