/** Part of the session suite: the dictionary, its flags, and what is saved of it. */
import assert from 'node:assert/strict';
import { Session } from '../core/session.ts';
import type { SessionTest, Stage } from './stage.ts';

const flags = (session: Session) => ({ accessed: session.accessed, modified: session.modified });
const READ = { accessed: true, modified: false };
const WRITTEN = { accessed: true, modified: true };

/** One handler call on a session that holds `{ a: 1 }` and was not touched yet: its flags afterwards. */
async function flagsAfter(stage: Stage, use: (session: Session) => unknown) {
  const visitor = stage.visitor();
  await visitor.visit((session) => void session.set('a', 1));
  return (
    await visitor.visit((session) => {
      use(session);
      return flags(session);
    })
  ).value;
}

export const dictionary: SessionTest[] = [
  [
    'a new session is neither accessed nor modified',
    async (stage) => {
      const { value, effects } = await stage.visitor().visit(flags);
      assert.deepEqual(value, { accessed: false, modified: false });
      assert.equal(effects.setCookie, undefined);
    },
  ],
  [
    'a missing key gives undefined, or the default',
    async (stage) => {
      const { value } = await stage
        .visitor()
        .visit((s) => [s.get('no'), s.get('no', 'default'), (s as { no?: unknown }).no]);
      assert.deepEqual(value, [undefined, 'default', undefined]);
    },
  ],
  [
    'what is stored is there at the next request, and marks modified',
    async (stage) => {
      const visitor = stage.visitor();
      const first = await visitor.visit((s) => flags(s.set('cat', 'dog')));
      assert.deepEqual(first.value, WRITTEN);
      assert.equal((await visitor.visit((s) => s.get('cat'))).value, 'dog');
    },
  ],
  [
    'setDefault stores once',
    async (stage) => {
      const visitor = stage.visitor();
      assert.equal((await visitor.visit((s) => s.setDefault('foo', 'bar'))).value, 'bar');
      assert.equal((await visitor.visit((s) => s.setDefault('foo', 'baz'))).value, 'bar');
      assert.deepEqual(await flagsAfter(stage, (s) => s.setDefault('a', 2)), READ);
      assert.deepEqual(await flagsAfter(stage, (s) => s.setDefault('b', 2)), WRITTEN);
    },
  ],
  [
    'assign marks modified, even with nothing',
    async (stage) => {
      assert.deepEqual(await flagsAfter(stage, (s) => s.assign({ b: 1 })), WRITTEN);
      assert.deepEqual(await flagsAfter(stage, (s) => s.assign({})), WRITTEN);
    },
  ],
  [
    'clear marks modified and empties',
    async (stage) => {
      assert.deepEqual(await flagsAfter(stage, (s) => s.clear()), WRITTEN);
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.set('a', 1));
      assert.equal(
        (
          await visitor.visit((s) => {
            s.clear();
            return s.has('a');
          })
        ).value,
        false,
      );
    },
  ],
  [
    'pop returns, removes and marks',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.assign({ some: 'value', other: 1 }));
      const { value } = await visitor.visit((s) => [s.pop('some'), s.has('some'), s.modified]);
      assert.deepEqual(value, ['value', false, true]);
      assert.equal((await visitor.visit((s) => s.has('some'))).value, false);
    },
  ],
  [
    'pop of a missing key with a default, undefined included, only accesses',
    async (stage) => {
      assert.deepEqual(await flagsAfter(stage, (s) => assert.equal(s.pop('no', 'default'), 'default')), READ);
      assert.deepEqual(await flagsAfter(stage, (s) => assert.equal(s.pop('no', undefined), undefined)), READ);
    },
  ],
  [
    'pop of a missing key without a default fails, and is no change',
    async (stage) => {
      const missing = { name: 'SessionKeyError', code: 'ERR_SESSION_KEY' };
      assert.deepEqual(await flagsAfter(stage, (s) => assert.throws(() => s.pop('no'), missing)), READ);
      await stage.visitor().visit((s) => {
        s.set('a', 1);
        s.pop('a');
        assert.throws(() => s.pop('a'), missing);
        // The key's name is data, too.
        assert.throws(
          () => s.pop('a secret name'),
          (error: Error) => !error.message.includes('secret name'),
        );
      });
    },
  ],
  [
    'delete removes one key; of a missing key it is no change',
    async (stage) => {
      assert.deepEqual(await flagsAfter(stage, (s) => assert.equal(s.delete('no'), false)), READ);
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.assign({ a: 1, b: 2 }));
      await visitor.visit((s) => void delete (s as { a?: unknown }).a);
      assert.deepEqual((await visitor.visit((s) => [s.has('a'), s.get('b')])).value, [false, 2]);
    },
  ],
  [
    'has, in, keys, values, entries, size, iteration, Object.keys and toJSON only access',
    async (stage) => {
      const uses: ((s: Session) => unknown)[] = [
        (s) => s.has('a'),
        (s) => 'a' in s,
        (s) => [...s.keys()],
        (s) => [...s.values()],
        (s) => [...s.entries()],
        (s) => s.size,
        (s) => [...s],
        (s) => Object.keys(s),
        (s) => s.toJSON(),
        (s) => s.get('a'),
        (s) => s.permanent,
        (s) => s.expiresAt,
        (s) => s.isNew,
        (s) => s.sid,
      ];
      for (const use of uses) assert.deepEqual(await flagsAfter(stage, use), READ, String(use));
    },
  ],
  [
    'property access and methods are the same data',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => {
        (s as { user?: string }).user = 'ann';
        assert.equal(s.get('user'), 'ann');
        s.set('get', 'a reserved name');
      });
      const { value } = await visitor.visit((s) => [(s as { user?: string }).user, s.get('get'), typeof s.get]);
      assert.deepEqual(value, ['ann', 'a reserved name', 'function']);
    },
  ],
  [
    '`__proto__`, `constructor` and their kin are ordinary keys',
    async (stage) => {
      const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then'];
      const visitor = stage.visitor();
      await visitor.visit((s) => {
        for (const name of names)
          s.set(name, { polluted: name, nested: JSON.parse('{"__proto__":{"polluted":true}}') });
      });
      await visitor.visit((s) => {
        for (const name of names) assert.equal(s.get<{ polluted: string }>(name)?.polluted, name);
        assert.equal(Object.keys(s.get<{ nested: object }>('then')?.nested ?? {})[0], '__proto__');
      });
      assert.equal(({} as { polluted?: unknown }).polluted, undefined);
      assert.equal(new Session() instanceof Session, true);
    },
  ],
  [
    'a change inside a value is noticed; reading a value is no change',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.assign({ cart: [{ id: 1, price: 1.5 }], other: { deep: [1, [2]] } }));
      await visitor.visit((s) => void s.get<unknown[]>('cart')?.push({ id: 2 }));
      await visitor.visit((s) => {
        assert.deepEqual(s.get('cart'), [{ id: 1, price: 1.5 }, { id: 2 }]);
        assert.equal(s.get<{ deep: unknown[] }>('other')?.deep.length, 2);
      });
    },
  ],
  [
    'flash messages are shown once, in their order',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => {
        s.flash('saved');
        s.flash('careful', 'warning');
      });
      const { value } = await visitor.visit((s) => [s.takeFlashes(), s.takeFlashes(['warning'])]);
      assert.deepEqual(value, [
        [
          ['message', 'saved'],
          ['warning', 'careful'],
        ],
        [['warning', 'careful']],
      ]);
      assert.deepEqual((await visitor.visit((s) => s.takeFlashes())).value, []);
    },
  ],
  [
    'undefined is no value: setting it deletes the key',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.assign({ user: 'ann', a: 1 }));
      await visitor.visit((s) => void Object.assign(s, { user: undefined }));
      assert.equal((await visitor.visit((s) => s.has('user'))).value, false);
    },
  ],
  [
    'an error in the handler does not undo what was written',
    async (stage) => {
      const visitor = stage.visitor();
      await assert.rejects(
        visitor.visit((s) => {
          s.set('before', true);
          throw new Error('boom');
        }),
        /boom/,
      );
      assert.equal((await visitor.visit((s) => s.get('before'))).value, true);
    },
  ],
  [
    'a value that no record can hold fails the request, and nothing is stored',
    async (stage) => {
      const visitor = stage.visitor();
      await assert.rejects(
        visitor.visit((s) => void s.set('f', () => {})),
        { code: 'ERR_SESSION_ENCODE' },
      );
      assert.equal(visitor.cookie, undefined);
    },
  ],
];
