/** The verbs of the store, and the same commands given to the driver by hand. */
import assert from 'node:assert/strict';
import { type Collection, MongoClient } from 'mongodb';
import { MongodbStore } from '../../src/stores/mongodb.ts';
import { startMongodb } from '../../test/servers/mongodb.ts';
import type { StoreCase, StoreCases } from '../stores.ts';

const DATABASE = 'flacon_bench';
const RECORD = Buffer.alloc(500, 0xa7);
const LATER = Date.now() + 86_400_000;
const keys = Array.from({ length: 64 }, (_, worker) => `bench:${worker}`);

function casesOf(store: MongodbStore, collection: Collection): StoreCase[] {
  const key = (worker: number) => keys[worker]!;
  const live = (id: string) => ({ id, expiration: { $gt: new Date() } });
  const dead = (id: string) => ({ id, expiration: { $not: { $gt: new Date() } } });
  const document = (id: string) => ({ $set: { id, val: RECORD, expiration: new Date(LATER) } });
  const read = (id: string) => collection.findOne(live(id), { projection: { _id: 0, val: 1, expiration: 1 } });
  return [
    {
      name: 'read',
      store: (worker) => store.read(key(worker)),
      bare: (worker) => read(key(worker)),
    },
    {
      name: 'write',
      store: (worker) => store.write(key(worker), RECORD, LATER, RECORD),
      bare: (worker) => {
        const filter = { ...live(key(worker)), val: RECORD };
        return collection.updateOne(filter as object, document(key(worker)));
      },
    },
    {
      name: 'write, and a conflict',
      store: (worker) => store.write(key(worker), RECORD, LATER, undefined),
      bare: async (worker) => {
        try {
          await collection.updateOne(dead(key(worker)), document(key(worker)), { upsert: true });
        } catch {
          await read(key(worker));
        }
      },
    },
    {
      name: 'touch',
      store: (worker) => store.touch(key(worker), LATER),
      bare: (worker) => collection.updateOne(live(key(worker)), { $set: { expiration: new Date(LATER) } }),
    },
    {
      name: 'create and delete',
      store: async (worker) => {
        await store.write(`${key(worker)}:new`, RECORD, LATER, undefined);
        await store.delete(`${key(worker)}:new`);
      },
      bare: async (worker) => {
        const id = `${key(worker)}:new`;
        await collection.updateOne(dead(id), document(id), { upsert: true });
        await collection.deleteOne(live(id));
      },
    },
  ];
}

export async function cases(): Promise<StoreCases> {
  const server = await startMongodb();
  const client = new MongoClient(server.url);
  const db = client.db(DATABASE);
  await db.dropDatabase();
  const store = new MongodbStore({ client, database: DATABASE });
  for (const key of keys) {
    assert.equal(await store.write(key, RECORD, LATER, undefined), 'written');
    assert.equal(await store.write(key, RECORD, LATER, RECORD), 'written');
    assert.deepEqual((await store.read(key))?.bytes, RECORD);
    assert.equal(await store.touch(key, LATER), true);
  }
  return {
    cases: casesOf(store, db.collection('sessions', { promoteBuffers: true })),
    async close() {
      await db.dropDatabase();
      await client.close();
      await server.stop();
    },
  };
}
