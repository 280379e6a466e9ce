/** Both clients: the verbs of the store, and the same scripts called by hand. */
import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { createClient, RESP_TYPES } from 'redis';
import { READ, TOUCH, WRITE } from '../../src/stores/redis/scripts.ts';
import { RedisStore } from '../../src/stores/redis.ts';
import { startRedis } from '../../test/servers/redis.ts';
import type { StoreCase, StoreCases } from '../stores.ts';

const RECORD = Buffer.alloc(500, 0xa7);
const LATER = Date.now() + 86_400_000;
const keys = Array.from({ length: 64 }, (_, worker) => `bench:${worker}`);

/** A verb called by hand, through one of the drivers. */
interface Bare {
  run(sha: string, key: string, args: (string | Buffer)[]): Promise<unknown>;
  del(key: string): Promise<unknown>;
}

function casesOf(name: string, store: RedisStore, { run, del }: Bare): StoreCase[] {
  const key = (worker: number) => keys[worker]!;
  const now = () => String(Date.now());
  return [
    {
      name: `${name}: read`,
      store: (worker) => store.read(key(worker)),
      bare: (worker) => run(READ.sha, key(worker), [now()]),
    },
    {
      name: `${name}: write`,
      store: (worker) => store.write(key(worker), RECORD, LATER, RECORD),
      bare: (worker) => run(WRITE.sha, key(worker), [now(), String(LATER), RECORD, RECORD]),
    },
    {
      name: `${name}: write, and a conflict`,
      store: (worker) => store.write(key(worker), RECORD, LATER, undefined),
      bare: (worker) => run(WRITE.sha, key(worker), [now(), String(LATER), RECORD]),
    },
    {
      name: `${name}: touch`,
      store: (worker) => store.touch(key(worker), LATER),
      bare: (worker) => run(TOUCH.sha, key(worker), [now(), String(LATER)]),
    },
    {
      name: `${name}: delete what is not there`,
      store: (worker) => store.delete(`${key(worker)}:none`),
      bare: (worker) => del(`${key(worker)}:none`),
    },
  ];
}

export async function cases(): Promise<StoreCases> {
  const server = await startRedis();
  const node = createClient({ url: server.url });
  await node.connect();
  const binary = node.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const io = new Redis(server.url) as Redis & {
    evalshaBuffer(sha: string, keys: number, key: string, ...args: (string | Buffer)[]): Promise<unknown>;
  };
  const stores = { node: new RedisStore({ client: node }), io: new RedisStore({ client: io }) };
  for (const store of Object.values(stores)) {
    for (const key of keys) {
      await store.delete(key);
      assert.equal(await store.write(key, RECORD, LATER, undefined), 'written');
      assert.equal(await store.write(key, RECORD, LATER, RECORD), 'written');
      assert.deepEqual((await store.read(key))?.bytes, RECORD);
      assert.equal(await store.touch(key, LATER), true);
    }
  }
  return {
    cases: [
      ...casesOf('node-redis', stores.node, {
        run: (sha, key, args) => binary.evalSha(sha, { keys: [key], arguments: args }),
        del: (key) => node.del(key),
      }),
      ...casesOf('ioredis', stores.io, {
        run: (sha, key, args) => io.evalshaBuffer(sha, 1, key, ...args),
        del: (key) => io.del(key),
      }),
    ],
    async close() {
      for (const key of keys) await node.del(key);
      node.destroy();
      io.disconnect();
      await server.stop();
    },
  };
}
