/**
 * The store beside the client that it uses, doing the same commands: its own, and those of the packages memjs and memcached.
 *
 * By itself, `node stores/memcached.ts`: the own client beside the two packages, in operations per second with 64 at once.
 */
import assert from 'node:assert/strict';
import Memcached from 'memcached';
import memjs from 'memjs';
import { MetaClient } from '../../src/stores/memcached/client.ts';
import type { Item, Token } from '../../src/stores/memcached/items.ts';
import { parseServer } from '../../src/stores/memcached/servers.ts';
import { MemcachedStore } from '../../src/stores/memcached.ts';
import { startOwnMemcached } from '../../test/servers/memcached.ts';
import { median } from '../report.ts';
import type { StoreCase, StoreCases } from '../stores.ts';

const RECORD = Buffer.alloc(500, 0xa7);
/** What the package memcached can carry as it is. */
const JSON_RECORD = Buffer.from(JSON.stringify({ text: 'x'.repeat(489) }));
const LIFETIME = 86_400;
const LATER = Date.now() + LIFETIME * 1000;
const keys = Array.from({ length: 64 }, (_, worker) => `bench:${'x'.repeat(37)}:${worker}`);

/** The same content, in an object of its own for each worker: the store remembers what each stands for. */
interface Worker {
  bytes: Uint8Array;
  token: Token | undefined;
}

function workers(record: Buffer): Worker[] {
  return keys.map(() => ({ bytes: new Uint8Array(record), token: undefined }));
}

function ownCases(store: MemcachedStore, client: MetaClient): StoreCase[] {
  const key = (worker: number) => keys[worker]!;
  const state = { store: workers(RECORD), bare: workers(RECORD) };
  return [
    { name: 'own client: read', store: (n) => store.read(key(n)), bare: (n) => client.read(key(n), itself) },
    {
      name: 'own client: read and write',
      store: async (n) => {
        const found = await store.read(key(n));
        await store.write(key(n), state.store[n]!.bytes, LATER, found!.bytes);
      },
      bare: async (n) => {
        const { token } = (await client.read(key(n), itself)) as Item;
        await client.replace(key(n), state.bare[n]!.bytes, LIFETIME, token);
      },
    },
    {
      name: 'own client: touch',
      store: (n) => store.touch(key(n), LATER),
      bare: (n) => client.touch(key(n), LIFETIME),
    },
    {
      name: 'own client: delete what is not there',
      store: (n) => store.delete(`${key(n)}:none`),
      bare: (n) => client.remove(`${key(n)}:none`),
    },
  ];
}

function itself(item: Item): Item {
  return item;
}

function memjsCases(store: MemcachedStore, client: memjs.Client): StoreCase[] {
  const key = (worker: number) => keys[worker]!;
  return [
    { name: 'memjs: read', store: (n) => store.read(key(n)), bare: (n) => client.get(key(n)) },
    {
      name: 'memjs: write',
      store: (n) => store.write(key(n), RECORD, LATER, RECORD),
      bare: async (n) => {
        const { value } = await client.get(key(n));
        assert.ok(value?.equals(RECORD));
        await client.replace(key(n), RECORD, { expires: LIFETIME });
      },
    },
    { name: 'memjs: touch', store: (n) => store.touch(key(n), LATER), bare: (n) => client.touch(key(n), LIFETIME) },
  ];
}

interface Found {
  readonly cas: string;
  readonly [key: string]: unknown;
}

/** A record is bytes: whoever uses this client has to make them out of text, and text out of them. */
function fromText(found: Found, key: string): Uint8Array {
  return Buffer.from(found[key] as string);
}

function memcachedCases(store: MemcachedStore, client: Memcached): StoreCase[] {
  const key = (worker: number) => `${keys[worker]!}:json`;
  return [
    {
      name: 'memcached: read',
      store: (n) => store.read(key(n)),
      bare: async (n) => fromText(await called((done) => client.gets(key(n), done)), key(n)),
    },
    {
      name: 'memcached: read and write',
      store: async (n) => {
        const found = await store.read(key(n));
        await store.write(key(n), JSON_RECORD, LATER, found!.bytes);
      },
      bare: async (n) => {
        const found = await called<Found>((done) => client.gets(key(n), done));
        fromText(found, key(n));
        await called((done) => client.cas(key(n), JSON_RECORD.toString(), found.cas, LIFETIME, done));
      },
    },
    {
      name: 'memcached: touch',
      store: (n) => store.touch(key(n), LATER),
      bare: (n) => called<void>((done) => client.touch(key(n), LIFETIME, done)),
    },
  ];
}

function called<T>(call: (done: (error: unknown, result: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => call((error, result) => (error ? reject(error) : resolve(result))));
}

async function open() {
  // One thread, so that every connection is served by the same: which core wakes which is a large part of a round trip.
  const server = await startOwnMemcached({ args: ['-t', '1'] });
  const settings = { timeout: 5000, tls: undefined, credentials: undefined };
  const own = new MetaClient([parseServer(server.address)], 'pymemcache', settings);
  const memjsClient = memjs.Client.create(server.address, { timeout: 5 });
  const npmClient = new Memcached(server.address);
  const stores = {
    own: new MemcachedStore({ servers: server.address }),
    memjs: new MemcachedStore({ client: memjsClient }),
    memcached: new MemcachedStore({ client: npmClient }),
  };
  for (const key of keys) {
    await own.remove(key);
    await own.remove(`${key}:json`);
    assert.equal(await stores.own.write(key, RECORD, LATER, undefined), 'written');
    assert.equal(await stores.memjs.write(key, RECORD, LATER, RECORD), 'written');
    assert.deepEqual(Buffer.from((await stores.own.read(key))!.bytes), RECORD);
    assert.equal(await stores.memcached.write(`${key}:json`, JSON_RECORD, LATER, undefined), 'written');
    assert.deepEqual(Buffer.from((await stores.own.read(`${key}:json`))!.bytes), JSON_RECORD);
    assert.equal(await stores.own.touch(key, LATER), true);
  }
  return {
    own,
    memjsClient,
    npmClient,
    stores,
    async close() {
      for (const store of Object.values(stores)) store.close();
      for (const key of keys) await own.remove(key);
      own.close();
      memjsClient.close();
      npmClient.end();
      await server.stop();
    },
  };
}

export async function cases(): Promise<StoreCases> {
  const { own, memjsClient, npmClient, stores, close } = await open();
  return {
    cases: [
      ...ownCases(stores.own, own),
      ...memjsCases(stores.memjs, memjsClient),
      ...memcachedCases(stores.memcached, npmClient),
    ],
    close,
  };
}

const TURNS = 60;
const PER_TURN = 2000;
const AT_LEAST = 2;

/** Reads and writes with 64 at once, of the own client and of the packages, in short turns, by chance. @returns whether the target is met */
async function compareClients(): Promise<boolean> {
  const { own, memjsClient, npmClient, close } = await open();
  const text = JSON_RECORD.toString();
  const ownKey = (n: number) => `${keys[n]!}:own`;
  const json = (n: number) => `${keys[n]!}:json`;
  const tokens: Token[] = [];
  for (const n of keys.keys()) tokens[n] = (await own.add(ownKey(n), RECORD, LIFETIME)) as Token;
  const clients: Record<string, Record<string, (n: number) => Promise<unknown>>> = {
    read: {
      own: (n) => own.read(keys[n]!, itself),
      memjs: (n) => memjsClient.get(keys[n]!),
      memcached: (n) => called((done) => npmClient.get(json(n), done)),
    },
    write: {
      // Conditionally, which the others do not do.
      own: async (n) => {
        tokens[n] = (await own.replace(ownKey(n), RECORD, LIFETIME, tokens[n]!)) as Token;
      },
      memjs: (n) => memjsClient.set(keys[n]!, RECORD, { expires: LIFETIME }),
      memcached: (n) => called((done) => npmClient.set(json(n), text, LIFETIME, done)),
    },
  };
  let met = true;
  for (const [operation, steps] of Object.entries(clients)) {
    const rates: Record<string, number[]> = { own: [], memjs: [], memcached: [] };
    for (let turn = 0; turn < TURNS; turn++) {
      for (const [name, step] of Object.entries(steps).sort(() => Math.random() - 0.5)) {
        const start = performance.now();
        let left = PER_TURN;
        const worker = async (n: number): Promise<void> => {
          while (left-- > 0) await step(n);
        };
        await Promise.all(keys.map((_, n) => worker(n)));
        // The first turns warm up.
        if (turn >= TURNS / 6) rates[name]!.push((PER_TURN / (performance.now() - start)) * 1000);
      }
    }
    const rate = Object.fromEntries(Object.entries(rates).map(([name, list]) => [name, median(list)]));
    for (const name of ['memjs', 'memcached']) {
      const ratio = rate.own! / rate[name]!;
      met &&= ratio >= AT_LEAST;
      const figures = `${Math.round(rate.own!)} operations a second, ${name} ${Math.round(rate[name]!)}`;
      console.log(
        `  ${ratio >= AT_LEAST ? 'ok  ' : 'MISS'} ${ratio.toFixed(2)} (≥ ${AT_LEAST})  ${operation}: own ${figures}`,
      );
    }
  }
  await close();
  return met;
}

if (import.meta.main) process.exitCode = (await compareClients()) ? 0 : 1;
