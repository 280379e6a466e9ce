/** Both clients, in every way they reach a server, and the connection of the store's own. */
import { RedisStore } from 'flacon/stores/redis';
import { storeSuite } from 'flacon/testing/store-suite';
import { Cluster, Redis } from 'ioredis';
import { createClient, createClientPool, createCluster, createSentinel } from 'redis';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { createSessionInterface } from '../../src/core/options.ts';
import type { SessionStore } from '../../src/core/store.ts';
import { sessionSuite } from '../../src/testing/session-suite.ts';
import { Visitor } from '../../src/testing/visitor.ts';
import { available } from '../servers/process.ts';
import { startRedis, startRedisCluster, startSentinelledRedis } from '../servers/redis.ts';
import { inProcess } from './session-writer-process.ts';

const clock = 'real' as const;
const [redis, cluster, sentinel] = await Promise.all([
  available(startRedis),
  available(startRedisCluster),
  available(startSentinelledRedis),
]);
afterAll(() => Promise.all([redis, cluster, sentinel].map(({ server }) => server?.stop())));

/** The suites run several tests at once: they spend most of their time waiting for deadlines. */
const runner = { describe, it: it.concurrent };

interface Way {
  readonly name: string;
  /** A client, for the whole of the suite. */
  readonly connect: () => Promise<{ readonly client: object; readonly close: () => unknown }>;
}

function suiteFor({ name, connect }: Way): void {
  describe(name, () => {
    let opened: Awaited<ReturnType<Way['connect']>>;
    beforeAll(async () => {
      opened = await connect();
    });
    afterAll(() => opened.close());
    storeSuite(runner, {
      name,
      create: (now) => new RedisStore({ client: opened.client as Redis, now }),
      clock,
    });
  });
}

async function ready<C extends Redis | Cluster>(client: C): Promise<{ client: C; close: () => void }> {
  await client.ping();
  return { client, close: () => client.disconnect() };
}

async function connected<C extends { connect(): Promise<unknown>; destroy(): unknown }>(
  client: C,
): Promise<{ client: C; close: () => unknown }> {
  await client.connect();
  return { client, close: () => client.destroy() };
}

describe.skipIf(redis.missing)(`one server${redis.note}`, () => {
  const url = redis.server?.url ?? '';

  const ways: Way[] = [
    { name: 'node-redis', connect: () => connected(createClient({ url })) },
    { name: 'node-redis, RESP 2', connect: () => connected(createClient({ url, RESP: 2 })) },
    { name: 'node-redis, a pool', connect: () => connected(createClientPool({ url })) },
    { name: 'node-redis, key prefix', connect: () => connected(createClient({ url, keyPrefix: 'app:' })) },
    { name: 'ioredis', connect: () => ready(new Redis(url)) },
    {
      name: 'ioredis, automatic pipelines and numbers as text',
      connect: () => ready(new Redis(url, { enableAutoPipelining: true, stringNumbers: true, keyPrefix: 'app:' })),
    },
  ];
  ways.forEach(suiteFor);

  for (const driver of ['redis', 'ioredis'] as const) {
    storeSuite(runner, {
      name: `redis, a URL, through ${driver}`,
      create: (now) => new RedisStore({ url, driver, now }),
      clock,
    });
  }

  sessionSuite(runner, { name: 'redis, node-redis', create: (now) => new RedisStore({ url, now }), clock });
  sessionSuite(runner, {
    name: 'redis, ioredis, Flask profile',
    create: (now) => new RedisStore({ url, driver: 'ioredis', now }),
    clock,
    options: { profile: 'flask' },
  });

  describe('two processes', () => {
    const options = { url };
    let store: SessionStore;
    beforeAll(() => {
      store = new RedisStore(options);
    });
    afterAll(() => store.close?.());

    test.each(['key', 'count'] as const)('100 parallel requests over both lose nothing: %s', async (task) => {
      const visitor = new Visitor(createSessionInterface({ store }));
      await visitor.visit((session) => void session.set('n', 0));
      const shared = { module: 'stores/redis.ts', store: 'RedisStore', options, cookie: visitor.cookie!, task };
      await Promise.all([inProcess({ ...shared, from: 0, to: 50 }), inProcess({ ...shared, from: 50, to: 100 })]);
      const { value } = await visitor.visit((session) => ({
        keys: [...session.keys()].filter((key) => key.startsWith('key')).length,
        count: session.get('n'),
      }));
      expect(value).toEqual(task === 'key' ? { keys: 100, count: 0 } : { keys: 0, count: 100 });
    });
  });
});

describe.skipIf(cluster.missing)(`a cluster of three${cluster.note}`, () => {
  const ports = cluster.server?.ports ?? [];
  const nodes = ports.map((port) => ({ host: '127.0.0.1', port }));
  const rootNodes = ports.map((port) => ({ url: `redis://127.0.0.1:${port}` }));

  const ways: Way[] = [
    { name: 'node-redis, a cluster', connect: () => connected(createCluster({ rootNodes })) },
    {
      name: 'node-redis, a cluster, reading from replicas',
      connect: () => connected(createCluster({ rootNodes, useReplicas: true })),
    },
    { name: 'ioredis, a cluster', connect: () => ready(new Cluster(nodes)) },
    {
      name: 'ioredis, a cluster, reading from replicas, automatic pipelines',
      connect: () => ready(new Cluster(nodes, { scaleReads: 'slave', enableAutoPipelining: true })),
    },
  ];
  ways.forEach(suiteFor);
});

describe.skipIf(sentinel.missing)(`sentinels${sentinel.note}`, () => {
  const name = sentinel.server?.name ?? '';
  const nodes = (sentinel.server?.ports ?? []).map((port) => ({ host: '127.0.0.1', port }));

  const ways: Way[] = [
    { name: 'node-redis, a sentinel', connect: () => connected(createSentinel({ name, sentinelRootNodes: nodes })) },
    {
      name: 'node-redis, a sentinel, reading from replicas',
      connect: () => connected(createSentinel({ name, sentinelRootNodes: nodes, replicaPoolSize: 1 })),
    },
    { name: 'ioredis, sentinels', connect: () => ready(new Redis({ name, sentinels: nodes })) },
  ];
  ways.forEach(suiteFor);
});
