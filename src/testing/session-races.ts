/** Part of the session suite: requests of one visitor at the same time. Nothing is lost, nothing comes back to life. */
import assert from 'node:assert/strict';
import type { ServerSideSessionInterface } from '../core/server-session.ts';
import type { Session } from '../core/session.ts';
import type { SessionStore } from '../core/store.ts';
import type { SessionTest } from './stage.ts';

export const races: SessionTest[] = [
  [
    'two parallel requests that write different keys both win',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.set('start', 1));
      await visitor.twin().visit(async (s) => {
        s.set('a', 1);
        await visitor.twin().visit((t) => void t.set('b', 2));
      });
      assert.deepEqual((await visitor.visit((s) => [s.get('start'), s.get('a'), s.get('b')])).value, [1, 1, 2]);
    },
  ],
  [
    'the same key: the later commit wins',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.set('k', 0));
      await visitor.twin().visit(async (s) => {
        s.set('k', 'later');
        await visitor.twin().visit((t) => void t.set('k', 'earlier'));
      });
      assert.equal((await visitor.visit((s) => s.get('k'))).value, 'later');
    },
  ],
  [
    '100 parallel requests that each add a key lose none',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.set('start', 1));
      const all = Array.from({ length: 100 }, (_, i) =>
        visitor.twin().visit(async (s) => {
          s.get('start');
          await new Promise((resolve) => setImmediate(resolve));
          s.set(`key${i}`, i);
        }),
      );
      await Promise.all(all);
      assert.equal(
        (await visitor.visit((s) => [...s.keys()].filter((key) => key.startsWith('key')).length)).value,
        100,
      );
    },
  ],
  [
    '100 parallel updates of one counter count 100',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.set('n', 0));
      const all = Array.from({ length: 100 }, () =>
        visitor.twin().visit(async (s) => {
          s.update<number>('n', (n) => (n ?? 0) + 1);
          await new Promise((resolve) => setImmediate(resolve));
        }),
      );
      await Promise.all(all);
      assert.equal((await visitor.visit((s) => s.get('n'))).value, 100);
    },
  ],
  [
    'messages flashed and taken in parallel are each shown once',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => s.flash('first'));
      const shown = await visitor.twin().visit(async (s) => {
        const taken = s.takeFlashes();
        await visitor.twin().visit((t) => t.flash('second'));
        return taken;
      });
      assert.deepEqual(shown.value, [['message', 'first']]);
      assert.deepEqual((await visitor.visit((s) => s.takeFlashes())).value, [['message', 'second']]);
    },
  ],
  [
    'a logout is not undone by a request in flight that writes',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.set('user', 'ann'));
      const { effects } = await visitor.twin().visit(async (s) => {
        s.set('late', true);
        await visitor.twin().visit((t) => t.destroy());
      });
      assert.match(effects.setCookie ?? '', /Max-Age=0/);
      assert.ok(stage.events.some((event) => event.type === 'gone'));
      assert.equal((await visitor.visit((s) => s.get('user'))).value, undefined);
    },
  ],
  [
    'nor by one that only reads, changes something inside, saves explicitly, or clears',
    async (stage) => {
      const uses: ((s: Session) => unknown)[] = [
        (s) => s.get('list'),
        (s) => s.get<number[]>('list')?.push(1),
        (s) => s.set('x', 1).save(),
        (s) => s.clear(),
        (s) => void Object.assign(s, { modified: true }),
      ];
      for (const use of uses) {
        const visitor = stage.visitor();
        await visitor.visit((s) => void s.assign({ user: 'ann', list: [0] }));
        const before = visitor.cookie;
        await visitor.twin().visit(async (s) => {
          s.get('user');
          await visitor.twin().visit((t) => t.destroy());
          await use(s);
        });
        assert.equal(
          await stage.store.read((visitor.sessions as ServerSideSessionInterface).storeKey(before as string)),
          undefined,
        );
        assert.equal((await visitor.visit((s) => s.get('user'))).value, undefined, String(use));
      }
    },
  ],
  [
    'a logout between any two store commands of a save revives nothing',
    async (stage) => {
      const late = (s: Session) => void s.set('late', 1);
      const renew = (s: Session) => void s.regenerate();
      // What the old id still opens when the logout never came.
      const s0 = (use: unknown) => (use === late ? 'ann' : undefined);
      for (const use of [late, renew]) {
        for (let at = 0; at < 6; at++) {
          const visitor = stage.visitor();
          await visitor.visit((s) => void s.set('user', 'ann'));
          let loggedOut = false;
          const store = interposed(stage.store, at, async () => {
            // A logout of the id that is valid by then: were the new one already out, it would be this visitor's.
            await visitor.twin().visit((t) => t.destroy());
            loggedOut = true;
          });
          const victim = stage.visitor({}, store);
          victim.cookie = visitor.cookie;
          await victim.visit(use);
          assert.equal(
            (await visitor.visit((s) => s.get('user'))).value,
            loggedOut ? undefined : s0(use),
            `command ${at}`,
          );
          if (loggedOut)
            assert.equal((await victim.twin().visit((s) => s.get('user'))).value, undefined, `command ${at}`);
        }
      }
    },
  ],
  [
    'a write in between is carried over by regenerate',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.set('user', 'ann'));
      const other = visitor.twin();
      await visitor.visit(async (s) => {
        s.regenerate();
        await other.visit((t) => void t.set('parallel', 1));
      });
      assert.deepEqual((await visitor.visit((s) => [s.get('user'), s.get('parallel')])).value, ['ann', 1]);
    },
  ],
  [
    'a request in flight over a regenerate does not clear the new cookie',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.set('user', 'ann'));
      const { effects } = await visitor.twin().visit(async (s) => {
        s.set('late', 1);
        await visitor.visit((t) => void t.regenerate());
      });
      assert.equal(effects.setCookie, undefined);
      assert.equal((await visitor.visit((s) => s.get('user'))).value, 'ann');
    },
  ],
];

/** The same store, in which `inject` runs right before the `at`-th command. Answers late, as a server does. */
function interposed(store: SessionStore, at: number, inject: () => Promise<void>): SessionStore {
  let count = 0;
  const before = async (): Promise<void> => {
    if (count++ === at) await inject();
  };
  return {
    name: store.name,
    read: (...args) => before().then(() => store.read(...args)),
    write: (...args) => before().then(() => store.write(...args)),
    touch: (...args) => before().then(() => store.touch(...args)),
    delete: (...args) => before().then(() => store.delete(...args)),
  };
}
