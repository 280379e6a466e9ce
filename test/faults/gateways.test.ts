/** Gateways over a server that is away, silent or cut off, and over places that hold something else. */
import { writeFileSync } from 'node:fs';
import { RedisStore as ConnectRedis } from 'connect-redis';
import { ConnectStore } from 'flacon/stores/connect';
import { KeyvStore } from 'flacon/stores/keyv';
import { UnstorageStore } from 'flacon/stores/unstorage';
import { Keyv } from 'keyv';
import { createClient } from 'redis';
import { createStorage } from 'unstorage';
import fsDriver from 'unstorage/drivers/fs';
import redisDriver from 'unstorage/drivers/redis';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SessionEvent } from '../../src/core/events.ts';
import { GuardedStore } from '../../src/core/guarded-store.ts';
import { createSessionInterface } from '../../src/core/options.ts';
import type { SessionStore } from '../../src/core/store.ts';
import { SessionStoreError } from '../../src/errors.ts';
import { Visitor } from '../../src/testing/visitor.ts';
import { available, temporaryFolder, until } from '../servers/process.ts';
import { type FaultProxy, startProxy } from '../servers/proxy.ts';
import { startOwnRedis } from '../servers/redis.ts';
import { bytes, expectNothingUnhandled, expectFailures as expectTypedFailures, later, text } from './failures.ts';

/** Seconds. */
const DEADLINE = 1;

expectNothingUnhandled();

async function expectFailures(store: GuardedStore): Promise<void> {
  await expectTypedFailures(store, { deadline: DEADLINE });
}

async function expectRecovery(store: GuardedStore): Promise<void> {
  await until(async () => {
    try {
      // What was under way when the server went away may be done late.
      return ['one', 'two'].includes(text(await store.read('k')) ?? '');
    } catch {
      return false;
    }
  }, 'the store has recovered');
}

interface Opened {
  readonly store: SessionStore;
  end(): unknown;
}
const ways: { name: string; open(url: string): Promise<Opened> }[] = [
  {
    name: 'connect-redis',
    async open(url) {
      const client = createClient({ url, socket: { reconnectStrategy: 50 } });
      client.on('error', () => {});
      await client.connect();
      return { store: new ConnectStore({ store: new ConnectRedis({ client }) }), end: () => client.destroy() };
    },
  },
  {
    name: 'unstorage on redis',
    async open(url) {
      const driver = redisDriver({ url, maxRetriesPerRequest: 1, retryStrategy: () => 50 });
      const storage = createStorage({ driver });
      // It would print them.
      driver.getInstance!().on('error', () => {});
      return { store: new UnstorageStore({ storage }), end: () => storage.dispose().catch(() => {}) };
    },
  },
];

const redis = await available(startOwnRedis);
afterAll(() => redis.server?.stop());

describe.skipIf(redis.missing).each(ways)(`$name${redis.note}`, ({ open }) => {
  let proxy: FaultProxy;
  let opened: Opened;
  let store: GuardedStore;

  beforeEach(async () => {
    proxy = await startProxy(redis.server!);
    opened = await open(`redis://127.0.0.1:${proxy.port}`);
    store = new GuardedStore(opened.store, DEADLINE);
    await store.delete('k');
    expect(await store.write('k', bytes('one'), later(), undefined)).toBe('written');
  });
  afterEach(async () => {
    await proxy.pass();
    await opened.end();
    await proxy.close();
  });

  test('away for a while, and back', async () => {
    await proxy.refuse();
    await expectFailures(store);
    await proxy.pass();
    await expectRecovery(store);
  });

  test('silent for longer than the deadline', async () => {
    redis.server!.process.pause();
    try {
      await expectFailures(store);
    } finally {
      redis.server!.process.resume();
    }
    await expectRecovery(store);
  });

  test('cut off in the middle of a reply', async () => {
    for (const at of [1, 20]) {
      proxy.cutAfter(at);
      await Promise.resolve(store.read('k')).catch((error) => expect(error).toBeInstanceOf(SessionStoreError));
      await expectRecovery(store);
    }
  });
});

test('a file where the folder should be is an error of every verb that writes', async () => {
  const folder = temporaryFolder('gateways');
  writeFileSync(`${folder.path}/file`, '');
  const storage = createStorage({ driver: fsDriver({ base: `${folder.path}/file` }) });
  const store = new GuardedStore(new UnstorageStore({ storage }), DEADLINE);
  for (const verb of [() => store.write('k', bytes('one'), later(), undefined), () => store.read('k')]) {
    await expect(Promise.resolve(verb())).rejects.toBeInstanceOf(SessionStoreError);
  }
  folder.remove();
});

describe('a record of random bytes is a new session', () => {
  const random = Buffer.from(Uint8Array.from({ length: 100 }, (_, i) => (i * 211 + 193) & 0xff));
  const keyv = new Keyv();
  const storage = createStorage();
  const memory = createMemory();
  const places: [string, SessionStore, (key: string) => Promise<unknown>][] = [
    [
      'keyv',
      new KeyvStore({ keyv }),
      (key) => keyv.set(key, { flacon: random.toString('base64'), expiresAt: later() }),
    ],
    ['keyv, not even ours', new KeyvStore({ keyv }), (key) => keyv.set(key, random.toString('latin1'))],
    [
      'unstorage',
      new UnstorageStore({ storage }),
      (key) => storage.setItemRaw(key, Buffer.concat([Buffer.from(`flacon ${later()}\n`), random])),
    ],
    ['unstorage, not even ours', new UnstorageStore({ storage }), (key) => storage.setItemRaw(key, random)],
    ['connect', new ConnectStore({ store: memory.store }), async (key) => memory.put(key.replace(':', '.3a'))],
  ];

  function createMemory() {
    const items = new Map<string, object>();
    const store = {
      get: (sid: string, callback: (error: unknown, session?: unknown) => void) => callback(null, items.get(sid)),
      set: (sid: string, session: object, callback?: (error?: unknown) => void) => {
        items.set(sid, session);
        callback?.();
      },
      destroy: (sid: string, callback?: (error?: unknown) => void) => {
        items.delete(sid);
        callback?.();
      },
    };
    const put = (sid: string) =>
      void items.set(sid, { cookie: {}, flacon: random.toString('base64'), expiresAt: later() });
    return { store, put };
  }

  test.each(places)('%s', async (_, store, put) => {
    const events: SessionEvent[] = [];
    const sessions = createSessionInterface({ store, profile: 'flask', onEvent: (event) => events.push(event) });
    const visitor = new Visitor(sessions);
    await visitor.visit((session) => void session.set('user', 'ann'));
    const before = visitor.cookie;
    await put(`session:${before}`);
    const { value } = await visitor.visit((session) => {
      session.set('user', 'ben');
      return session.isNew;
    });
    expect(value).toBe(true);
    expect(visitor.cookie).not.toBe(before);
    expect(events.map(({ type }) => type)).toContain('not-resumed');
  });
});
