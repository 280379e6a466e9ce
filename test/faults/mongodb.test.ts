/** Servers that are away, silent, cut off, locked or full, and records that are none. */
import { MongodbStore } from 'flacon/stores/mongodb';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SessionEvent } from '../../src/core/events.ts';
import { GuardedStore } from '../../src/core/guarded-store.ts';
import { createSessionInterface } from '../../src/core/options.ts';
import { SessionStoreError } from '../../src/errors.ts';
import { Visitor } from '../../src/testing/visitor.ts';
import { type StartedMongodb, startOwnMongodb } from '../servers/mongodb.ts';
import { startPeer, writeError } from '../servers/mongodb-peer.ts';
import { available, freePort, until } from '../servers/process.ts';
import { type FaultProxy, startProxy } from '../servers/proxy.ts';
import {
  bytes,
  expectNothingUnhandled,
  expectRecovery,
  expectFailures as expectTypedFailures,
  later,
  text,
} from './failures.ts';

/** Seconds. */
const DEADLINE = 1;
/** Connections that these tests leave open at most: those of four verbs at once, and the ones by which the driver watches. */
const FEW = 10;

expectNothingUnhandled();

function expectFailures(store: GuardedStore, code?: string): Promise<SessionStoreError[]> {
  return expectTypedFailures(store, { deadline: DEADLINE, code, name: 'mongodb' });
}

const ways: { name: string; open(url: string): { store: MongodbStore; end(): Promise<void> } }[] = [
  {
    name: 'a URL',
    open: (url) => ({ store: new MongodbStore({ url }), end: async () => {} }),
  },
  {
    name: 'a client',
    open: (url) => {
      const client = new MongoClient(url);
      return { store: new MongodbStore({ client }), end: () => client.close() };
    },
  },
];

const mongodb = await available(startOwnMongodb);
afterAll(() => mongodb.server?.stop());

describe.skipIf(mongodb.missing).each(ways)(`mongodb${mongodb.note}, $name`, ({ open }) => {
  let server: StartedMongodb;
  let proxy: FaultProxy;
  let raw: MongoClient;
  let opened: ReturnType<(typeof ways)[number]['open']>;
  let store: GuardedStore;
  const documents = () => raw.db('flask_session').collection('sessions');

  beforeEach(async () => {
    server = mongodb.server!;
    proxy = await startProxy(server);
    raw = new MongoClient(server.url);
    await documents().deleteMany({});
    await documents().insertOne({ id: 'k', val: bytes('one'), expiration: new Date(later()) });
    begin();
  });
  afterEach(async () => {
    await end();
    await until(() => proxy.open === 0, 'no connection is left');
    await raw.close();
    await proxy.close();
  });

  function begin(): void {
    opened = open(`mongodb://127.0.0.1:${proxy.port}`);
    store = new GuardedStore(opened.store, DEADLINE);
  }
  async function end(): Promise<void> {
    await opened.store.close();
    await opened.end();
  }

  test('away at the start, then there', async () => {
    await end();
    await proxy.refuse();
    begin();
    await expectFailures(store);
    await proxy.pass();
    await expectRecovery(store, 'one', 'two');
    expect(proxy.open).toBeLessThan(FEW);
  });

  test('away for a while, and back', async () => {
    await expectRecovery(store, 'one');
    await proxy.refuse();
    await expectFailures(store);
    await expectFailures(store);
    await proxy.pass();
    await expectRecovery(store, 'one', 'two');
    const { bytes: there } = (await store.read('k'))!;
    expect(await store.write('k', bytes('three'), later(), there)).toBe('written');
    expect(text(await store.read('k'))).toBe('three');
    expect(proxy.open).toBeLessThan(FEW);
  });

  test('connections that break are made anew', async () => {
    for (let round = 0; round < 5; round++) {
      await expectRecovery(store, 'one');
      proxy.reset();
    }
    await expectRecovery(store, 'one');
    expect(proxy.open).toBeLessThan(FEW);
    expect(proxy.accepted).toBeLessThan(60);
  });

  test('silent for longer than the deadline', async () => {
    await expectRecovery(store, 'one');
    server.process.pause();
    try {
      await expectFailures(store, 'ERR_SESSION_STORE_TIMEOUT');
    } finally {
      server.process.resume();
    }
    // What was under way is done late. Nothing is mixed up: each reply belongs to its command.
    await expectRecovery(store, 'one', 'two');
    expect(await store.write('next', bytes('three'), later(), undefined)).toBe('written');
    expect(text(await store.read('next'))).toBe('three');
    expect(proxy.open).toBeLessThan(FEW);
  });

  test('closed while the server is silent', async () => {
    await expectRecovery(store, 'one');
    proxy.hold();
    const read = store.read('k');
    await expect(read).rejects.toBeInstanceOf(SessionStoreError);
    const closed = end();
    await until(
      () =>
        opened.store
          .read('k')
          .then(String, String)
          .then((said) => said.includes('is closed')),
      'closed',
    );
    await proxy.refuse();
    await closed;
  });

  test.each([1, 20, 60])('cut off after %i bytes of a reply', async (count) => {
    await expectRecovery(store, 'one');
    proxy.cutAfter(count);
    const results = await Promise.allSettled([store.read('k'), store.touch('k', later()), store.read('k')]);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(SessionStoreError);
    }
    await expectRecovery(store, 'one');
    expect(proxy.open).toBeLessThan(FEW);
  });

  test('an update whose reply is cut off is done or not, and never half', async () => {
    await expectRecovery(store, 'one');
    await store.touch('k', later());
    proxy.cutAfter(5);
    const result = await Promise.resolve(store.write('k', bytes('two'), later(), bytes('one'))).catch(
      (e: unknown) => e,
    );
    if (result !== 'written') expect(result).toBeInstanceOf(SessionStoreError);
    await expectRecovery(store, 'two', 'one');
    expect(await documents().countDocuments({ id: 'k' })).toBe(1);
  });

  test('records of random bytes, and values that are none', async () => {
    const events: SessionEvent[] = [];
    const sessions = createSessionInterface({ store: opened.store, onEvent: (event) => void events.push(event) });
    const visitor = new Visitor(sessions);
    await visitor.visit((session) => void session.set('a', 1));
    const garbage = [
      bytes('\xc1\xff\0'),
      Buffer.alloc(0),
      bytes('}{'),
      Buffer.alloc(5000, 0x91),
      'text',
      7,
      null,
      { $gt: '' },
      [1],
    ];
    for (const val of garbage) {
      await documents().updateOne({ id: /^session:/ }, { $set: { val } });
      const { value } = await visitor.twin().visit((session) => [session.isNew, session.get('a')]);
      expect(value).toEqual([true, undefined]);
    }
    expect(events.filter(({ type }) => type === 'not-resumed')).toHaveLength(garbage.length);
  });
});

describe.skipIf(mongodb.missing)(`a restart${mongodb.note}`, () => {
  test('of a server that forgets everything', async () => {
    const before = await startOwnMongodb();
    const own = new MongodbStore({ url: before.url });
    const store = new GuardedStore(own, DEADLINE);
    await own.write('k', bytes('one'), later(), undefined);
    await before.process.kill();
    await expectFailures(store);
    const after = await startOwnMongodb(before.port);
    await expectRecovery(store, undefined);
    expect(await store.write('k', bytes('two'), later(), bytes('one'))).toBe('gone');
    expect(await store.write('k', bytes('two'), later(), undefined)).toBe('written');
    await own.close();
    await after.stop();
    await before.stop();
  });
});

/** What mongo-java-server has not: users, a full disk, a fail-over. A scripted peer answers as MongoDB does. */
describe('a scripted server', () => {
  async function against(url: string, code: string): Promise<SessionStoreError[]> {
    const own = new MongodbStore({ url });
    const failures = await expectFailures(new GuardedStore(own, DEADLINE), code);
    await own.close();
    return failures;
  }

  test('that does not know the password', async () => {
    const refused = { ok: 0, code: 18, codeName: 'AuthenticationFailed', errmsg: 'Authentication failed.' };
    const peer = await startPeer(({ name }) => (name === 'saslStart' ? refused : undefined));
    const failures = await against(peer.url.replace('//', '//ann:hunter2@'), 'ERR_SESSION_STORE');
    for (const { message, stack, cause } of failures) {
      expect(message).toContain('refused the user or the password');
      expect(`${message} ${stack} ${String(cause)}`).not.toContain('hunter2');
    }
    await until(() => peer.open < FEW, 'refused connections are not kept');
    await peer.close();
  });

  test('that wants a password', async () => {
    const refused = { ok: 0, code: 13, codeName: 'Unauthorized', errmsg: 'Command requires authentication' };
    const peer = await startPeer(() => refused);
    const failures = await against(peer.url, 'ERR_SESSION_STORE');
    for (const { message, cause } of failures) {
      expect(message).toContain('has the user a role');
      expect(cause).toMatchObject({ code: 13 });
    }
    await peer.close();
  });

  test('that is full: writing fails, reading and deleting work, and so does writing later', async () => {
    let full = false;
    const peer = await startPeer(({ name }) =>
      name === 'update' && full ? writeError(14031, 'disk full') : undefined,
    );
    const own = new MongodbStore({ url: peer.url });
    const store = new GuardedStore(own, DEADLINE);
    expect(await store.write('k', bytes('one'), later(), undefined)).toBe('written');
    full = true;
    await expect(store.write('k', bytes('two'), later(), bytes('one'))).rejects.toMatchObject({
      code: 'ERR_SESSION_STORE',
      operation: 'write',
    });
    await expect(store.write('new', bytes('two'), later(), undefined)).rejects.toBeInstanceOf(SessionStoreError);
    expect(await store.read('k')).toBeUndefined();
    expect(await store.delete('k')).toBe(true);
    full = false;
    expect(await store.write('k', bytes('two'), later(), bytes('one'))).toBe('written');
    await own.close();
    await peer.close();
  });

  test('that breaks off each creation of an index: creating fails, until it does not', async () => {
    let breaks = true;
    const peer = await startPeer(({ name }) => (name === 'createIndexes' && breaks ? 'cut' : undefined));
    const own = new MongodbStore({ url: peer.url });
    const store = new GuardedStore(own, DEADLINE);
    await expect(store.write('k', bytes('one'), later(), undefined)).rejects.toBeInstanceOf(SessionStoreError);
    breaks = false;
    await until(
      async () =>
        (await Promise.resolve(store.write('k', bytes('one'), later(), undefined)).catch(() => '')) === 'written',
      'creating works',
    );
    await own.close();
    await peer.close();
  });
});

describe('an address where nobody is', () => {
  test('says so, before the default deadline', async () => {
    const own = new MongodbStore({ url: `mongodb://127.0.0.1:${await freePort()}/?serverSelectionTimeoutMS=500` });
    const failures = await expectFailures(new GuardedStore(own, DEADLINE), 'ERR_SESSION_STORE');
    for (const { message } of failures) expect(message).toContain('no server answers');
    await own.close();
  });
});

describe('closing', () => {
  test('while it still tries to connect', async () => {
    const store = new MongodbStore({ url: `mongodb://127.0.0.1:${await freePort()}` });
    const read = store.read('k').catch((error: unknown) => error);
    const write = store.write('k', bytes('one'), later(), undefined).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await store.close();
    expect(await read).toMatchObject({ message: 'session store mongodb: it is closed' });
    expect(await write).toMatchObject({ message: 'session store mongodb: it is closed' });
    await expect(store.read('k')).rejects.toThrow('it is closed');
  });

  test('at once, before anything was opened', async () => {
    const store = new MongodbStore({ url: `mongodb://127.0.0.1:${await freePort()}` });
    const read = store.read('k').catch((error: unknown) => error);
    await store.close();
    expect(await read).toBeInstanceOf(Error);
  });
});
