/**
 * What went wrong in other session libraries, by the advisory's number: each must not happen here. Those about signatures,
 * seals and cookie text are tested beside their code (test/unit/codecs, test/unit/core); those about `Vary` and caching
 * over HTTP (test/adapters).
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  createSessionInterface,
  type ServerSideSessionInterface,
  type SessionEvent,
  type SessionOptions,
} from '../src/index.ts';
import { FilesystemStore } from '../src/stores/filesystem.ts';
import { MemoryStore } from '../src/stores/memory.ts';
import { Visitor } from '../src/testing/visitor.ts';
import { loadVectors } from './vectors/load.ts';

const secretKey = 'a secret of at least thirty-two bytes';

/** A store that remembers what it was asked. */
function observed() {
  const store = new MemoryStore();
  const keys: string[] = [];
  const watch =
    <A extends [string, ...unknown[]], R>(verb: (...args: A) => R) =>
    (...args: A): R => {
      keys.push(args[0]);
      return verb.apply(store, args);
    };
  return {
    keys,
    store,
    watched: {
      name: 'memory',
      synchronous: true,
      read: watch(store.read),
      write: watch(store.write),
      touch: watch(store.touch),
      delete: watch(store.delete),
    },
  };
}

function visitor(options: SessionOptions = {}) {
  const events: SessionEvent[] = [];
  const sessions = createSessionInterface({
    store: new MemoryStore(),
    onEvent: (event) => events.push(event),
    ...options,
  });
  return { visitor: new Visitor(sessions), events, sessions };
}

describe('the store', () => {
  it('CVE-2019-16782, CVE-2019-25025: its keys do not contain the id, so that neither a dump nor timing a look-up gives one away', async () => {
    const { keys, watched } = observed();
    const one = visitor({ store: watched }).visitor;
    await one.visit((session) => void session.set('a', 1));
    await one.visit((session) => session.get('a'));
    expect(keys.length).toBeGreaterThan(1);
    for (const key of keys) expect(key).not.toContain(one.cookie);
  });

  it('CVE-2025-46336: a save after the logout does not bring the session back', async () => {
    const { visitor: one } = visitor();
    await one.visit((session) => void session.set('user', 'ann'));
    const other = one.twin();
    await one.twin().visit(async (session) => {
      session.set('late', 1);
      await other.visit((same) => same.destroy());
      await session.save();
    });
    expect((await one.visit((session) => session.size)).value).toBeLessThan(2);
    expect((await one.visit((session) => session.has('user'))).value).toBe(false);
  });

  it('CVE-2015-5143, CVE-2015-5963: junk ids leave no record', async () => {
    const { store, watched } = observed();
    let writes = 0;
    const write = watched.write;
    watched.write = (...args) => {
      writes++;
      return write(...args);
    };
    for (let i = 0; i < 50; i++) {
      const one = visitor({ store: watched }).visitor;
      one.cookie = `junk-${i}-${'x'.repeat(30)}`;
      await one.visit((session) => session.get('a'));
      await one.visit((session) => void session.clear());
    }
    expect(writes).toBe(0);
    expect(await store.sweep?.(1000)).toBe(0);
  });

  it('CVE-2020-9484, CVE-2025-24813, CVE-2021-33026, CVE-2018-15133: no record can make code run', async () => {
    for (const vector of loadVectors<{ name: string; pickle_hex: string; class: string }>('hostile_pickle').vectors) {
      if (vector.class !== 'code-execution') continue;
      const store = new MemoryStore();
      const { visitor: one, sessions, events } = visitor({ store });
      await one.visit((session) => void session.set('a', 1));
      const key = (sessions as ServerSideSessionInterface).storeKey(one.cookie as string);
      store.write(key, Buffer.from(vector.pickle_hex, 'hex'), Date.now() + 60_000, store.read(key)?.bytes);
      const { value } = await one.visit((session) => [session.isNew, session.get('a')]);
      expect(value, vector.name).toEqual([true, undefined]);
      expect(events, vector.name).toContainEqual(
        expect.objectContaining({ type: 'not-resumed', reason: 'undecodable' }),
      );
    }
  });

  it('CVE-2025-61686, GO-2024-2730: an id is never a path', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'flacon-advisory-'));
    try {
      const inside = join(directory, 'sessions');
      const { visitor: one } = visitor({
        store: new FilesystemStore({ directory: inside }),
        profile: 'flask',
        format: 'pickle',
      });
      for (const cookie of [
        '../../outside-outside',
        '..%2F..%2Foutside',
        '/etc/passwd-passwd',
        'C:\\\\windows\\\\temp',
        'a\0b\0c\0d\0e',
      ]) {
        one.cookie = cookie;
        await one.visit((session) => void session.set('a', 1));
      }
      expect(await readdir(directory)).toEqual(['sessions']);
      for (const file of await readdir(inside)) expect(file).toMatch(/^[0-9a-f]{64}$/);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describe('the id', () => {
  it('CVE-2022-25896: changes at login with regenerate, and the one that an attacker planted is dead', async () => {
    const { visitor: victim } = visitor();
    await victim.visit((session) => void session.set('cart', [1]));
    const attacker = victim.twin();
    await victim.visit((session) => {
      session.regenerate();
      session.set('user', 'ann');
    });
    expect(victim.cookie).not.toBe(attacker.cookie);
    expect((await attacker.visit((session) => [session.get('user'), session.get('cart')])).value).toEqual([
      undefined,
      undefined,
    ]);
    expect((await victim.visit((session) => [session.get('user'), session.get('cart')])).value).toEqual(['ann', [1]]);
  });

  it('CVE-2011-4718: is never adopted from the client', async () => {
    const { visitor: one } = visitor();
    one.cookie = 'chosen-by-the-attacker-0123456789';
    await one.visit((session) => void session.set('user', 'ann'));
    expect(one.cookie).not.toBe('chosen-by-the-attacker-0123456789');
  });

  it('CVE-2023-20866: is in no event, no error and no inspection', async () => {
    let now = Date.now();
    const failing = { ...observed().watched, touch: () => Promise.reject(new Error('boom')) };
    const { visitor: one, events } = visitor({ store: failing, refresh: 0, now: () => now });
    await one.visit((session) => void session.set('a', 1));
    const id = one.cookie as string;
    now += 1000;
    let shown = '';
    const error = await one
      .visit((session) => {
        shown = inspect(session, { depth: 10, showHidden: true }) + JSON.stringify(session) + String(session);
        session.get('a');
      })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ERR_SESSION_STORE' });
    const everything = shown + inspect(error, { depth: 10 }) + inspect(events, { depth: 10 });
    expect(everything).toContain('boom');
    expect(everything).not.toContain(id);
  });
});

describe('the cookie session', () => {
  it('CVE-2024-31999: ends on the server’s clock, whatever the browser keeps, and however often it is used', async () => {
    let now = Date.now();
    const { visitor: one, events } = visitor({
      store: 'cookie',
      secretKey,
      idleTimeout: 100,
      absoluteTimeout: 250,
      now: () => now,
    });
    await one.visit((session) => void session.set('user', 'ann'));
    const old = one.twin();
    for (let i = 0; i < 3; i++) {
      now += 80_000;
      expect((await one.visit((session) => session.get('user'))).value).toBe('ann');
    }
    now += 20_000;
    expect((await one.visit((session) => session.get('user'))).value).toBeUndefined();
    expect((await old.visit((session) => session.get('user'))).value).toBeUndefined();
    expect(events.filter((event) => event.type === 'not-resumed')).toEqual([
      expect.objectContaining({ reason: 'expired' }),
      expect.objectContaining({ reason: 'expired' }),
    ]);
  });

  it('GHSA-q5pr-72pq-83v3: one cookie is one session; numbered pieces mean nothing', async () => {
    const sessions = createSessionInterface({ store: 'cookie', secretKey });
    const cookie = Array.from({ length: 300 }, (_, i) => `session.${i}=x`).join('; ');
    const session = await sessions.openSession({ cookie: `${cookie}; session.999999999=x`, secure: true });
    expect([session?.isNew, session?.size]).toEqual([true, 1]);
  });

  it('CVE-2023-27524: a short secret is refused at start', () => {
    for (const weak of ['', 'dev', 'secret', 'keyboard cat', 'CHANGE_ME_TO_A_COMPLEX_RANDOM', 'x'.repeat(31)]) {
      expect(() => createSessionInterface({ store: 'cookie', secretKey: weak })).toThrow(
        expect.objectContaining({ option: 'secretKey' }),
      );
    }
  });

  it('a text as fallbacks, which Flask takes for a list of one-character keys, is refused', () => {
    expect(() =>
      createSessionInterface({ store: 'cookie', profile: 'flask', secretKey, secretKeyFallbacks: 'old' as never }),
    ).toThrow(expect.objectContaining({ option: 'secretKeyFallbacks' }));
  });

  it('what an old key sealed is opened, and sealed again with the new one', async () => {
    const { visitor: one } = visitor({ store: 'cookie', secretKey });
    await one.visit((session) => void session.set('user', 'ann'));
    const newKey = 'another secret, and of the same length';
    const rotated = new Visitor(
      createSessionInterface({ store: 'cookie', secretKey: newKey, secretKeyFallbacks: [secretKey] }),
      one.cookie,
    );
    expect((await rotated.visit((session) => session.get('user'))).value).toBe('ann');
    const alone = new Visitor(createSessionInterface({ store: 'cookie', secretKey: newKey }), rotated.cookie);
    expect((await alone.visit((session) => session.get('user'))).value).toBe('ann');
  });
});

describe('saving', () => {
  it('CVE-2024-35220: reading a session does not move its end beyond the absolute one', async () => {
    let now = Date.now();
    const store = new MemoryStore({ now: () => now });
    const { visitor: one } = visitor({ store, idleTimeout: 100, absoluteTimeout: 250, now: () => now });
    await one.visit((session) => void session.set('a', 1));
    for (let i = 0; i < 3; i++) {
      now += 80_000;
      expect((await one.visit((session) => session.get('a'))).value).toBe(1);
    }
    now += 10_000;
    expect((await one.visit((session) => session.get('a'))).value).toBeUndefined();
  });

  it('CVE-2023-20862: a session that was emptied is saved as such', async () => {
    for (const empty of ['clear', 'pop', 'delete'] as const) {
      const { visitor: one } = visitor();
      await one.visit((session) => void session.set('user', 'ann'));
      const old = one.twin();
      await one.visit((session) => (empty === 'clear' ? session.clear() : session[empty]('user')));
      expect((await old.visit((session) => session.get('user'))).value).toBeUndefined();
    }
  });

  it.each(['memory', 'cookie'] as const)('CVE-2023-26136: `__proto__` is a key, in %s', async (kind) => {
    const { visitor: one } = visitor(kind === 'cookie' ? { store: 'cookie', secretKey } : {});
    await one.visit((session) => {
      session.set('__proto__', { polluted: 1 });
      session.assign(JSON.parse('{"constructor":{"prototype":{"polluted":2}},"deep":{"__proto__":{"polluted":3}}}'));
    });
    const { value } = await one.visit((session) => [
      session.get('__proto__'),
      Object.keys(session.get<object>('deep') ?? {}),
    ]);
    expect(value).toEqual([{ polluted: 1 }, ['__proto__']]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
