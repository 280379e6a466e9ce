/** The store's own client, on one server and on three. */
import { type Distribution, MemcachedStore } from 'flacon/stores/memcached';
import { storeSuite } from 'flacon/testing/store-suite';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { createSessionInterface } from '../../src/core/options.ts';
import type { SessionStore } from '../../src/core/store.ts';
import { sessionSuite } from '../../src/testing/session-suite.ts';
import { Visitor } from '../../src/testing/visitor.ts';
import { ask, startMemcached, startOwnMemcached } from '../servers/memcached.ts';
import { available } from '../servers/process.ts';
import { inProcess } from './session-writer-process.ts';

const startThree = async () => {
  const servers = await Promise.all([startOwnMemcached(), startOwnMemcached(), startOwnMemcached()]);
  return { servers, stop: () => Promise.all(servers.map((server) => server.stop())) };
};
const [one, three] = await Promise.all([available(startMemcached), available(startThree)]);
afterAll(() => Promise.all([one.server?.stop(), three.server?.stop()]));

/** The suites run several tests at once: they spend most of their time waiting for deadlines. */
const runner = { describe, it: it.concurrent };

const settings = {
  clock: 'real',
  // Whole seconds, on a clock that moves once a second.
  granularity: 2000,
  // Servers take items of 1 MiB, key and overhead included.
  maxRecord: 1_000_000,
} as const;

describe.skipIf(one.missing)(`one server${one.note}`, () => {
  const servers = one.server?.address ?? 'localhost';

  storeSuite(runner, { name: 'memcached', create: (now) => new MemcachedStore({ servers, now }), ...settings });
  for (const profile of ['secure', 'flask'] as const) {
    sessionSuite(runner, {
      name: `memcached, ${profile} profile`,
      create: (now) => new MemcachedStore({ servers, now }),
      clock: 'real',
      options: { profile },
    });
  }

  describe('two processes', () => {
    const options = { servers };
    let store: SessionStore;
    beforeAll(() => {
      store = new MemcachedStore(options);
    });
    afterAll(() => store.close?.());

    test.each(['key', 'count'] as const)('100 parallel requests over both lose nothing: %s', async (task) => {
      const visitor = new Visitor(createSessionInterface({ store }));
      await visitor.visit((session) => void session.set('n', 0));
      const shared = { module: 'stores/memcached.ts', store: 'MemcachedStore', options, cookie: visitor.cookie!, task };
      await Promise.all([inProcess({ ...shared, from: 0, to: 50 }), inProcess({ ...shared, from: 50, to: 100 })]);
      const { value } = await visitor.visit((session) => ({
        keys: [...session.keys()].filter((key) => key.startsWith('key')).length,
        count: session.get('n'),
      }));
      expect(value).toEqual(task === 'key' ? { keys: 100, count: 0 } : { keys: 0, count: 100 });
    });
  });
});

describe.skipIf(three.missing)(`three servers${three.note}`, () => {
  const servers = three.server?.servers.map(({ address }) => address) ?? [];

  storeSuite(runner, { name: 'three servers', create: (now) => new MemcachedStore({ servers, now }), ...settings });

  const distributions: Distribution[] = ['pymemcache', 'ketama', 'pylibmc-ketama', 'pylibmc', 'python-memcached'];
  test.each(distributions)('%s: each has some of the keys, and one alone has each', async (distribution) => {
    const url = `memcached://${servers.join(',')}?distribution=${distribution}`;
    const store = new MemcachedStore({ url });
    const keys = Array.from({ length: 60 }, (_, i) => `${distribution}:${i}`);
    await Promise.all(keys.map((key) => store.write(key, Buffer.from(key), Date.now() + 60_000, undefined)));
    const found = await Promise.all(
      three.server!.servers.map(({ port }) => ask(port, keys.map((key) => `mg ${key} k q`).join('\r\n'))),
    );
    const held = found.map((answer) => answer.match(/(?<= k)\S+/g) ?? []);
    for (const some of held) expect(some.length).toBeGreaterThan(0);
    expect(held.flat().toSorted()).toEqual(keys.toSorted());
    for (const key of keys) expect(Buffer.from((await store.read(key))!.bytes).toString()).toBe(key);
    store.close();
  });
});
