/** Part of the session suite: ends of a session's own, as `setExpiry` gives them. */
import assert from 'node:assert/strict';
import { EXPIRY, type Expiry } from '../core/expiry.ts';
import type { ServerSideSessionInterface } from '../core/server-session.ts';
import type { Session } from '../core/session.ts';
import type { SessionTest, Stage } from './stage.ts';
import type { Visitor } from './visitor.ts';

const MINUTE = 60;
const YEAR = 365 * 86_400;
/** Browsers keep no cookie for longer. */
const MOST = 400 * 86_400;
/** Seconds that may pass in a test unnoticed, and by which a store may keep an earlier deadline. */
const SLACK = 5;

/** Seconds from now, of milliseconds since 1970. */
const from = (stage: Stage, time: number | Date | null | undefined) => (Number(time) - stage.now()) / 1000;

function isAbout(seconds: number, expected: number, what?: string): void {
  assert.ok(Math.abs(seconds - expected) <= SLACK, `${what ?? ''} ${seconds} s, expected ${expected} s`);
}

/** Seconds that the store gives the record of this visitor. */
async function left(stage: Stage, visitor: Visitor): Promise<number> {
  const key = (visitor.sessions as ServerSideSessionInterface).storeKey(visitor.cookie ?? '');
  return from(stage, (await stage.store.read(key))?.expiresAt);
}

/** Seconds that a cookie lives; undefined when it ends with the browser's session. */
function cookieLeft(stage: Stage, setCookie: string | undefined): number | undefined {
  const expires = /; Expires=([^;]+)/.exec(setCookie ?? assert.fail('no cookie was sent'))?.[1];
  return expires === undefined ? undefined : from(stage, Date.parse(expires));
}

async function signedIn(visitor: Visitor, expiry?: Expiry | null): Promise<string | undefined> {
  const { effects } = await visitor.visit((s) => {
    s.set('user', 'ann');
    if (expiry !== undefined) s.setExpiry(expiry);
  });
  return effects.setCookie;
}

const user = async (visitor: Visitor) => (await visitor.visit((s) => s.get('user'))).value;

export const expiry: SessionTest[] = [
  [
    'an own idle time, in seconds or in parts, is that of the record, the cookie and expiresAt',
    async (stage) => {
      const expected: [Expiry | null | undefined, number][] = [
        [undefined, MINUTE],
        [null, MINUTE],
        [10, 10],
        [90.5, 90.5],
        [{ minutes: 2, seconds: 30 }, 150],
        [{ days: 400 }, MOST],
        [{ days: 500 }, MOST],
        [new Date(stage.now() + 30_000), 30],
      ];
      for (const [value, seconds] of expected) {
        const visitor = stage.visitor({ idleTimeout: MINUTE, absoluteTimeout: false });
        isAbout(cookieLeft(stage, await signedIn(visitor, value)) ?? Number.NaN, seconds, 'cookie');
        isAbout(await left(stage, visitor), seconds, 'record');
        const { value: at } = await visitor.visit((s) => s.expiresAt);
        isAbout(from(stage, at), seconds, 'expiresAt');
      }
    },
  ],
  [
    'an own end may come sooner or later than the idle timeout, and can be taken back',
    async (stage) => {
      const visitors = [3, { seconds: 30 }, 3].map(async (value) => {
        const visitor = stage.visitor({ idleTimeout: 6 });
        await signedIn(visitor, value);
        return visitor;
      });
      const [short, long, reset] = (await Promise.all(visitors)) as [Visitor, Visitor, Visitor];
      await reset.visit((s) => s.setExpiry(null));
      await stage.pass(3.1);
      assert.equal(await user(short), undefined);
      assert.equal(await user(reset), 'ann');
      await stage.pass(6.1);
      assert.equal(await user(long), 'ann');
      assert.equal(await user(reset), undefined);
    },
  ],
  [
    'reading moves an own idle time, and does not move an own date',
    async (stage) => {
      const idle = stage.visitor({ idleTimeout: MINUTE });
      const dated = stage.visitor({ idleTimeout: MINUTE });
      await signedIn(idle, 5);
      await signedIn(dated, new Date(stage.now() + 6500));
      for (let i = 0; i < 2; i++) {
        await stage.pass(2);
        assert.deepEqual([await user(idle), await user(dated)], ['ann', 'ann']);
      }
      await stage.pass(2.6);
      assert.deepEqual([await user(idle), await user(dated)], ['ann', undefined]);
      await stage.pass(5.1);
      assert.equal(await user(idle), undefined);
    },
  ],
  [
    'whether the cookie ends with the browser: the option, 0, an own end, and back to the option',
    async (stage) => {
      for (const permanent of [true, false]) {
        const dated = async (...values: (Expiry | null)[]) => {
          const { effects, value } = await stage.visitor({ permanent, idleTimeout: MINUTE }).visit((s) => {
            s.set('user', 'ann');
            for (const value of values) s.setExpiry(value);
            return s.permanent;
          });
          assert.equal(cookieLeft(stage, effects.setCookie) !== undefined, value);
          return value;
        };
        assert.equal(await dated(), permanent);
        assert.equal(await dated(0), false);
        assert.equal(await dated(10), true);
        assert.equal(await dated(new Date(stage.now() + 10_000)), true);
        assert.equal(await dated(10, 0), false);
        assert.equal(await dated(10, null), permanent);
        assert.equal(await dated(0, null), permanent);
      }
    },
  ],
  [
    'with 0 the record stays for the idle timeout, and a later request changes the cookie',
    async (stage) => {
      const visitor = stage.visitor({ idleTimeout: MINUTE });
      await signedIn(visitor, 10);
      const browser = await visitor.visit((s) => s.setExpiry(0));
      assert.equal(cookieLeft(stage, browser.effects.setCookie), undefined);
      isAbout(await left(stage, visitor), MINUTE);
      const saved = await visitor.visit(async (s) => {
        s.setExpiry(20);
        await s.save();
      });
      isAbout(cookieLeft(stage, saved.effects.setCookie) ?? Number.NaN, 20);
      isAbout(await left(stage, visitor), 20);
    },
  ],
  [
    'an end that has passed ends the session with the request that set it',
    async (stage) => {
      for (const past of [new Date(stage.now() - 1000), new Date(0), -1, { hours: -1 }]) {
        const visitor = stage.visitor();
        await signedIn(visitor);
        const old = visitor.twin();
        const { effects } = await visitor.visit((s) => s.setExpiry(past));
        assert.match(effects.setCookie ?? '', /Max-Age=0/);
        assert.ok(Number.isNaN(await left(stage, old)));
        assert.equal(await user(old), undefined);
        const never = stage.visitor();
        await signedIn(never, past);
        assert.equal(never.cookie, undefined);
      }
    },
  ],
  [
    'an end that has passed never loads, whatever deadline the store has',
    async (stage) => {
      const visitor = stage.visitor();
      await signedIn(visitor, new Date(stage.now() + 3000));
      const key = (visitor.sessions as ServerSideSessionInterface).storeKey(visitor.cookie as string);
      assert.equal(await stage.store.touch(key, stage.now() + MINUTE * 1000), true);
      await stage.pass(3.1);
      assert.equal(await user(visitor), undefined);
      assert.deepEqual(
        stage.events.map((event) => event.type === 'not-resumed' && event.reason),
        [false, 'expired'],
      );
      assert.equal(await stage.store.read(key), undefined);
    },
  ],
  [
    'a deadline that somebody else moved beyond an own idle time is moved back by reading',
    async (stage) => {
      const visitor = stage.visitor();
      await signedIn(visitor, 10);
      const key = (visitor.sessions as ServerSideSessionInterface).storeKey(visitor.cookie as string);
      await stage.store.touch(key, stage.now() + YEAR * 1000);
      await user(visitor);
      isAbout(await left(stage, visitor), 10);
    },
  ],
  [
    'a write at the same time keeps the end that another request set',
    async (stage) => {
      const visitor = stage.visitor({ idleTimeout: MINUTE });
      await signedIn(visitor);
      await visitor.twin().visit(async (s) => {
        s.set('a', 1);
        await visitor.twin().visit((t) => t.setExpiry(10));
      });
      isAbout(await left(stage, visitor), 10);
      assert.equal((await visitor.visit((s) => s.get('a'))).value, 1);
    },
  ],
  [
    'regenerate keeps an own end; clear and destroy do not',
    async (stage) => {
      const after = async (change: (s: Session) => unknown) => {
        const visitor = stage.visitor({ idleTimeout: MINUTE });
        await signedIn(visitor, 10);
        await visitor.visit((s) => {
          change(s);
          s.set('b', 1);
        });
        const { value } = await visitor.visit((s) => [from(stage, s.expiresAt), s.permanent] as const);
        assert.equal(value[1], true);
        isAbout(await left(stage, visitor), value[0]);
        return value[0];
      };
      isAbout(await after((s) => s.regenerate()), 10);
      isAbout(await after((s) => s.clear()), MINUTE);
      isAbout(await after((s) => s.destroy()), MINUTE);
    },
  ],
  [
    'the absolute timeout comes before an own end',
    async (stage) => {
      for (const late of [YEAR, new Date(stage.now() + YEAR * 1000)]) {
        const visitor = stage.visitor({ absoluteTimeout: 20 });
        isAbout(cookieLeft(stage, await signedIn(visitor, late)) ?? Number.NaN, 20);
        isAbout(await left(stage, visitor), 20);
        isAbout(from(stage, (await visitor.visit((s) => s.expiresAt)).value), 20);
      }
    },
  ],
  [
    'an own end alone is no session',
    async (stage) => {
      const visitor = stage.visitor();
      await visitor.visit((s) => s.setExpiry(10));
      assert.equal(visitor.cookie, undefined);
    },
  ],
  [
    'a value that is no end is refused, and changes nothing',
    async (stage) => {
      const values = ['60', Number.NaN, Number.POSITIVE_INFINITY, 1e300, {}, { years: 1 }, [], true, 60n];
      await stage.visitor().visit((s) => {
        for (const value of [...values, new Date(Number.NaN), new Date(8.64e15)]) {
          assert.throws(() => s.setExpiry(value as Expiry), /session\.setExpiry: expected/);
        }
        assert.equal(s.modified, false);
      });
    },
  ],
  [
    'what stands in the place of an own end and is none counts as nothing; a far one holds for 400 days',
    async (stage) => {
      const none = [0, -1, true, null, '', '60', 'x'.repeat(1e4), [10], { idle: 10 }, '2024-01-01', 1e300, 2.5e11 + 1];
      const dates = ['2024-13-01T00:00:00.000Z', '2024-01-01T00:00:00.000z', '+012024-01-01T00:00:00.000Z'];
      for (const value of [...none, ...dates]) {
        const visitor = stage.visitor({ idleTimeout: MINUTE });
        await visitor.visit((s) => void s.set(EXPIRY, value).set('user', 'ann'));
        isAbout(await left(stage, visitor), MINUTE, String(value).slice(0, 30));
        assert.equal(await user(visitor), 'ann');
        isAbout(from(stage, (await visitor.visit((s) => s.expiresAt)).value), MINUTE);
      }
      for (const value of [2.5e11, '9999-12-31T23:59:59.999Z']) {
        const visitor = stage.visitor({ absoluteTimeout: false });
        await visitor.visit((s) => void s.set(EXPIRY, value).set('user', 'ann'));
        assert.equal(await user(visitor), 'ann');
        isAbout(await left(stage, visitor), MOST);
      }
    },
  ],
];
