/** The store over clients of the packages memjs and memcached. */
import { MemcachedStore, type MemcachedStoreOptions } from 'flacon/stores/memcached';
import { storeSuite } from 'flacon/testing/store-suite';
import Memcached from 'memcached';
import memjs from 'memjs';
import { afterAll, describe, it } from 'vitest';
import { sessionSuite } from '../../src/testing/session-suite.ts';
import { startMemcached } from '../servers/memcached.ts';
import { available } from '../servers/process.ts';

const memcached = await available(startMemcached);

/** The suites run several tests at once: they spend most of their time waiting for deadlines. */
const runner = { describe, it: it.concurrent };

describe.skipIf(memcached.missing)(`foreign clients${memcached.note}`, () => {
  const servers = memcached.server?.address ?? 'localhost';
  const memjsClient = memjs.Client.create(servers, { timeout: 5, logger: { log() {} } });
  const memcachedClient = new Memcached(servers, { namespace: 'app:' });
  afterAll(async () => {
    memjsClient.close();
    memcachedClient.end();
    await memcached.server?.stop();
  });

  function suitesFor(name: string, client: NonNullable<MemcachedStoreOptions['client']>, maxRecord: number): void {
    storeSuite(runner, {
      name,
      create: (now) => new MemcachedStore({ client, now }),
      clock: 'real',
      // Whole seconds, on a clock that moves once a second.
      granularity: 2000,
      maxRecord,
    });
    for (const format of ['msgpack', 'json'] as const) {
      sessionSuite(runner, {
        name: `${name}, ${format}`,
        create: (now) => new MemcachedStore({ client, now }),
        clock: 'real',
        options: { format },
      });
    }
  }
  suitesFor('memjs', memjsClient, 1_000_000);
  // What is not text takes a third more there.
  suitesFor('memcached', memcachedClient, 750_000);
});
