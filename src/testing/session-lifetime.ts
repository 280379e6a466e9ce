/** Part of the session suite: how long a session lives, and under which id. */
import assert from 'node:assert/strict';
import type { ServerSideSessionInterface } from '../core/server-session.ts';
import type { Session } from '../core/session.ts';
import type { SessionTest, Stage } from './stage.ts';
import { Visitor } from './visitor.ts';

const reasons = (stage: Stage) => stage.events.flatMap((event) => (event.type === 'not-resumed' ? [event.reason] : []));
export const lifetime: SessionTest[] = [
  [
    'a session ends when its idle lifetime has passed, and not before',
    async (stage) => {
      const visitor = stage.visitor({ idleTimeout: 4 });
      await visitor.visit((s) => void s.set('a', 1));
      await stage.pass(2);
      assert.equal((await visitor.twin().visit((s) => s.get('a'))).value, 1);
      await stage.pass(5.1);
      assert.equal((await visitor.visit((s) => s.get('a'))).value, undefined);
      assert.deepEqual(reasons(stage), ['unknown-id']);
    },
  ],
  [
    'using a session moves its end',
    async (stage) => {
      const visitor = stage.visitor({ idleTimeout: 4 });
      await visitor.visit((s) => void s.set('a', 1));
      for (let i = 0; i < 4; i++) {
        await stage.pass(2);
        assert.equal((await visitor.visit((s) => s.get('a'))).value, 1);
      }
    },
  ],
  [
    'a permanent session has a dated cookie, another one has not',
    async (stage) => {
      const permanent = await stage.visitor({ permanent: true }).visit((s) => void s.set('a', 1));
      assert.match(permanent.effects.setCookie ?? '', /; Expires=/);
      const browser = await stage.visitor({ permanent: false }).visit((s) => void s.set('a', 1));
      assert.doesNotMatch(browser.effects.setCookie ?? '', /Expires|Max-Age/);
      const changed = await stage.visitor({ permanent: false }).visit((s) => {
        s.set('a', 1);
        s.permanent = true;
      });
      assert.match(changed.effects.setCookie ?? '', /; Expires=/);
    },
  ],
  [
    'a record without expiry left never loads',
    async (stage) => {
      const visitor = stage.visitor({ idleTimeout: 1 });
      await visitor.visit((s) => void s.set('a', 1));
      await stage.pass(2.1);
      assert.deepEqual((await visitor.visit((s) => [s.isNew, s.size === 0 || s.get('a') === undefined])).value, [
        true,
        true,
      ]);
    },
  ],
  [
    'opening and reading without a session creates no record',
    async (stage) => {
      const visitor = stage.visitor();
      let written = 0;
      const { write } = stage.store;
      stage.store.write = (...args) => {
        written++;
        return write.apply(stage.store, args);
      };
      await visitor.visit((s) => s.get('a'));
      visitor.cookie = 'A'.repeat(43);
      await visitor.visit((s) => s.get('a'));
      assert.equal(written, 0);
      assert.equal(await stage.store.read(`session:${'A'.repeat(43)}`), undefined);
    },
  ],
];

export const identity: SessionTest[] = [
  [
    'an id that the store does not know is never adopted',
    async (stage) => {
      const offered = 'attacker-chosen-id-0123456789abcdef';
      const visitor = stage.visitor();
      visitor.cookie = offered;
      const { value } = await visitor.visit((s) => s.set('a', 1).sid);
      assert.notEqual(value, offered);
      assert.equal(visitor.cookie, value);
      assert.deepEqual(reasons(stage), ['unknown-id']);
    },
  ],
  [
    'empty, short and malformed ids are refused before the store hears of them',
    async (stage) => {
      const asked: string[] = [];
      const { read } = stage.store;
      stage.store.read = (key) => {
        asked.push(key);
        return read.call(stage.store, key);
      };
      for (const cookie of [
        '',
        'short',
        '../../etc/passwd',
        'a b c d e f g h',
        'x'.repeat(5000),
        'id\r\nset x 0 0 1',
        'ééééééééééé',
        '"\\000abcdefgh"',
      ]) {
        const visitor = stage.visitor();
        visitor.cookie = cookie;
        assert.equal((await visitor.visit((s) => s.isNew)).value, true, cookie);
      }
      assert.deepEqual(asked, []);
    },
  ],
  [
    'the id cannot be assigned',
    async (stage) => {
      await stage.visitor().visit((s) => {
        assert.throws(() => ((s as { sid: unknown }).sid = 'mine'), TypeError);
      });
    },
  ],
  [
    'save stores now; the id then finds the data',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit(async (s) => {
        s.set('a', 1);
        await s.save();
        const other = new Visitor(visitor.sessions, s.sid as string);
        assert.equal((await other.visit((t) => t.get('a'))).value, 1);
        s.set('b', 2);
      });
      assert.deepEqual((await visitor.visit((s) => [s.get('a'), s.get('b')])).value, [1, 2]);
    },
  ],
  [
    'reload drops changes and takes up those of others',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.set('a', 1));
      await visitor.twin().visit(async (s) => {
        s.set('a', 'dropped');
        await visitor.twin().visit((t) => void t.set('a', 2));
        await s.reload();
        assert.equal(s.get('a'), 2);
      });
      assert.equal((await visitor.visit((s) => s.get('a'))).value, 2);
    },
  ],
  [
    'destroy: the record is gone, the cookie is cleared, the old cookie is dead',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.set('a', 1));
      const old = visitor.twin();
      const { value, effects } = await visitor.visit((s) => {
        s.destroy();
        return [s.accessed, s.modified, s.has('a')];
      });
      assert.deepEqual(value, [true, true, false]);
      assert.match(effects.setCookie ?? '', /Max-Age=0/);
      assert.equal(visitor.cookie, undefined);
      assert.equal((await old.visit((s) => s.get('a'))).value, undefined);
    },
  ],
  [
    'emptying a session deletes its record and cookie, too',
    async (stage) => {
      for (const empty of [(s: Session) => s.clear(), (s: Session) => void s.pop('a')]) {
        const visitor = stage.visitor();
        await visitor.visit((s) => void s.set('a', 1));
        const key = visitor.cookie as string;
        const { effects } = await visitor.visit(empty);
        assert.match(effects.setCookie ?? '', /Max-Age=0/);
        assert.equal(await stage.store.read((visitor.sessions as ServerSideSessionInterface).storeKey(key)), undefined);
      }
    },
  ],
  [
    'what is written after destroy begins another session',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.set('user', 'ann'));
      const before = visitor.cookie;
      await visitor.visit((s) => {
        s.destroy();
        s.flash('signed out');
      });
      assert.notEqual(visitor.cookie, before);
      assert.deepEqual((await visitor.visit((s) => [s.get('user'), s.takeFlashes()])).value, [
        undefined,
        [['message', 'signed out']],
      ]);
    },
  ],
  [
    'regenerate: same data, new id, old id dead; also when nothing was read before',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.assign({ a: 1, b: [1] }));
      const old = visitor.twin();
      assert.equal((await visitor.visit((s) => s.regenerate())).value, true);
      assert.notEqual(visitor.cookie, old.cookie);
      assert.deepEqual((await visitor.visit((s) => [s.get('a'), s.get('b')])).value, [1, [1]]);
      assert.equal((await old.visit((s) => s.get('a'))).value, undefined);
    },
  ],
  [
    'regenerate and save: the new id reaches the client, as Passport needs it',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.set('a', 1));
      const old = visitor.twin();
      await visitor.visit(async (s) => {
        s.regenerate();
        await s.save();
        s.set('user', 'ann');
        await s.save();
      });
      assert.notEqual(visitor.cookie, old.cookie);
      assert.deepEqual((await visitor.visit((s) => [s.get('a'), s.get('user')])).value, [1, 'ann']);
      assert.equal((await old.visit((s) => s.get('a'))).value, undefined);
    },
  ],
  [
    'destroy and save: the record is gone before the response',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.set('a', 1));
      const old = visitor.twin();
      const { effects } = await visitor.visit(async (s) => {
        s.destroy();
        await s.save();
        assert.equal((await old.visit((t) => t.get('a'))).value, undefined);
      });
      assert.match(effects.setCookie ?? '', /Max-Age=0/);
    },
  ],
  [
    'regenerate of an empty session does nothing',
    async (stage) => {
      const { value, effects } = await stage.visitor().visit((s) => s.regenerate());
      assert.equal(value, false);
      assert.equal(effects.setCookie, undefined);
    },
  ],
  [
    'a record that cannot be decoded gives a fresh session, and says so',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.set('a', 1));
      const key = (visitor.sessions as ServerSideSessionInterface).storeKey(visitor.cookie as string);
      const there = await stage.store.read(key);
      await stage.store.write(key, new Uint8Array([0xc1, 0xff, 0x00]), stage.now() + 60_000, there?.bytes);
      const before = visitor.cookie;
      assert.deepEqual((await visitor.visit((s) => [s.isNew, s.get('a')])).value, [true, undefined]);
      await visitor.visit((s) => void s.set('b', 1));
      assert.notEqual(visitor.cookie, before);
      assert.equal(reasons(stage)[0], 'undecodable');
    },
  ],
];
