import { createSessionInterface, type Session, type SessionEvent, type SessionOptions } from 'flacon';
import { flaskConfig } from 'flacon/flask';
import { describe, expect, it } from 'vitest';
import { EXPIRY, type Expiry } from '../../../src/core/expiry.ts';
import { MemoryStore } from '../../../src/stores/memory.ts';
import { Visitor } from '../../../src/testing/visitor.ts';

const START = Date.UTC(2024, 2, 1, 9, 5, 7, 900);
const SECRET_KEY = 'a secret that is long enough to seal';
const MINUTE = 60;
const DAY = 86_400;

/** A browser at sessions in cookies, and a clock. */
class Stage {
  now = START;
  readonly events: SessionEvent[] = [];
  readonly #options: SessionOptions;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  visitor(more: SessionOptions = {}): Visitor {
    const own = { now: () => this.now, onEvent: (event: SessionEvent) => this.events.push(event) };
    return new Visitor(createSessionInterface({ ...this.#options, ...own, ...more }));
  }

  async signedIn(expiry?: Expiry | null, more?: SessionOptions): Promise<Visitor> {
    const visitor = this.visitor(more);
    await visitor.visit((s) => {
      s.set('user', 'ann');
      if (expiry !== undefined) s.setExpiry(expiry);
    });
    return visitor;
  }

  pass(seconds: number): void {
    this.now += seconds * 1000;
  }

  get reasons(): string[] {
    return this.events.flatMap((event) => (event.type === 'not-resumed' ? [event.reason] : []));
  }
}

const user = async (visitor: Visitor) => (await visitor.visit((s) => s.get('user'))).value;
const expires = (setCookie: string | undefined) => /; Expires=([^;]+)/.exec(setCookie ?? 'no cookie was sent')?.[1];
const http = (time: number) => new Date(time).toUTCString();

describe.each([
  ['sealed', { store: 'cookie', secretKey: SECRET_KEY, idleTimeout: DAY }],
  ['Flask’s', flaskConfig({ SECRET_KEY, PERMANENT_SESSION_LIFETIME: { days: 1 } })],
] as [string, SessionOptions][])('the own end of a session in a cookie, %s', (name, options) => {
  const flask = name !== 'sealed';

  it('sooner than the lifetime, in seconds from the last use', async () => {
    const stage = new Stage(options);
    const visitor = await stage.signedIn(10);
    for (let i = 0; i < 3; i++) {
      stage.pass(9);
      expect(await user(visitor)).toBe('ann');
    }
    const copy = visitor.twin();
    stage.pass(12);
    expect(await user(copy)).toBeUndefined();
    expect(stage.reasons).toEqual(['expired']);
  });

  it('is never sooner than it says, whatever part of a second the clock stands at', async () => {
    for (const seconds of [0.25, 1, 1.5]) {
      const stage = new Stage(options);
      const visitor = await stage.signedIn(seconds);
      stage.pass(seconds);
      expect(await user(visitor), `${seconds} s`).toBe('ann');
      stage.pass(seconds + 2);
      expect(await user(visitor), `${seconds} s`).toBeUndefined();
    }
  });

  it('later than the lifetime', async () => {
    const stage = new Stage(options);
    const visitor = await stage.signedIn({ days: 20 });
    const plain = await stage.signedIn();
    stage.pass(19 * DAY);
    expect(await user(visitor)).toBe('ann');
    expect(await user(plain)).toBeUndefined();
  });

  it('a date, used or not', async () => {
    for (const days of [0.5, 20]) {
      const stage = new Stage(options);
      const visitor = await stage.signedIn(new Date(START + days * DAY * 1000));
      stage.pass(days * DAY - 0.001);
      const { value, effects } = await visitor.visit((s) => [s.get('user'), s.expiresAt] as const);
      expect(value).toEqual(['ann', new Date(START + days * DAY * 1000)]);
      if (flask) expect(expires(effects.setCookie)).toBe(http(START + days * DAY * 1000));
      else expect(effects.setCookie).toBeUndefined();
      stage.pass(0.001);
      expect(await user(visitor)).toBeUndefined();
      expect(stage.reasons).toEqual(['expired']);
    }
  });

  it('is the cookie’s, and shown', async () => {
    const stage = new Stage(options);
    const cases: [Expiry, number][] = [
      [10, 10],
      [90.5, 90.5],
      [{ hours: 1, minutes: 1 }, 61 * MINUTE],
      [new Date(START + 5000), 5],
    ];
    for (const [value, seconds] of cases) {
      const { effects, value: at } = await stage.visitor().visit((s) => {
        s.set('user', 'ann');
        s.setExpiry(value);
        return [s.expiresAt, s.permanent];
      });
      expect(at).toEqual([new Date(START + seconds * 1000), true]);
      expect(expires(effects.setCookie)).toBe(http(START + seconds * 1000));
    }
  });

  it('0: with the browser; null: as the interface has it', async () => {
    const stage = new Stage(options);
    const cookie = async (...values: (Expiry | null)[]) => {
      const { effects } = await stage.visitor().visit((s) => {
        s.set('user', 'ann');
        for (const value of values) s.setExpiry(value);
      });
      return expires(effects.setCookie);
    };
    // Flask's own sessions are permanent when a handler says so, and not before.
    const own = flask ? undefined : http(START + DAY * 1000);
    expect(await cookie()).toBe(own);
    expect(await cookie(0)).toBeUndefined();
    expect(await cookie(10, 0)).toBeUndefined();
    expect(await cookie(0, 10)).toBe(http(START + 10_000));
    expect(await cookie(10, null)).toBe(own);
    expect(await cookie(0, null)).toBe(own);
    const visitor = await stage.signedIn(10);
    await visitor.visit((s) => s.setExpiry(null));
    stage.pass(DAY - 1);
    expect(await user(visitor)).toBe('ann');
  });

  it('in the past ends the session with this request', async () => {
    const stage = new Stage(options);
    for (const past of [-1, new Date(START), new Date(0), new Date(-8.64e15)]) {
      const visitor = await stage.signedIn();
      const { effects } = await visitor.visit((s) => s.setExpiry(past));
      expect(effects.setCookie).toContain('Max-Age=0');
      expect((await stage.signedIn(past)).cookie).toBeUndefined();
    }
    expect(stage.events.filter(({ type }) => type === 'destroyed')).toHaveLength(8);
  });

  it('passing while the request is served ends it, too', async () => {
    const stage = new Stage(options);
    const visitor = await stage.signedIn(new Date(START + 1000));
    const { effects } = await visitor.visit((s) => {
      s.set('a', 1);
      stage.pass(2);
    });
    expect(effects.setCookie).toContain('Max-Age=0');
  });

  it('goes with clear and destroy', async () => {
    const stage = new Stage(options);
    for (const end of [(s: Session) => s.clear(), (s: Session) => s.destroy()]) {
      const visitor = await stage.signedIn(10);
      const { value, effects } = await visitor.visit((s) => {
        end(s);
        s.set('b', 1);
        return [s.has(EXPIRY), s.expiresAt, s.permanent];
      });
      expect(value).toEqual([false, new Date(START + DAY * 1000), !flask]);
      expect(expires(effects.setCookie)).toBe(flask ? undefined : http(START + DAY * 1000));
    }
  });

  it('that is none counts as nothing', async () => {
    const stage = new Stage(options);
    const values = [0, -5, true, null, 'soon', '2024-13-01T00:00:00.000Z', [1], { idle: 1 }, 1e300, 2.5e11 + 1];
    for (const value of values) {
      const visitor = stage.visitor();
      await visitor.visit((s) => void s.set(EXPIRY, value).set('user', 'ann'));
      expect((await visitor.visit((s) => [s.get('user'), s.expiresAt])).value, String(value)).toEqual([
        'ann',
        new Date(stage.now + DAY * 1000),
      ]);
    }
  });
});

it('a sealed session that is only read is sent again when a tenth of its own idle time has passed', async () => {
  const stage = new Stage({ store: 'cookie', secretKey: SECRET_KEY });
  const visitor = await stage.signedIn(100);
  stage.pass(8);
  expect((await visitor.visit((s) => s.get('user'))).effects.setCookie).toBeUndefined();
  stage.pass(8);
  const { effects } = await visitor.visit((s) => s.get('user'));
  expect(expires(effects.setCookie)).toBe(http(stage.now + 100_000));
});

it('the absolute timeout of a sealed session comes before its own end', async () => {
  const stage = new Stage({ store: 'cookie', secretKey: SECRET_KEY, absoluteTimeout: 2 * DAY });
  // The beginning of a session is kept in whole seconds.
  const end = START - (START % 1000) + 2 * DAY * 1000;
  for (const late of [{ days: 30 }, new Date(START + 30 * DAY * 1000)]) {
    stage.now = START;
    const visitor = stage.visitor();
    const { value, effects } = await visitor.visit((s) => {
      s.set('user', 'ann');
      s.setExpiry(late);
      return s.expiresAt;
    });
    expect(value).toEqual(new Date(end));
    expect(expires(effects.setCookie)).toBe(http(end));
    stage.now = end - 1;
    expect(await user(visitor)).toBe('ann');
    stage.now = end;
    expect(await user(visitor)).toBeUndefined();
  }
});

describe('the own end of a session on a store', () => {
  /** A signed-in visitor, and how often the store was asked to move a deadline. */
  const onStore = async (expiry?: Expiry) => {
    const stage: Stage = new Stage({ idleTimeout: DAY });
    const store = new MemoryStore({ now: () => stage.now });
    const touched: number[] = [];
    const touch = store.touch.bind(store);
    store.touch = (key, expiresAt) => {
      touched.push(expiresAt - stage.now);
      return touch(key, expiresAt);
    };
    return { stage, touched, visitor: await stage.signedIn(expiry, { store }) };
  };
  const read = (s: Session) => s.get('user');

  it('moves in the store and in the cookie when a tenth of it has passed', async () => {
    const { stage, touched, visitor } = await onStore(100);
    stage.pass(8);
    expect((await visitor.visit(read)).effects.setCookie).toBeUndefined();
    expect(touched).toEqual([]);
    stage.pass(8);
    expect(expires((await visitor.visit(read)).effects.setCookie)).toBe(http(stage.now + 100_000));
    expect(touched).toEqual([100_000]);
    const written = await visitor.visit((s) => void s.set('a', 1));
    expect(expires(written.effects.setCookie)).toBe(http(stage.now + 100_000));
  });

  it('a date: is neither moved nor sent again', async () => {
    const end = START + 5 * DAY * 1000;
    const { stage, touched, visitor } = await onStore(new Date(end));
    for (const use of [read, (s: Session) => void s.set('a', stage.now)]) {
      stage.pass(2 * DAY);
      const { effects, value } = await visitor.visit((s) => use(s) ?? s.expiresAt);
      expect(effects.setCookie).toBeUndefined();
      expect(value).toEqual(use === read ? 'ann' : new Date(end));
    }
    expect(touched).toEqual([]);
    stage.now = end;
    expect(await user(visitor)).toBeUndefined();
  });

  it('changed later, and saved before the response: the cookie still says so', async () => {
    const { stage, visitor } = await onStore();
    const end = new Date(START + 5 * DAY * 1000);
    for (const [expiry, shown] of [
      [end, http(end.getTime())],
      [0, undefined],
      [100, http(stage.now + 100_000)],
      [null, http(START - (START % 1000) + 30 * DAY * 1000)],
    ] as const) {
      for (const save of [false, true]) {
        const { effects } = await visitor.visit(async (s) => {
          s.setExpiry(save ? expiry : 50);
          if (save) await s.save();
        });
        expect(effects.setCookie).toContain('session=');
        if (save) expect(expires(effects.setCookie)).toBe(shown);
      }
    }
  });
});

it('of two parallel requests that set it, the one that is saved last has set all of it', async () => {
  const stage: Stage = new Stage({ store: new MemoryStore({ now: () => stage.now }) });
  const visitor = await stage.signedIn(30);
  const twin = visitor.twin();
  const { effects } = await visitor.visit(async (s) => {
    s.setExpiry(60);
    await twin.visit((other) => other.setExpiry(0));
  });
  expect(expires(effects.setCookie)).toBe(http(stage.now + 60_000));
  expect((await visitor.visit((s) => [s.permanent, s.get(EXPIRY)])).value).toEqual([true, 60]);
});

it('is an ordinary key, and a plain value, for the Flask application that shares the cookie', async () => {
  const stage = new Stage(flaskConfig({ SECRET_KEY }));
  const payload = async (expiry: Expiry) => {
    const cookie = (await stage.signedIn(expiry)).cookie ?? '';
    return JSON.parse(Buffer.from(cookie.split('.')[0] as string, 'base64url').toString());
  };
  expect(await payload(60)).toEqual({ user: 'ann', _flacon_expiry: 60, _permanent: true });
  const dated = new Date(START + 5000);
  const text = (await (await stage.signedIn(dated)).visit((s) => s.get(EXPIRY))).value;
  expect(text).toBe('2024-03-01T09:05:12.900Z');
});

it('an interface of one’s own does not have to know of it: its cookie ends with it', async () => {
  const { SessionInterface, Session } = await import('flacon');
  class Minimal extends SessionInterface {
    openSession() {
      return new Session();
    }
    saveSession(session: Session) {
      return this.setCookie('x', this.expirationTime(session), { cookie: undefined, secure: true });
    }
  }
  const visitor = new Visitor(new Minimal({ now: () => START }));
  const { value, effects } = await visitor.visit((s) => {
    s.setExpiry(10);
    return s.expiresAt;
  });
  expect(value).toBeNull();
  expect(expires(effects.setCookie)).toBe(http(START + 10_000));
});
