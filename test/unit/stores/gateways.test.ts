/** Keyv, unstorage and express-session stores: what is kept where, and what does not look like an empty place. */
import { EventEmitter } from 'node:events';
import session from 'express-session';
import { ConnectStore } from 'flacon/stores/connect';
import { KeyvStore } from 'flacon/stores/keyv';
import { UnstorageStore } from 'flacon/stores/unstorage';
import { Keyv } from 'keyv';
import { createStorage, prefixStorage } from 'unstorage';
import { describe, expect, test } from 'vitest';
import { SessionConfigError } from '../../../src/errors.ts';

const NOW = 1_900_000_000_250;
const now = () => NOW;
const record = Uint8Array.of(0x81, 0xa1, 0x61, 0x01);
const plain = (found: { bytes: Uint8Array; expiresAt: number } | undefined) =>
  found && { ...found, bytes: new Uint8Array(found.bytes) };

test.each([
  ['keyv', (given: never) => new KeyvStore({ keyv: given })],
  ['storage', (given: never) => new UnstorageStore({ storage: given })],
  ['store', (given: never) => new ConnectStore({ store: given })],
])('%s: an object of another kind is refused', (option, make) => {
  for (const given of [undefined, null, 'text', {}, { get: 1 }]) {
    let error: unknown;
    try {
      make(given as never);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SessionConfigError);
    expect((error as SessionConfigError).option).toBe(option);
  }
});

test('they say that they are not atomic', () => {
  const stores = [
    new KeyvStore({ keyv: new Keyv() }),
    new UnstorageStore({ storage: createStorage() }),
    new ConnectStore({ store: new session.MemoryStore() }),
  ];
  for (const store of stores) expect(store.atomic).toBe(false);
});

describe('keyv', () => {
  /** An adapter in memory of which every method can be made to do something else. */
  function adapter(instead: Partial<Record<'get' | 'set' | 'delete', (...args: never[]) => unknown>> = {}) {
    const items = new Map<string, unknown>();
    const calls: unknown[][] = [];
    const events = new EventEmitter();
    const store = Object.assign(events, {
      calls,
      instead,
      async get(key: string) {
        return instead.get ? instead.get() : items.get(key);
      },
      async set(key: string, value: unknown, ttl?: number) {
        calls.push([key, value, ttl]);
        return instead.set ? instead.set() : void items.set(key, value);
      },
      async delete(key: string) {
        return instead.delete ? instead.delete() : items.delete(key);
      },
      async clear() {
        items.clear();
      },
    });
    return store;
  }

  test('keeps base64 and the deadline, and lets the back end expire it', async () => {
    const place = adapter();
    const store = new KeyvStore({ keyv: new Keyv({ store: place }), now });
    expect(await store.write('session:a', record, NOW + 60_000, undefined)).toBe('written');
    const [key, value, ttl] = place.calls[0]!;
    expect(key).toBe('keyv:session:a');
    expect(JSON.parse(value as string).value).toEqual({ flacon: 'gaFhAQ==', expiresAt: NOW + 60_000 });
    expect(ttl).toBe(60_000);
  });

  test('never is never, whatever the default of the Keyv', async () => {
    const place = adapter();
    const store = new KeyvStore({ keyv: new Keyv({ store: place, ttl: 5 }), now });
    await store.write('k', record, Number.POSITIVE_INFINITY, undefined);
    expect(place.calls[0]![2]).toBeUndefined();
  });

  test('a back end that fails is an error, not an empty place', async () => {
    const fail = () => Promise.reject(new Error('out'));
    const place = adapter({ get: fail, set: fail, delete: fail });
    const store = new KeyvStore({ keyv: new Keyv({ store: place }), now });
    await expect(store.read('k')).rejects.toThrow('out');
    await expect(store.write('k', record, NOW + 1000, undefined)).rejects.toThrow('out');
    delete place.instead.get;
    await expect(store.write('k', record, NOW + 1000, undefined)).rejects.toThrow('out');
    await expect(store.delete('k')).rejects.toThrow('out');
  });

  test('nor one that reports its failure by an event and answers as if there were nothing', async () => {
    const place = adapter();
    const store = new KeyvStore({ keyv: new Keyv({ store: place }), now });
    const report = () => void place.emit('error', new Error('out'));
    place.instead.get = report;
    await expect(store.read('k')).rejects.toThrow('reported a failure');
    place.instead.get = () => undefined;
    expect(await store.read('k')).toBeUndefined();
    place.instead.set = report;
    await expect(store.write('k', record, NOW + 1000, undefined)).rejects.toThrow('reported a failure');
    place.instead.set = () => false;
    await expect(store.write('k', record, NOW + 1000, undefined)).rejects.toThrow('did not store');
  });

  test('stops listening when it is closed', () => {
    const keyv = new Keyv();
    const store = new KeyvStore({ keyv });
    expect(keyv.listeners('error')).toHaveLength(1);
    store.close();
    store.close();
    expect(keyv.listeners('error')).toHaveLength(0);
  });

  test('what the application keeps in the same Keyv is not ours, and not swept', async () => {
    const keyv = new Keyv();
    let time = NOW;
    const store = new KeyvStore({ keyv, now: () => time });
    await keyv.set('k', { expiresAt: 1, record: 'mine' });
    expect(await store.read('k')).toBeUndefined();
    await store.write('a', record, NOW + 10, undefined);
    time += 10;
    expect(await store.sweep!(10)).toBe(1);
    expect(await keyv.get('k')).toEqual({ expiresAt: 1, record: 'mine' });
  });

  test('sweeps only what can be walked through', () => {
    expect(new KeyvStore({ keyv: new Keyv({ store: adapter() }) }).sweep).toBeUndefined();
  });
});

describe('unstorage', () => {
  test('keeps a line and the bytes', async () => {
    const storage = createStorage();
    const store = new UnstorageStore({ storage, now });
    await store.write('session:a', record, NOW + 60_000, undefined);
    const item = (await storage.getItemRaw('session:a')) as Uint8Array;
    expect(Buffer.from(item).toString('latin1')).toBe(`flacon ${NOW + 60_000}\n\x81\xa1a\x01`);
    expect(plain(await store.read('session:a'))).toEqual({ bytes: record, expiresAt: NOW + 60_000 });
  });

  test('whatever class of bytes the driver answers with', async () => {
    const text = `flacon ${NOW + 1}\n\x81\xa1a\x01`;
    const item = Buffer.from(text, 'latin1');
    for (const answer of [item, new Uint8Array(item), new Uint8Array(item).buffer]) {
      const storage = { ...createStorage(), getItemRaw: async () => answer as never };
      expect(plain(await new UnstorageStore({ storage, now }).read('k'))).toEqual({
        bytes: record,
        expiresAt: NOW + 1,
      });
    }
  });

  test('none of ours is nothing; a class of which no bytes can be made is an error', async () => {
    const storage = createStorage();
    const store = new UnstorageStore({ storage, now });
    for (const other of ['text', Buffer.from('flacon soon\n'), Buffer.from('1234567890'), Buffer.alloc(0)]) {
      await storage.setItemRaw('k', other);
      expect(await store.read('k')).toBeUndefined();
      expect(await store.sweep(10)).toBe(0);
    }
    await storage.setItemRaw('k', new Blob(['x']));
    await expect(store.read('k')).rejects.toThrow(/Blob/);
  });

  test('tells drivers that expire items when to', async () => {
    const options: unknown[] = [];
    const storage = {
      ...createStorage(),
      setItemRaw: async (_key: string, _value: unknown, given?: object) => void options.push(given),
    };
    const store = new UnstorageStore({ storage, now });
    await store.write('a', record, NOW + 1500, undefined);
    await store.write('b', record, Number.POSITIVE_INFINITY, undefined);
    expect(options).toEqual([{ ttl: 2 }, {}]);
  });

  test('a part of a storage will do', async () => {
    const storage = createStorage();
    const store = new UnstorageStore({ storage: prefixStorage(storage, 'visitors'), now });
    await store.write('session:a', record, NOW + 1500, undefined);
    expect(await storage.getKeys()).toEqual(['visitors:session:a']);
    expect(plain(await store.read('session:a'))?.bytes).toEqual(record);
    expect(await store.sweep(10)).toBe(0);
  });
});

describe('connect', () => {
  test('keeps a session as express-session does, with the record as one more member', async () => {
    const memory = new session.MemoryStore() as session.MemoryStore & { sessions: Record<string, string> };
    const store = new ConnectStore({ store: memory, now });
    await store.write('session:a', record, NOW + 60_000, undefined);
    expect(JSON.parse(memory.sessions['session.3aa']!)).toEqual({
      cookie: {
        originalMaxAge: 60_000,
        maxAge: 60_000,
        expires: new Date(NOW + 60_000).toISOString(),
        httpOnly: true,
        path: '/',
      },
      flacon: 'gaFhAQ==',
      expiresAt: NOW + 60_000,
    });
  });

  test('a session of express-session itself is none of ours', async () => {
    const memory = new session.MemoryStore();
    memory.set('k', { cookie: new session.Cookie(), user: 'ann' } as never);
    expect(await new ConnectStore({ store: memory, now }).read('k')).toBeUndefined();
  });

  /** A store whose every method does this. */
  const all = (method: (...args: never[]) => unknown) => ({ get: method, set: method, destroy: method }) as never;

  test('errors come out, however they are given; a missing file is nothing', async () => {
    const last = (args: unknown[]) => args.at(-1) as (error: unknown) => void;
    const error = new Error('out');
    const missing = Object.assign(new Error('gone'), { code: 'ENOENT' });
    const callback = new ConnectStore({ store: all((...args) => last(args)(error)) });
    const promise = new ConnectStore({ store: all(() => Promise.reject(error)) });
    const thrown = new ConnectStore({
      store: all(() => {
        throw error;
      }),
    });
    for (const store of [callback, promise, thrown]) {
      await expect(store.read('k')).rejects.toThrow('out');
      await expect(store.delete('k')).rejects.toThrow('out');
    }
    expect(await new ConnectStore({ store: all((...args) => last(args)(missing)) }).read('k')).toBeUndefined();
  });

  test('a callback that never comes holds up nobody for good', async () => {
    let silent = true;
    const memory = new session.MemoryStore();
    const get = memory.get.bind(memory);
    memory.get = (sid, callback) => (silent ? undefined : get(sid, callback));
    const store = new ConnectStore({ store: memory, patience: 20 });
    await expect(store.write('k', record, Date.now() + 60_000, undefined)).rejects.toThrow(/not answered/);
    await expect(store.read('k')).rejects.toThrow(/not answered/);
    silent = false;
    expect(await store.write('k', record, Date.now() + 60_000, undefined)).toBe('written');
  });

  test('what the store reports ends no process, and nobody listens any more when it is closed', () => {
    const memory = new session.MemoryStore();
    const store = new ConnectStore({ store: memory });
    expect(() => memory.emit('error', new Error('out'))).not.toThrow();
    store.close();
    expect(memory.listenerCount('error')).toBe(0);
  });
});
