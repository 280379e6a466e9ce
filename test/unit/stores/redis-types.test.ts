/** What the documentation says is accepted, compiles. */
import { RedisStore } from 'flacon/stores/redis';
import { Cluster, Redis } from 'ioredis';
import { createClient, createClientPool, createCluster, createSentinel } from 'redis';
import { expect, test } from 'vitest';

test('every kind of client of both drivers is accepted, typed and at run time', () => {
  const lazyConnect = true;
  const nodes = [{ host: '127.0.0.1', port: 1 }];
  const ioredis = [
    new Redis({ lazyConnect }),
    new Redis({ sentinels: nodes, name: 'mine', lazyConnect }),
    new Cluster(nodes, { lazyConnect }),
  ] as const;
  new RedisStore({ client: ioredis[0] });
  new RedisStore({ client: ioredis[1] });
  new RedisStore({ client: ioredis[2] });
  new RedisStore({ client: createClient() });
  new RedisStore({ client: createClient({ RESP: 2, database: 1 }) });
  new RedisStore({ client: createClientPool() });
  new RedisStore({ client: createCluster({ rootNodes: [{ url: 'redis://127.0.0.1:1' }] }) });
  new RedisStore({ client: createSentinel({ name: 'mine', sentinelRootNodes: nodes }) });
  // @ts-expect-error: no client
  expect(() => new RedisStore({ client: {} })).toThrow('client: got an object that is none');
});
