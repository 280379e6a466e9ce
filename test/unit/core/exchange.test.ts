import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SessionExchange } from '../../../src/core/exchange.ts';
import { createSessionInterface, type SessionOptions } from '../../../src/core/options.ts';
import type { Session } from '../../../src/core/session.ts';
import type { SessionStore } from '../../../src/core/store.ts';
import { MemoryStore } from '../../../src/stores/memory.ts';
import { Visitor } from '../../../src/testing/visitor.ts';

/** A store that answers after a while, as a server does. */
function later(memory = new MemoryStore()): SessionStore {
  const wait = () => pause(4);
  return {
    name: 'later',
    read: (...args) => wait().then(() => memory.read(...args)),
    write: (...args) => wait().then(() => memory.write(...args)),
    touch: (...args) => wait().then(() => memory.touch(...args)),
    delete: (...args) => wait().then(() => memory.delete(...args)),
  };
}

async function signedIn(options: SessionOptions): Promise<Visitor> {
  const visitor = new Visitor(createSessionInterface(options));
  await visitor.visit((session) => void session.set('a', 1));
  return visitor;
}

/** A request whose response has begun. */
async function begun(visitor: Visitor, use: (session: Session) => unknown = (session) => session.get('a')) {
  const exchange = new SessionExchange(visitor.sessions, { cookie: `session=${visitor.cookie}`, secure: true });
  await exchange.open();
  use(exchange.session);
  await exchange.save();
  return exchange;
}

const increment = (session: Session) => session.update<number>('n', (n) => (n ?? 0) + 1);

describe.each(['secure', 'flask'] as const)('%s profile', (profile) => {
  it('a save that nobody awaits counts an update once, and loses nothing that follows', async () => {
    const visitor = await signedIn({ store: later(), profile });
    await visitor.visit((session) => {
      increment(session);
      void session.save();
      session.set('x', 1);
    });
    const { value } = await visitor.visit((session) => session.toJSON());
    expect(value).toMatchObject({ a: 1, n: 1, x: 1 });
  });

  it('changes after the headers are saved once each, also while another is being saved', async () => {
    const visitor = await signedIn({ store: later(), profile });
    const exchange = await begun(visitor);
    for (let i = 0; i < 5; i++) {
      increment(exchange.session);
      await pause(2);
    }
    await exchange.finish();
    expect((await visitor.visit((session) => session.get('n'))).value).toBe(5);
  });

  it('changes after the end of the response are saved, too', async () => {
    const visitor = await signedIn({ store: later(), profile });
    const exchange = await begun(visitor);
    await exchange.finish();
    exchange.session.set('after', 'the end');
    await expect
      .poll(async () => (await visitor.twin().visit((session) => session.get('after'))).value)
      .toBe('the end');
  });

  it('a late change that cannot be saved is an event', async () => {
    const events: string[] = [];
    const store = later();
    const visitor = await signedIn({ store, profile, onEvent: (event) => events.push(event.type) });
    const exchange = await begun(visitor);
    store.write = () => Promise.reject(new Error('down'));
    exchange.session.set('late', 1);
    await exchange.finish();
    expect(events).toContain('late-save-failed');
  });

  it('reload takes back a regenerate that was not saved', async () => {
    const visitor = await signedIn({ store: new MemoryStore(), profile });
    await visitor.visit(async (session) => {
      session.regenerate();
      await session.reload();
      expect(session.get('a')).toBe(1);
      session.set('b', 2);
    });
    expect((await visitor.visit((session) => session.toJSON())).value).toMatchObject({ a: 1, b: 2 });
  });

  it('during an outage under the policy to go on, nothing looks as if it had worked', async () => {
    const store = later();
    const visitor = await signedIn({ store, profile, onStoreError: 'null-session' });
    store.read = () => Promise.reject(new Error('down'));
    await visitor.visit((session) => {
      expect(session.get('a')).toBeUndefined();
      for (const write of [
        () => session.destroy(),
        () => session.regenerate(),
        () => session.set('a', 2),
        () => session.clear(),
      ]) {
        expect(write).toThrow(expect.objectContaining({ code: 'ERR_SESSION_READ_ONLY' }));
      }
    });
    expect(visitor.cookie).toBeDefined();
  });

  it('a lazy session says that it was not read, and is readable once it was', async () => {
    const visitor = await signedIn({ store: later(), profile, lazy: true });
    await visitor.visit(async (session) => {
      expect(() => session.get('a')).toThrow(expect.objectContaining({ code: 'ERR_SESSION_NOT_LOADED' }));
      expect(() => session.set('b', 1)).toThrow(expect.objectContaining({ code: 'ERR_SESSION_NOT_LOADED' }));
      await session.load();
      expect(session.get('a')).toBe(1);
      session.set('b', 2);
    });
    expect((await visitor.visit(async (session) => (await session.load()).get('b'))).value).toBe(2);
  });
});

describe('store commands', () => {
  function counted(synchronous: boolean) {
    const memory = new MemoryStore();
    const commands: string[] = [];
    const count =
      <A extends unknown[], R>(verb: string, run: (...args: A) => R) =>
      (...args: A): R => {
        commands.push(verb);
        return run.apply(memory, args);
      };
    const store: SessionStore = {
      name: 'counted',
      synchronous,
      read: count('read', memory.read),
      write: count('write', memory.write),
      touch: count('touch', memory.touch),
      delete: count('delete', memory.delete),
    };
    return { store, commands };
  }

  it.each([
    ['synchronous', { synchronous: true, lazy: false }],
    ['lazy', { synchronous: false, lazy: true }],
  ])('none for anonymous and untouched requests, one for a read: %s', async (_name, { synchronous, lazy }) => {
    const { store, commands } = counted(synchronous);
    const visitor = new Visitor(createSessionInterface({ store, lazy }));
    await visitor.visit(() => {});
    await visitor.visit(async (session) => (await session.load()).get('a'));
    expect(commands).toEqual([]);
    await visitor.visit((session) => void session.set('a', 1));
    expect(commands.splice(0)).toEqual(['write']);
    await visitor.visit(() => {});
    expect(commands).toEqual([]);
    await visitor.visit(async (session) => (await session.load()).get('a'));
    expect(commands.splice(0)).toEqual(['read']);
    await visitor.visit(async (session) => void (await session.load()).set('a', 2));
    expect(commands).toEqual(['read', 'write']);
  });

  it('an untouched request costs nothing but the read where the store answers late', async () => {
    const { store, commands } = counted(false);
    const visitor = new Visitor(createSessionInterface({ store }));
    await visitor.visit((session) => void session.set('a', 1));
    commands.splice(0);
    await visitor.visit(() => {});
    expect(commands).toEqual(['read']);
  });

  it('Flask’s refresh is a touch, never a write', async () => {
    const { store, commands } = counted(true);
    const visitor = new Visitor(createSessionInterface({ store, profile: 'flask' }));
    await visitor.visit((session) => void session.set('a', 1));
    commands.splice(0);
    await visitor.visit(() => {});
    expect(commands).toEqual(['read', 'touch']);
  });
});

describe('req.session = value', () => {
  it.each([null, undefined])('%s ends the session, used or not', async (value) => {
    for (const use of [true, false]) {
      const visitor = await signedIn({ store: new MemoryStore() });
      const exchange = new SessionExchange(visitor.sessions, { cookie: `session=${visitor.cookie}`, secure: true });
      if (use) exchange.session.get('a');
      exchange.replace(value);
      expect((await exchange.save()).setCookie).toMatch(/Max-Age=0/);
      expect(exchange.current).toBe(value);
    }
  });

  it('anything else fails the save', async () => {
    const exchange = new SessionExchange(createSessionInterface({ store: new MemoryStore() }), {
      cookie: undefined,
      secure: true,
    });
    exchange.replace({ user: 'ann' });
    expect(() => exchange.save()).toThrow(/session\.assign/);
  });
});

describe('cookies', () => {
  it('a deletion reaches a cookie with SameSite=None, also in a frame', async () => {
    const visitor = await signedIn({
      store: new MemoryStore(),
      profile: 'flask',
      cookie: { sameSite: 'None', secure: true },
    });
    const { effects } = await visitor.visit((session) => session.clear());
    expect(effects.setCookie).toMatch(/; Secure; Path=\/; SameSite=None$/);
  });

  it('a name outside of ASCII is found again as browsers send it back', async () => {
    const sessions = createSessionInterface({ store: new MemoryStore(), profile: 'flask', cookie: { name: 'séance' } });
    const first = new SessionExchange(sessions, { cookie: undefined, secure: false });
    first.session.set('a', 1);
    const [pair] = ((await first.save()).setCookie as string).split(';') as [string];
    const second = new SessionExchange(sessions, { cookie: pair, secure: false });
    expect(second.session.get('a')).toBe(1);
  });
});
