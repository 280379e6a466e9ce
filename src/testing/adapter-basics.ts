/** Adapter suite: the operations on a session, from one request to the next. */
import assert from 'node:assert/strict';
import type { AdapterRequest } from './adapter-app.ts';
import { type AdapterTest, pause, STORED, visit } from './adapter-stage.ts';
import { HttpVisitor } from './http-visitor.ts';

export const basics: readonly AdapterTest[] = [
  {
    name: 'a value set in one request is there in the next',
    async run({ start }) {
      const visitor = await start((request) => String(visit(request)));
      assert.equal((await visitor.send()).text, '1');
      assert.equal((await visitor.send()).text, '2');
      assert.equal((await new HttpVisitor(visitor.url).send()).text, '1');
    },
  },
  {
    name: 'values are changed and deleted',
    async run({ start }) {
      const visitor = await start((request) => {
        const session = request.session();
        if (request.path === '/set') session.assign({ a: 1, b: { c: [1] } });
        if (request.path === '/change') session.get<{ c: number[] }>('b')?.c.push(2);
        if (request.path === '/delete') session.delete('a');
        return JSON.stringify([session.get('a', null), session.get('b', null)]);
      });
      await visitor.send('/set');
      assert.equal((await visitor.send('/change')).text, '[1,{"c":[1,2]}]');
      assert.equal((await visitor.send('/read')).text, '[1,{"c":[1,2]}]');
      await visitor.send('/delete');
      assert.equal((await visitor.send('/read')).text, '[null,{"c":[1,2]}]');
    },
  },
  {
    name: 'the session of a request is a dictionary with properties, too',
    async run({ start }) {
      const visitor = await start((request) => {
        const session = request.session() as unknown as Record<string, unknown>;
        if (request.path === '/set') session.user = { name: 'ann' };
        if (request.path === '/delete') delete session.user;
        return JSON.stringify(['user' in session, session.user ?? null, Object.keys(session).includes('user')]);
      });
      await visitor.send('/set');
      assert.equal((await visitor.send()).text, '[true,{"name":"ann"},true]');
      await visitor.send('/delete');
      assert.equal((await visitor.send()).text, '[false,null,false]');
    },
  },
  {
    name: 'regenerate: a new id, the same data, the old id is dead',
    kinds: STORED,
    async run({ start }) {
      const visitor = await start((request) => {
        if (request.path === '/sign-in') request.session().regenerate();
        return String(visit(request));
      });
      await visitor.send();
      const thief = visitor.twin();
      const before = visitor.cookies.get('session');
      assert.equal((await visitor.send('/sign-in')).text, '2');
      assert.notEqual(visitor.cookies.get('session'), before);
      assert.equal((await visitor.send()).text, '3');
      assert.equal((await thief.send()).text, '1');
    },
  },
  {
    name: 'destroy: the cookie is cleared, and in a store the session is gone',
    async run({ start, kind }) {
      const visitor = await start((request) => {
        if (request.path === '/sign-out') request.session().destroy();
        return JSON.stringify(request.path === '/set' ? visit(request) : request.session().get('visits', null));
      });
      await visitor.send('/set');
      const copy = visitor.twin();
      const answer = await visitor.send('/sign-out');
      assert.match(String(answer.setCookie), /^session=;.*Max-Age=0/);
      assert.equal(visitor.cookies.size, 0);
      assert.equal((await visitor.send()).text, 'null');
      if (kind !== 'cookie') assert.equal((await copy.send()).text, 'null');
    },
  },
  {
    name: 'a flashed message is there once, after the redirect',
    async run({ start }) {
      const visitor = await start((request) => {
        if (request.path === '/flash') {
          request.session().flash('saved', 'info');
          return { redirect: '/' };
        }
        return JSON.stringify(request.session().takeFlashes());
      });
      const answer = await visitor.send('/flash', { method: 'POST' });
      assert.ok([302, 303, 307].includes(answer.status), `status ${answer.status}`);
      assert.equal(answer.headers.location, '/');
      assert.equal((await visitor.send()).text, '[["info","saved"]]');
      assert.equal((await visitor.send()).text, '[]');
    },
  },
  {
    name: 'parallel requests of one visitor: every key, every increment counts',
    kinds: STORED,
    async run({ start }) {
      const visitor = await start(async (request) => {
        const session = request.session();
        if (request.path === '/read')
          return JSON.stringify([
            [...session.keys()].filter((key) => key.startsWith('/')).length,
            session.get('visits'),
          ]);
        session.get('visits');
        await pause(Math.random() * 10);
        if (request.path !== '/') session.set(request.path, true);
        return String(visit(request));
      });
      await visitor.send();
      await Promise.all(Array.from({ length: 20 }, (_, i) => visitor.twin().send(`/${i}`)));
      assert.equal((await visitor.send('/read')).text, '[20,21]');
    },
  },
  {
    name: 'a logout while another request is served: nothing comes back',
    kinds: STORED,
    async run({ start, events }) {
      let entered = (): void => {};
      let leave = (): void => {};
      const inside = new Promise<void>((resolve) => {
        entered = resolve;
      });
      const released = new Promise<void>((resolve) => {
        leave = resolve;
      });
      const visitor = await start(async (request) => {
        if (request.path === '/sign-out') {
          request.session().destroy();
          return 'bye';
        }
        const visits = visit(request);
        if (request.path === '/slow') {
          entered();
          await released;
        }
        return String(visits);
      });
      await visitor.send();
      const other = visitor.twin();
      const copy = visitor.twin();
      const slow = other.send('/slow');
      await inside;
      await visitor.send('/sign-out');
      leave();
      assert.match(String((await slow).setCookie), /Max-Age=0/);
      assert.equal((await copy.send()).text, '1');
      assert.ok(events.some((event) => event.type === 'gone'));
    },
  },
  ...varying(),
];

/** Every way of using a session makes the response depend on the cookie (CVE-2023-30861, CVE-2026-27205). */
function varying(): AdapterTest[] {
  type Session = ReturnType<AdapterRequest['session']>;
  const uses: Record<string, (session: Session) => unknown> = {
    get: (session) => session.get('a'),
    has: (session) => session.has('a'),
    in: (session) => 'a' in session,
    'a property': (session) => (session as { a?: unknown }).a,
    keys: (session) => [...session.keys()],
    'Object.keys': (session) => Object.keys(session),
    size: (session) => session.size,
    iteration: (session) => [...session],
    JSON: (session) => JSON.stringify(session),
    permanent: (session) => session.permanent,
    isNew: (session) => session.isNew,
    'a deletion of nothing': (session) => session.delete('a'),
    'a write': (session) => session.set('a', 1),
    takeFlashes: (session) => session.takeFlashes(),
  };
  return [
    ...Object.entries(uses).map(([name, use]) => ({
      name: `Vary: Cookie for ${name}`,
      async run({ start }: Parameters<AdapterTest['run']>[0]) {
        const visitor = await start((request) => {
          use(request.session());
          return 'ok';
        });
        assert.match(String((await visitor.send()).headers.vary), /\bcookie\b/i);
      },
    })),
    {
      name: 'nothing is sent for a session that nobody used',
      async run({ start }) {
        const visitor = await start((request) => {
          if (request.path === '/ask') request.session();
          return 'ok';
        });
        for (const path of ['/', '/ask']) {
          const { setCookie, headers } = await visitor.send(path);
          assert.deepEqual([setCookie, headers.vary], [[], undefined]);
        }
      },
    },
  ];
}
