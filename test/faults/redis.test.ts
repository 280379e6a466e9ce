/** Servers that are away, silent, cut off, locked or replaced, and records that are none. */
import { RedisStore } from 'flacon/stores/redis';
import { Cluster, Redis } from 'ioredis';
import { createClient, createCluster, createSentinel } from 'redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SessionEvent } from '../../src/core/events.ts';
import { GuardedStore } from '../../src/core/guarded-store.ts';
import { createSessionInterface } from '../../src/core/options.ts';
import type { SessionStore } from '../../src/core/store.ts';
import { SessionStoreError } from '../../src/errors.ts';
import { Visitor } from '../../src/testing/visitor.ts';
import { available, freePort, until } from '../servers/process.ts';
import { type FaultProxy, startProxy } from '../servers/proxy.ts';
import { cli, type StartedRedis, startOwnRedis, startRedisCluster, startSentinelledRedis } from '../servers/redis.ts';
import {
  bytes,
  expectNothingUnhandled,
  expectRecovery,
  expectFailures as expectTypedFailures,
  later,
  outcome,
  text,
} from './failures.ts';

/** Seconds. */
const DEADLINE = 1;
const MINUTE = 60_000;

expectNothingUnhandled();

function expectFailures(store: GuardedStore, code?: string): Promise<SessionStoreError[]> {
  return expectTypedFailures(store, { deadline: DEADLINE, code, name: 'redis' });
}

/** What can be between the engine and the server. */
const ways: { name: string; kept?: string; open(url: string): { store: RedisStore; end?: () => void } }[] = [
  { name: 'a URL, through node-redis', open: (url: string) => ({ store: new RedisStore({ url, driver: 'redis' }) }) },
  { name: 'a URL, through ioredis', open: (url: string) => ({ store: new RedisStore({ url, driver: 'ioredis' }) }) },
  {
    // Nobody listens to its errors but the store. By default it keeps what it is given while it has no connection.
    name: 'a client of node-redis',
    kept: 'two',
    open: (url: string) => {
      const client = createClient({ url });
      const store = new RedisStore({ client });
      client.connect().catch(() => {});
      return { store, end: () => client.destroy() };
    },
  },
  {
    name: 'a client of ioredis',
    open: (url: string) => {
      const client = new Redis(url, { maxRetriesPerRequest: 1 });
      return { store: new RedisStore({ client }), end: () => client.disconnect() };
    },
  },
];

const redis = await available(startOwnRedis);
afterAll(() => redis.server?.stop());

describe.skipIf(redis.missing).each(ways)(`redis${redis.note}, $name`, ({ open, kept = 'one' }) => {
  let server: StartedRedis;
  let proxy: FaultProxy;
  let raw: Redis;
  let opened: { store: RedisStore; end?: () => void };
  let store: GuardedStore;

  beforeEach(async () => {
    server = redis.server!;
    proxy = await startProxy(server);
    raw = new Redis(server.url);
    await raw.flushall();
    await raw.set('k', 'one', 'PX', MINUTE);
    begin(`redis://127.0.0.1:${proxy.port}`);
  });
  afterEach(async () => {
    await end();
    raw.disconnect();
    await proxy.close();
  });

  function begin(url: string): void {
    opened = open(url);
    store = new GuardedStore(opened.store, DEADLINE);
  }

  async function end(): Promise<void> {
    await opened.store.close();
    opened.end?.();
  }

  test('away at the start, then there', async () => {
    await end();
    await proxy.refuse();
    begin(`redis://127.0.0.1:${proxy.port}`);
    await expectFailures(store);
    await proxy.pass();
    await expectRecovery(store, kept);
    expect(proxy.open).toBe(1);
  });

  test('away for a while, and back', async () => {
    await expectRecovery(store, 'one');
    await proxy.refuse();
    await expectFailures(store);
    await expectFailures(store);
    await proxy.pass();
    await expectRecovery(store, kept);
    expect(await store.write('k', bytes('three'), later(), bytes(kept))).toBe('written');
    expect(proxy.open).toBe(1);
  });

  test('connections that break are made anew, one at a time', async () => {
    for (let round = 0; round < 5; round++) {
      await expectRecovery(store, 'one');
      proxy.reset();
    }
    await expectRecovery(store, 'one');
    expect(proxy.open).toBe(1);
    expect(proxy.accepted).toBeLessThan(20);
  });

  test('silent for longer than the deadline', async () => {
    await expectRecovery(store, 'one');
    server.process.pause();
    try {
      await expectFailures(store, 'ERR_SESSION_STORE_TIMEOUT');
    } finally {
      server.process.resume();
    }
    // What was under way is done late, or not at all. Nothing is mixed up: each reply belongs to its command.
    await expectRecovery(store, 'one', 'two');
    expect(await store.write('next', bytes('three'), later(), undefined)).toBe('written');
    expect(text(await store.read('next'))).toBe('three');
    expect(proxy.open).toBe(1);
  });

  test('cut off in the middle of a reply', async () => {
    const long = 'x'.repeat(200_000);
    await raw.set('k', long, 'PX', MINUTE);
    await expectRecovery(store, long);
    for (const at of [1, 5, 100, 150_000]) {
      proxy.cutAfter(at);
      // A client of the application's may try again by itself; what it answers is then the whole record.
      const found = await outcome(() => store.read('k'));
      if (found instanceof SessionStoreError) expect(found.operation).toBe('read');
      else expect(text(found as { bytes: Uint8Array })).toBe(long);
      await expectRecovery(store, long);
    }
    expect(proxy.open).toBe(1);
  });

  test('slow, but in time', async () => {
    await expectRecovery(store, 'one');
    proxy.delay(100);
    expect(await store.write('k', bytes('two'), later(), bytes('one'))).toBe('written');
    expect(text(await store.read('k'))).toBe('two');
  });

  test('many calls that were given up leave nothing behind', async () => {
    await expectRecovery(store, 'one');
    proxy.hold();
    const calls = Array.from({ length: 200 }, () => outcome(() => store.read('k')));
    for (const result of await Promise.all(calls)) expect(result).toMatchObject({ code: 'ERR_SESSION_STORE_TIMEOUT' });
    await proxy.pass();
    await expectRecovery(store, 'one');
    expect(proxy.open).toBe(1);
  });

  test('full: what would need memory is an error, what is there stays readable', async () => {
    await expectRecovery(store, 'one');
    await raw.config('SET', 'maxmemory', '1');
    try {
      const failed = store.write('k', bytes('two'), later(), bytes('one'));
      await expect(failed).rejects.toMatchObject({ code: 'ERR_SESSION_STORE', operation: 'write' });
      expect(text(await store.read('k'))).toBe('one');
      expect(await store.touch('k', later())).toBe(true);
      expect(await store.delete('k')).toBe(true);
    } finally {
      await raw.config('SET', 'maxmemory', '0');
    }
  });

  test('records of random bytes, and keys of another type', async () => {
    await expectRecovery(store, 'one');
    const events: SessionEvent[] = [];
    const sessions = createSessionInterface({ store: opened.store, onEvent: (event) => events.push(event) });
    const visitor = new Visitor(sessions);
    await visitor.visit((session) => void session.set('a', 1));
    const [key] = await raw.keys('session:*');
    for (const garbage of [
      Buffer.from([0xc1, 0xff, 0x00]),
      Buffer.alloc(0),
      Buffer.from('}{'),
      Buffer.alloc(5000, 0x91),
    ]) {
      await raw.set(key!, garbage, 'PX', MINUTE);
      const { value } = await visitor.twin().visit((session) => [session.isNew, session.get('a')]);
      expect(value).toEqual([true, undefined]);
    }
    expect(events.filter((event) => event.type === 'not-resumed')).toHaveLength(4);
    await raw.del(key!);
    await raw.rpush(key!, 'item');
    await expect(visitor.twin().visit((session) => session.get('a'))).rejects.toMatchObject({
      code: 'ERR_SESSION_STORE',
      operation: 'read',
    });
  });
});

describe.skipIf(redis.missing)(`a password${redis.note}`, () => {
  let server: StartedRedis;
  beforeAll(async () => {
    server = await startOwnRedis(['--requirepass', 'the right one']);
  });
  afterAll(() => server.stop());

  test.each(['redis', 'ioredis'] as const)('wrong, missing and right (%s)', async (driver) => {
    for (const credentials of [':wrong-password@', 'ann:wrong-password@', '']) {
      const refused = new RedisStore({ url: `redis://${credentials}127.0.0.1:${server.port}`, driver });
      const failures = await expectFailures(new GuardedStore(refused, DEADLINE), 'ERR_SESSION_STORE');
      for (const { message, stack } of failures) {
        expect(message).toContain('it refused the user or the password of the URL');
        expect(stack).not.toContain('wrong-password');
      }
      await refused.close();
    }
    const right = new RedisStore({ url: `redis://:the%20right%20one@127.0.0.1:${server.port}`, driver });
    expect(await right.delete('k')).toBe(false);
    await right.close();
  });

  test('changed while the store runs: it fails, and works again when the old one is back', async () => {
    const store = new RedisStore({ url: `redis://:the%20right%20one@127.0.0.1:${server.port}` });
    await store.delete('k');
    const admin = new Redis(server.port, { password: 'the right one' });
    await admin.config('SET', 'requirepass', 'another');
    await admin.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until(
      () =>
        store.read('k').then(
          () => false,
          (error: Error) => error.message.includes('refused the user'),
        ),
      'the store is refused',
    );
    await admin.config('SET', 'requirepass', 'the right one');
    await until(
      () =>
        store.read('k').then(
          () => true,
          () => false,
        ),
      'the store is let in',
    );
    admin.disconnect();
    await store.close();
  });
});

describe.skipIf(redis.missing)(`a restart${redis.note}`, () => {
  test.each(['redis', 'ioredis'] as const)('of a server that forgets everything, scripts too (%s)', async (driver) => {
    const before = await startOwnRedis();
    const own = new RedisStore({ url: before.url, driver });
    const store = new GuardedStore(own, DEADLINE);
    await store.write('k', bytes('one'), later(), undefined);
    await before.process.kill();
    await expectFailures(store);
    const after = await startOwnRedis([], before.port);
    await until(async () => !((await outcome(() => store.read('k'))) instanceof Error), 'the store has recovered');
    expect(await store.write('k', bytes('two'), later(), bytes('one'))).toBe('gone');
    expect(await store.write('k', bytes('two'), later(), undefined)).toBe('written');
    await own.close();
    await after.stop();
    await before.stop();
  });
});

describe('closing without a server', () => {
  test.each(['redis', 'ioredis'] as const)('while it still tries to connect (%s)', async (driver) => {
    const store = new RedisStore({ url: `redis://127.0.0.1:${await freePort()}`, driver });
    const call = store.read('k').catch((error: unknown) => error);
    await store.close();
    expect(await call).toBeInstanceOf(SessionStoreError);
    await expect(store.read('k')).rejects.toThrow('it is closed');
  });
});

describe.skipIf(redis.missing)(`closing${redis.note}`, () => {
  test.each(['redis', 'ioredis'] as const)('leaves no connection (%s)', async (driver) => {
    const proxy = await startProxy(redis.server!);
    const store = new RedisStore({ url: `redis://127.0.0.1:${proxy.port}`, driver });
    await store.read('k');
    expect(proxy.open).toBe(1);
    await store.close();
    await until(() => proxy.open === 0, 'no connection is left');
    await proxy.close();
  });
});

const sentinel = await available(startSentinelledRedis);
afterAll(() => sentinel.server?.stop());

describe.skipIf(sentinel.missing)(`sentinels${sentinel.note}`, () => {
  test('the primary dies, a replica takes over, and both clients follow', async () => {
    const { name, ports, primary, replica } = sentinel.server!;
    const nodes = ports.map((port) => ({ host: '127.0.0.1', port }));
    const node = createSentinel({ name, sentinelRootNodes: nodes });
    const io = new Redis({ name, sentinels: nodes, maxRetriesPerRequest: 1 });
    const stores = [new RedisStore({ client: node }), new RedisStore({ client: io })].map(
      (store) => new GuardedStore(store, DEADLINE),
    );
    await node.connect();
    await stores[0]!.write('k', bytes('one'), later(), undefined);
    for (const store of stores) await expectRecovery(store, 'one');
    await io.wait(1, 5000);

    await primary.process.kill();
    // Whatever is asked meanwhile is answered by an error, or by the new primary.
    for (const store of stores) {
      const result = await outcome(() => store.read('k'));
      if (!(result instanceof SessionStoreError)) expect(text(result as { bytes: Uint8Array })).toBe('one');
    }
    const writable = (store: GuardedStore) =>
      until(
        async () => (await Promise.resolve(store.touch('k', later())).catch(() => false)) === true,
        'writable',
        40_000,
      );
    await Promise.all(stores.map(writable));
    expect(await cli(['-p', String(replica.port), 'info', 'replication'])).toContain('role:master');
    // The new primary never saw the scripts.
    expect(await stores[0]!.write('k', bytes('two'), later(), bytes('one'))).toBe('written');
    expect(await stores[1]!.write('k', bytes('three'), later(), bytes('one'))).toMatchObject({
      conflict: { bytes: Buffer.from('two') },
    });
    expect(await stores[1]!.write('k', bytes('three'), later(), bytes('two'))).toBe('written');
    expect(text(await stores[0]!.read('k'))).toBe('three');
    await node.destroy();
    io.disconnect();
  });
});

const cluster = await available(startRedisCluster);
afterAll(() => cluster.server?.stop());

describe.skipIf(cluster.missing)(`a cluster${cluster.note}`, () => {
  const ports = cluster.server?.ports ?? [];

  test('slots move to another node while sessions are written: nothing is lost', async () => {
    const node = createCluster({ rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })) });
    const io = new Cluster(ports.map((port) => ({ host: '127.0.0.1', port })));
    const stores: SessionStore[] = [new RedisStore({ client: node }), new RedisStore({ client: io })];
    await node.connect();
    const key = 'session:moved';
    await stores[0]!.write(key, bytes('0'), later(), undefined);

    let moving = true;
    const counted = stores.map(async (store) => {
      let count = 0;
      for (; moving || count < 100; count++) await increment(store, key);
      return count;
    });
    const slot = await io.cluster('KEYSLOT', key);
    const nodes = (await cli(['-p', String(ports[0]), 'cluster', 'nodes']))
      .split('\n')
      .filter((line) => line.includes('master'));
    const owner = nodes.find((line) =>
      line
        .split(' ')
        .slice(8)
        .some((range) => holds(range, slot)),
    )!;
    const [from, to] = [owner, nodes.find((line) => line !== owner)!].map((line) => {
      const [id, address] = line.split(' ');
      return { id: id!, port: /:(\d+)@/.exec(address!)![1]! };
    });
    await cli(['-p', to!.port, 'cluster', 'setslot', String(slot), 'importing', from!.id]);
    await cli(['-p', from!.port, 'cluster', 'setslot', String(slot), 'migrating', to!.id]);
    await cli(['-p', from!.port, 'migrate', '127.0.0.1', to!.port, key, '0', '5000']);
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const { port } of [to!, from!]) await cli(['-p', port, 'cluster', 'setslot', String(slot), 'node', to!.id]);
    moving = false;
    const total = (await Promise.all(counted)).reduce((sum, count) => sum + count, 0);
    for (const store of stores) expect(text(await store.read(key))).toBe(String(total));
    node.destroy();
    io.disconnect();
  });
});

function holds(range: string, slot: number): boolean {
  const [first, last = first] = range.split('-').map(Number);
  return first! <= slot && slot <= last!;
}

async function increment(store: SessionStore, key: string): Promise<void> {
  let current = (await store.read(key))!;
  for (;;) {
    const next = bytes(String(Number(text(current)) + 1));
    const result = await store.write(key, next, later(), current.bytes);
    if (result === 'written') return;
    if (result === 'gone') throw new Error('the counter is gone');
    current = result.conflict;
  }
}
