/** What no server here would show: the exact commands, what is asked of servers that refuse, and what happens between commands. */
import { MongodbStore } from 'flacon/stores/mongodb';
import { BSON, MongoClient, type MongoClientOptions } from 'mongodb';
import { afterEach, describe, expect, test } from 'vitest';
import { SessionConfigError } from '../../../src/errors.ts';
import { openClient } from '../../../src/stores/mongodb/driver.ts';
import { type Answer, type Command, found, type Peer, startPeer, writeError } from '../../servers/mongodb-peer.ts';
import { until } from '../../servers/process.ts';

const NOW = 1_900_000_000_250;
const LATER = NOW + 60_000;
const now = () => NOW;
const bytes = (text: string) => new TextEncoder().encode(text);
const binary = (text: string) => new BSON.Binary(bytes(text));
const live = { $gt: new Date(NOW) };
const dead = { $not: { $gt: new Date(NOW) } };
const set = { $set: { id: 'k', val: binary('new'), expiration: new Date(LATER) } };
const document = (text: string) => ({ val: binary(text), expiration: new Date(LATER) });

/** As it comes out: in a class of the runtime's. */
const record = (text: string) => ({ bytes: Buffer.from(text), expiresAt: LATER });

const unique = { createIndexes: 'sessions', indexes: [{ key: { id: 1 }, name: 'id_1', unique: true }] };
const expiring = {
  createIndexes: 'sessions',
  indexes: [{ key: { expiration: 1 }, name: 'expiration_1', expireAfterSeconds: 0 }],
};
const find = {
  find: 'sessions',
  filter: { id: 'k', expiration: live },
  projection: { _id: 0, val: 1, expiration: 1 },
  limit: 1,
  singleBatch: true,
};
const upsert = {
  update: 'sessions',
  updates: [{ q: { id: 'k', expiration: dead }, u: set, upsert: true }],
  ordered: true,
};

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

type Script = (command: Command) => Answer | undefined | Promise<Answer | undefined>;

async function stage(
  answer?: Script,
  options: object = {},
): Promise<{ peer: Peer; store: MongodbStore; notices: string[] }> {
  const peer = await startPeer(answer);
  const notices: string[] = [];
  const onNotice = (message: string) => notices.push(message);
  const store = new MongodbStore({ url: peer.url, now, onNotice, ...options });
  cleanUp.push(
    () => peer.close(),
    () => store.close(),
  );
  return { peer, store, notices };
}

/** With the indexes made, and forgotten. */
async function ready(answer?: Script, options: object = {}): ReturnType<typeof stage> {
  let begun = false;
  const staged = await stage((command) => (begun ? answer?.(command) : undefined), options);
  await staged.store.write('k', bytes('x'), LATER, undefined);
  (staged.peer.commands as Command[]).length = 0;
  begun = true;
  return staged;
}

/** One answer for each command, in turn. */
function inTurn(...answers: (Answer | undefined)[]): Script {
  return () => answers.shift();
}

describe('the commands', () => {
  test('the first write of a process makes the indexes, and then a document', async () => {
    const { peer, store, notices } = await stage();
    expect(await store.write('k', bytes('new'), LATER, undefined)).toBe('written');
    expect(peer.commands.map(({ body }) => body)).toEqual([unique, expiring, upsert]);
    expect(await store.write('k', bytes('new'), LATER, undefined)).toBe('written');
    expect(peer.names).toEqual(['createIndexes', 'createIndexes', 'update', 'update']);
    expect(notices).toEqual([]);
  });

  test('many first writes at once make the indexes once', async () => {
    const { peer, store } = await stage();
    await Promise.all(Array.from({ length: 20 }, () => store.write('k', bytes('new'), LATER, undefined)));
    expect(peer.names.filter((name) => name === 'createIndexes')).toHaveLength(2);
  });

  test('reading, updating, touching and deleting do not wait for the indexes', async () => {
    const { peer, store } = await stage(({ name }) => {
      if (name === 'createIndexes') return 'silence';
      return name === 'find' ? found(document('old')) : undefined;
    });
    expect(await store.read('k')).toEqual(record('old'));
    expect(await store.write('k', bytes('new'), LATER, bytes('old'))).toBe('written');
    expect(await store.touch('k', LATER)).toBe(true);
    expect(await store.delete('k')).toBe(true);
    expect(peer.names.filter((name) => name === 'createIndexes')).toHaveLength(1);
  });

  test('read', async () => {
    const { peer, store } = await ready(inTurn(found(document('old'))));
    expect(await store.read('k')).toEqual(record('old'));
    expect(await store.read('k')).toBeUndefined();
    expect(peer.commands.map(({ body }) => body)).toEqual([find, find]);
  });

  test('update: one command where nobody interferes', async () => {
    const { peer, store } = await ready();
    expect(await store.write('k', bytes('new'), LATER, bytes('old'))).toBe('written');
    const q = { id: 'k', val: binary('old'), expiration: live };
    expect(peer.commands.map(({ body }) => body)).toEqual([
      { update: 'sessions', updates: [{ q, u: set }], ordered: true },
    ]);
  });

  test('delete as it is: one command where nobody interferes', async () => {
    const { peer, store } = await ready();
    expect(await store.write('k', null, LATER, bytes('old'))).toBe('written');
    expect(await store.write('k', bytes('new'), NOW, bytes('old'))).toBe('written');
    const q = { id: 'k', val: binary('old'), expiration: live };
    const command = { delete: 'sessions', deletes: [{ q, limit: 1 }], ordered: true };
    expect(peer.commands.map(({ body }) => body)).toEqual([command, command]);
  });

  test('an update that finds something else reads it: a conflict, or gone', async () => {
    const { peer, store } = await ready(inTurn({ n: 0 }, found(document('other')), { n: 0 }, found()));
    expect(await store.write('k', bytes('new'), LATER, bytes('old'))).toEqual({ conflict: record('other') });
    expect(await store.write('k', null, LATER, bytes('old'))).toBe('gone');
    expect(peer.names).toEqual(['update', 'find', 'delete', 'find']);
    expect(peer.commands[1]!.body).toEqual(find);
  });

  test('a creation that meets a live document reads it', async () => {
    const { peer, store } = await ready(inTurn(writeError(11_000, 'E11000 duplicate key'), found(document('other'))));
    expect(await store.write('k', bytes('new'), LATER, undefined)).toEqual({ conflict: record('other') });
    expect(peer.commands.map(({ body }) => body)).toEqual([upsert, find]);
  });

  test('creating nothing only reads', async () => {
    const { peer, store } = await ready(inTurn(found(document('other'))));
    expect(await store.write('k', null, LATER, undefined)).toEqual({ conflict: record('other') });
    expect(await store.write('k', bytes('late'), NOW, undefined)).toBe('written');
    expect(peer.commands.map(({ body }) => body)).toEqual([find, find]);
  });

  test('touch', async () => {
    const { peer, store } = await ready(inTurn(undefined, { n: 0 }));
    expect(await store.touch('k', LATER + 0.75)).toBe(true);
    expect(await store.touch('k', Number.POSITIVE_INFINITY)).toBe(false);
    const [first, second] = peer.commands.map(({ body }) => body.updates);
    expect(first).toEqual([{ q: find.filter, u: { $set: { expiration: new Date(LATER) } } }]);
    expect(second).toEqual([{ q: find.filter, u: { $set: { expiration: new Date('9999-12-31T23:59:59.999Z') } } }]);
  });

  test('delete: one command where there is something, and a second for what Flask would still find', async () => {
    const { peer, store } = await ready(inTurn({ n: 1 }, { n: 0 }, { n: 1 }));
    expect(await store.delete('k')).toBe(true);
    expect(await store.delete('k')).toBe(false);
    expect(peer.commands.map(({ body }) => body.deletes)).toEqual([
      [{ q: find.filter, limit: 1 }],
      [{ q: find.filter, limit: 1 }],
      [{ q: { id: 'k', expiration: dead }, limit: 0 }],
    ]);
  });

  test('sweep', async () => {
    const ids = [new BSON.ObjectId(), new BSON.ObjectId()];
    const { peer, store } = await ready(inTurn(found(...ids.map((_id) => ({ _id }))), { n: 2 }));
    expect(await store.sweep(10)).toBe(2);
    const expiration = { $lte: new Date(NOW) };
    expect(peer.commands.map(({ body }) => body)).toEqual([
      { find: 'sessions', filter: { expiration }, projection: { _id: 1 }, limit: 10 },
      { delete: 'sessions', deletes: [{ q: { _id: { $in: ids }, expiration }, limit: 0 }], ordered: true },
    ]);
  });
});

describe('between two commands', () => {
  test('what stood in the way of a creation goes: it is tried again, and not for ever', async () => {
    const duplicate = writeError(11_000, 'E11000 duplicate key');
    const { peer, store } = await ready(inTurn(duplicate, found(), undefined));
    expect(await store.write('k', bytes('new'), LATER, undefined)).toBe('written');
    expect(peer.names).toEqual(['update', 'find', 'update']);

    const hopeless = await ready(({ name }) => (name === 'update' ? duplicate : found()));
    await expect(hopeless.store.write('k', bytes('new'), LATER, undefined)).rejects.toMatchObject({ code: 11_000 });
    expect(hopeless.peer.names).toHaveLength(10);
  });

  test('what an update expected comes back: it is tried again, and not for ever', async () => {
    const { peer, store } = await ready(inTurn({ n: 0 }, found(document('old')), undefined));
    expect(await store.write('k', bytes('new'), LATER, bytes('old'))).toBe('written');
    expect(peer.names).toEqual(['update', 'find', 'update']);

    const hopeless = await ready(({ name }) => (name === 'update' ? { n: 0 } : found(document('old'))));
    expect(await hopeless.store.write('k', bytes('new'), LATER, bytes('old'))).toEqual({ conflict: record('old') });
    expect(hopeless.peer.names).toHaveLength(10);
  });
});

describe('a server that refuses an index', () => {
  test('on the deadline (FerretDB): it says so, and keeps an index to sweep by', async () => {
    const refused = { ok: 0, code: 238, codeName: 'NotImplemented', errmsg: 'expireAfterSeconds is not implemented' };
    const { peer, store, notices } = await stage(({ body }) =>
      body.indexes?.[0].expireAfterSeconds === 0 ? refused : undefined,
    );
    expect(await store.write('k', bytes('new'), LATER, undefined)).toBe('written');
    const plain = { createIndexes: 'sessions', indexes: [{ key: { expiration: 1 }, name: 'expiration_plain' }] };
    expect(peer.commands.map(({ body }) => body)).toEqual([unique, expiring, plain, upsert]);
    expect(notices).toEqual([expect.stringContaining('sweep()')]);
  });

  test.each([11_000, 85, 86])(
    'on the id (%i): it says so, reads before it creates, and deletes every double',
    async (code) => {
      const { peer, store, notices } = await stage(({ body }) => {
        if (body.indexes?.[0].unique) return { ok: 0, code, errmsg: 'refused' };
        return body.find && peer.names.filter((name) => name === 'find').length > 1
          ? found(document('there'))
          : undefined;
      });
      expect(await store.write('k', bytes('new'), LATER, undefined)).toBe('written');
      const plain = { createIndexes: 'sessions', indexes: [{ key: { id: 1 }, name: 'id_plain' }] };
      expect(peer.commands.map(({ body }) => body)).toEqual([unique, plain, expiring, find, upsert]);
      expect(notices).toEqual([expect.stringContaining('unique index on `id`')]);
      expect(await store.write('k', bytes('new'), LATER, undefined)).toEqual({ conflict: record('there') });
      (peer.commands as Command[]).length = 0;
      await store.write('k', null, LATER, bytes('there'));
      await store.delete('k');
      expect(peer.commands.map(({ body }) => body.deletes[0])).toEqual([
        { q: { id: 'k', val: binary('there'), expiration: live }, limit: 1 },
        { q: { id: 'k' }, limit: 0 },
        { q: find.filter, limit: 0 },
        { q: { id: 'k', expiration: dead }, limit: 0 },
      ]);
    },
  );

  test('for want of a right: creating fails and says why, the rest works; the next one asks again', async () => {
    let allowed = false;
    const { peer, store, notices } = await stage(({ name }) =>
      name === 'createIndexes' && !allowed ? { ok: 0, code: 13, errmsg: 'not authorized on flask_session' } : undefined,
    );
    await expect(store.write('k', bytes('new'), LATER, undefined)).rejects.toThrow('has the user a role');
    expect(await store.touch('k', LATER)).toBe(true);
    expect(peer.names).toEqual(['createIndexes', 'update']);
    allowed = true;
    expect(await store.write('k', bytes('new'), LATER, undefined)).toBe('written');
    expect(notices).toEqual([]);
  });

  test('is not asked where the indexes are somebody else’s', async () => {
    const { peer, store } = await stage(undefined, { createIndexes: false });
    expect(await store.write('k', bytes('new'), LATER, undefined)).toBe('written');
    expect(await store.delete('k')).toBe(true);
    expect(peer.names).toEqual(['update', 'delete']);
  });

  test('is a warning of the process, where nobody listens', async () => {
    const peer = await startPeer(({ body }) =>
      body.indexes?.[0].expireAfterSeconds === 0 ? { ok: 0, code: 238, errmsg: 'no' } : undefined,
    );
    const store = new MongodbStore({ url: peer.url, now });
    cleanUp.push(
      () => peer.close(),
      () => store.close(),
    );
    const warned = new Promise<NodeJS.ErrnoException>((resolve) => process.once('warning', resolve));
    await store.write('k', bytes('new'), LATER, undefined);
    expect(await warned).toMatchObject({ code: 'FLACON_MONGODB_INDEX', message: expect.stringContaining('sweep()') });
  });
});

describe('a client of the application', () => {
  async function given(options: MongoClientOptions, answer?: Script) {
    const peer = await startPeer(answer);
    const client = new MongoClient(peer.url, options);
    const store = new MongodbStore({ client, now });
    cleanUp.push(
      () => peer.close(),
      () => client.close(),
      () => store.close(),
    );
    return { peer, client, store };
  }

  test.each<[string, MongoClientOptions]>([
    ['raw answers', { raw: true }],
    ['values of BSON', { promoteValues: false, promoteLongs: false }],
    ['BigInts', { useBigInt64: true }],
    ['reads from secondaries', { readPreference: 'secondaryPreferred' }],
    ['a declared API', { serverApi: { version: '1', strict: true, deprecationErrors: true } }],
  ])('that asks for %s', async (_, options) => {
    const { peer, store } = await given(options, ({ name }) => (name === 'find' ? found(document('old')) : undefined));
    expect(await store.write('k', bytes('new'), LATER, undefined)).toBe('written');
    expect(await store.write('k', bytes('new'), LATER, bytes('old'))).toBe('written');
    expect(await store.read('k')).toEqual(record('old'));
    expect(await store.touch('k', LATER)).toBe(true);
    expect(await store.delete('k')).toBe(true);
    for (const { bytes: message } of peer.commands) expect(message.includes('secondary')).toBe(false);
  });

  test('is left open', async () => {
    const { client, store } = await given({});
    await store.read('k');
    await store.close();
    await expect(store.read('k')).rejects.toThrow('it is closed');
    expect(await client.db('any').command({ ping: 1 })).toEqual({ ok: 1 });
  });

  test('whose writes are not answered is refused', () => {
    const client = new MongoClient('mongodb://127.0.0.1:1', { writeConcern: { w: 0 } });
    expect(() => new MongodbStore({ client })).toThrow('writeConcern: got w: 0');
  });
});

describe('options', () => {
  const client = new MongoClient('mongodb://127.0.0.1:1');
  test.each<[string, object]>([
    ['url', { client, url: 'mongodb://localhost' }],
    ['db', { client, db: client.db('a') }],
    ['database', { db: client.db('a'), database: 'b' }],
    ['client', { client: client.db('a') }],
    ['client', { client: null }],
    ['client', { client: 'mongodb://localhost' }],
    ['db', { db: client }],
    ['db', { db: client.db('a').collection('b') }],
    ['url', { url: 'localhost:27017' }],
    ['url', { url: 'postgres://localhost' }],
    ['url', { url: 'mongodb://' }],
    ['database', { database: '' }],
    ['database', { database: 'a.b' }],
    ['database', { database: 'a$b' }],
    ['database', { database: 'é'.repeat(32) }],
    ['collection', { collection: '' }],
    ['collection', { collection: 'system.sessions' }],
    ['collection', { collection: 'a$b' }],
    ['collection', { collection: 'a..b' }],
    ['collection', { collection: 'a\0b' }],
  ])('refused: %s of %o', (option, options) => {
    const refused = expect(() => new MongodbStore(options));
    refused.toThrow(SessionConfigError);
    refused.toThrow(new RegExp(`^${option}: got`));
  });

  test.each<[object]>([
    [{}],
    [{ client }],
    [{ client, database: 'é'.repeat(31), collection: 'Sitzungen.für_ß' }],
    [{ db: client.db('a'), collection: '会话' }],
    [{ url: 'mongodb+srv://user:secret@cluster.example/' }],
  ])('accepted, without a connection: %o', async (options) => {
    await new MongodbStore(options).close();
  });
});

describe('a URL', () => {
  test('without the driver, the first verb says what to install', async () => {
    const missing = () => Promise.reject(Object.assign(new Error('no'), { code: 'ERR_MODULE_NOT_FOUND' }));
    await expect(openClient('mongodb://localhost', missing)).rejects.toThrow(SessionConfigError);
    await expect(openClient('mongodb://localhost', missing)).rejects.toThrow('npm install mongodb');
    const broken = new Error('broken');
    await expect(openClient('mongodb://localhost', () => Promise.reject(broken))).rejects.toBe(broken);
  });

  test('that the driver refuses: what it says is told, and never what may be a password', async () => {
    const refusal = (url: string) => new MongodbStore({ url }).read('k').catch((error: Error) => error.message);
    expect(await refusal('mongodb://localhost/?nonsense=1')).toContain('nonsense');
    expect(await refusal('mongodb://ann:hunter2@localhost/?nonsense=1')).toContain('nonsense');
    for (const url of [
      'mongodb://ann:hunter2@@host:x',
      'mongodb://ann:hunter2@host:99999',
      'mongodb://hunter2:%zz@h',
    ]) {
      const message = await refusal(url);
      expect(message).toMatch(/^url: got/);
      expect(message).not.toContain('hunter2');
    }
  });

  test('times out sooner than the driver by itself, unless the URL says otherwise', async () => {
    const client = (await openClient(
      'mongodb://localhost/?socketTimeoutMS=7&serverselectiontimeoutms=8',
    )) as unknown as MongoClient;
    const { connectTimeoutMS, waitQueueTimeoutMS, socketTimeoutMS, serverSelectionTimeoutMS } = client.options;
    expect([socketTimeoutMS, serverSelectionTimeoutMS]).toEqual([7, 8]);
    expect(connectTimeoutMS).toBeLessThan(30_000);
    expect(waitQueueTimeoutMS).toBeGreaterThan(0);
    await client.close();
  });

  test('with w=0 is refused by the first verb', async () => {
    const { store, peer } = await stage();
    const unanswered = new MongodbStore({ url: `${peer.url}/?w=0` });
    await expect(unanswered.read('k')).rejects.toThrow('writeConcern: got w: 0');
    await unanswered.close();
    expect(await store.read('k')).toBeUndefined();
  });

  test('leaves no connection when it is closed, twice', async () => {
    const { peer, store } = await ready();
    expect(peer.open).toBeGreaterThan(0);
    await Promise.all([store.close(), store.close()]);
    await until(() => peer.open === 0, 'no connection is left');
    await expect(store.read('k')).rejects.toThrow('it is closed');
  });
});
