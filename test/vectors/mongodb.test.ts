/** What Flask-Session stored is read and changed, and the same record at the same time becomes the same document, by the same update. */
import { MongodbStore } from 'flacon/stores/mongodb';
import { BSON, MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startOwnMongodb } from '../servers/mongodb.ts';
import { startPeer } from '../servers/mongodb-peer.ts';
import { available } from '../servers/process.ts';
import { differs } from './differences.ts';
import { loadVectors } from './load.ts';

interface Vector {
  name: string;
  key_prefix: string;
  sid: string;
  lifetime_seconds: number;
  /** Seconds since 1970. */
  now: number;
  /** Absent, as the rest: saving was refused, which is the codec's business. */
  filter?: { id: string };
  set?: { id: string; val_hex: string; val_bson_type: string; expiration_utc: string };
  /** The statement as PyMongo sent it. */
  update_bson_hex?: string;
  /** With an `_id` of twelve bytes 11. */
  document_bson_hex?: string;
}

interface Setup {
  db: string;
  collection: string;
  indexes: { name: string; key: Record<string, number>; expireAfterSeconds: number }[];
}

const { vectors, meta } = loadVectors<Vector>('store_mongodb');
const { setup } = meta as { setup: Setup };

interface Stored extends Vector {
  readonly key: string;
  readonly val: Buffer;
  readonly expiration: Date;
  /** The clock of the recording, in milliseconds: a fraction of a second past `now`. */
  readonly time: number;
  readonly expiresAt: number;
}

const stored = vectors.flatMap((vector): Stored[] => {
  const { filter, set, now, lifetime_seconds } = vector;
  if (!filter || !set) return [];
  const expiration = new Date(`${set.expiration_utc}Z`);
  const time = now * 1000 + 123.456;
  const expiresAt = time + Math.floor(lifetime_seconds) * 1000;
  return [{ ...vector, key: filter.id, val: Buffer.from(set.val_hex, 'hex'), expiration, time, expiresAt }];
});
const living = stored.filter(({ lifetime_seconds }) => lifetime_seconds >= 1);

/** The update that Flask-Session sends. */
function statement({ key, val, expiration, update_bson_hex }: Stored): BSON.Document {
  if (update_bson_hex) return BSON.deserialize(Buffer.from(update_bson_hex, 'hex'));
  const u = { $set: { id: key, val: new BSON.Binary(val), expiration } };
  return { q: { id: key }, u, multi: false, upsert: true };
}

test('keys, database, collection and the index that expires are Flask-Session’s', async () => {
  const peer = await startPeer();
  const store = new MongodbStore({ url: peer.url });
  await store.write('k', new Uint8Array(1), Date.now() + 1000, undefined);
  const { createIndexes, indexes } = peer.commands[1]!.body;
  expect({ collection: createIndexes, indexes }).toEqual({ collection: setup.collection, indexes: setup.indexes });
  const body = peer.commands[2]!.bytes;
  expect(body.includes(Buffer.from(`$db\0${String.fromCharCode(setup.db.length + 1)}\0\0\0${setup.db}\0`))).toBe(true);
  await store.close();
  await peer.close();
  for (const { key, key_prefix, sid, set } of stored) expect([key, set?.id]).toEqual(Array(2).fill(key_prefix + sid));
});

describe('the update that is sent is the one that Flask-Session sent, byte for byte', () => {
  for (const vector of living.filter(({ update_bson_hex }) => update_bson_hex)) {
    test(vector.name, async () => {
      const peer = await startPeer();
      const store = new MongodbStore({ url: peer.url, now: () => vector.time });
      const { u } = BSON.deserialize(Buffer.from(vector.update_bson_hex!, 'hex'), { raw: true });
      await store.write(vector.key, vector.val, vector.expiresAt, undefined);
      await store.write(vector.key, vector.val, vector.expiresAt, Buffer.from('another'));
      const updates = peer.commands.filter(({ name }) => name === 'update');
      expect(updates).toHaveLength(2);
      for (const { bytes } of updates) expect(bytes.includes(u)).toBe(true);
      expect(updates[0]!.body.updates[0]).toMatchObject({ q: { id: vector.key }, upsert: true });
      await store.close();
      await peer.close();
    });
  }
});

const mongodb = await available(startOwnMongodb);

describe.skipIf(mongodb.missing)(`mongodb, played by mongo-java-server${mongodb.note}`, () => {
  const client = new MongoClient(mongodb.server?.url ?? 'mongodb://localhost');
  const db = client.db(setup.db);
  const collection = db.collection(setup.collection);
  let time = 0;
  const store = new MongodbStore({ client, now: () => time });

  beforeAll(async () => {
    await client.connect();
    // A first write waits for the indexes: this server does not stand other commands while it makes them.
    await store.write('before the tests', new Uint8Array(1), time + 60_000, undefined);
  });
  beforeEach(() => collection.deleteMany({}));
  afterAll(async () => {
    await client.close();
    await mongodb.server?.stop();
  });

  describe('what Flask-Session sent is read, and changed where it is', () => {
    for (const vector of living) {
      const { name, key, val, expiration } = vector;
      test(name, async () => {
        time = vector.time;
        await db.command({ update: setup.collection, updates: [statement(vector)] });
        const before = await collection.findOne({ id: key });
        const found = (await store.read(key))!;
        expect(found).toEqual({ bytes: val, expiresAt: expiration.getTime() });
        const next = Buffer.from([0x81, 0xa1, 0x61, 0x02]);
        expect(await store.write(key, next, time + 60_000, found.bytes)).toBe('written');
        const after = await collection.find({ id: key }).toArray();
        const changed = { val: new BSON.Binary(next), expiration: new Date(Math.floor(time + 60_000)) };
        expect(after).toEqual([{ ...before, ...changed }]);
        // Flask-Session's next write is an update of the same document, and is what is read then.
        await db.command({ update: setup.collection, updates: [statement(vector)] });
        expect(await store.read(key)).toEqual(found);
        expect(await collection.countDocuments({})).toBe(1);
      });
    }
  });

  describe('what is stored is what Flask-Session stored', () => {
    for (const { name, key, val, expiration, document_bson_hex, ...vector } of living) {
      test(name, async () => {
        time = vector.time;
        expect(await store.write(key, val, vector.expiresAt, undefined)).toBe('written');
        const documents = await collection.find({}).toArray();
        expect(documents).toEqual([{ _id: expect.anything(), id: key, val: new BSON.Binary(val), expiration }]);
        const document: BSON.Document = documents[0]!;
        expect(Object.keys(document).sort()).toEqual(['_id', 'expiration', 'id', 'val']);
        expect(document._id).toBeInstanceOf(BSON.ObjectId);
        expect(`binary subtype ${document.val.sub_type}`).toBe(vector.set?.val_bson_type);
        if (document_bson_hex) {
          const { id, val, expiration } = document;
          const bytes = BSON.serialize({ _id: new BSON.ObjectId('11'.repeat(12)), id, val, expiration });
          expect(Buffer.from(bytes).toString('hex')).toBe(document_bson_hex);
        }
      });
    }
  });

  for (const { name, key, val, ...vector } of stored.filter(({ lifetime_seconds }) => lifetime_seconds < 1)) {
    test(`a lifetime that is over when it begins: ${name}`, async () => {
      time = vector.time;
      differs('store_mongodb', name, 'Expiry', 'a record that has expired before it is written is not written');
      expect(await store.write(key, val, vector.expiresAt, undefined)).toBe('written');
      expect(await collection.countDocuments({})).toBe(0);
    });
  }
});
