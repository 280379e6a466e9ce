/** The client, the database and the URL, on a server that does every command as one step. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MongodbStore, type MongodbStoreOptions } from 'flacon/stores/mongodb';
import { storeSuite } from 'flacon/testing/store-suite';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { createSessionInterface } from '../../src/core/options.ts';
import { sessionSuite } from '../../src/testing/session-suite.ts';
import { Visitor } from '../../src/testing/visitor.ts';
import { isReal, startMongodb } from '../servers/mongodb.ts';
import { available, until } from '../servers/process.ts';
import { inProcess } from './session-writer-process.ts';

const mongodb = await available(startMongodb);
const server = isReal ? 'mongodb' : 'mongodb, played by mongo-java-server';

describe.skipIf(mongodb.missing)(`${server}${mongodb.note}`, () => {
  const url = mongodb.server?.url ?? 'mongodb://localhost';
  const database = `flacon_${randomBytes(6).toString('hex')}`;
  const client = new MongoClient(url);

  afterAll(async () => {
    await client.db(database).dropDatabase();
    await client.close();
    await mongodb.server?.stop();
  });

  const ways: { name: string; options: MongodbStoreOptions }[] = [
    { name: 'a client', options: { client, database } },
    { name: 'a database', options: { db: client.db(database), collection: 'by database' } },
    { name: 'a URL', options: { url, database } },
    { name: 'a collection of another name', options: { client, database, collection: 'сессии-Übung' } },
  ];
  for (const { name, options } of ways) {
    storeSuite({ describe, it }, { name: `mongodb, ${name}`, create: (now) => new MongodbStore({ ...options, now }) });
  }

  const create = (now: () => number) => new MongodbStore({ client, database, now });
  sessionSuite({ describe, it }, { name: 'mongodb, secure profile', create });
  for (const format of ['msgpack', 'json', 'pickle'] as const) {
    sessionSuite(
      { describe, it },
      { name: `mongodb, Flask profile, ${format}`, create, options: { profile: 'flask', format } },
    );
  }

  describe('two processes', () => {
    const options = { url, database };
    const store = new MongodbStore(options);
    afterAll(() => store.close());

    test.each(['key', 'count'] as const)('100 parallel requests over both lose nothing: %s', async (task) => {
      const visitor = new Visitor(createSessionInterface({ store }));
      await visitor.visit((session) => void session.set('n', 0));
      const shared = { module: 'stores/mongodb.ts', store: 'MongodbStore', options, cookie: visitor.cookie!, task };
      await Promise.all([inProcess({ ...shared, from: 0, to: 50 }), inProcess({ ...shared, from: 50, to: 100 })]);
      const { value } = await visitor.visit((session) => ({
        keys: [...session.keys()].filter((key) => key.startsWith('key')).length,
        count: session.get('n'),
      }));
      expect(value).toEqual(task === 'key' ? { keys: 100, count: 0 } : { keys: 0, count: 100 });
    });
  });

  describe('docs/stores/mongodb.md', () => {
    const page = readFileSync(new URL('../../docs/stores/mongodb.md', import.meta.url), 'utf8');
    const snippets = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
    const folder = fileURLToPath(new URL(`../../dist/mongodb-${process.pid}/`, import.meta.url));
    beforeAll(() => void mkdirSync(folder, { recursive: true }));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test.each(snippets.map((code, i) => ({ i, code })))('snippet $i runs', async ({ i, code }) => {
      writeFileSync(`${folder}${i}.ts`, code.replaceAll('mongodb://localhost:27017', url));
      await import(`${folder}${i}.ts`);
    });
  });

  describe('a collection that Flask-Session has used', () => {
    const bytes = (text: string) => Buffer.from(text);
    const later = () => Date.now() + 60_000;
    let used = 0;
    let flask: ReturnType<typeof collection>;
    let notices: string[];
    let store: MongodbStore;
    const collection = () => client.db(database).collection(`flask_${used}`);

    beforeAll(() => client.connect());
    const begin = async () => {
      used++;
      flask = collection();
      notices = [];
      await flask.createIndex({ expiration: 1 }, { expireAfterSeconds: 0 });
      store = new MongodbStore({
        db: client.db(database),
        collection: `flask_${used}`,
        onNotice: (m) => notices.push(m),
      });
    };
    const save = (id: string, text: string, expiration: unknown) =>
      flask.insertOne({ id, val: bytes(text), expiration });

    test('gets the index that it lacks, and keeps its own', async () => {
      await begin();
      await save('session:a', 'one', new Date(later()));
      expect(await store.write('session:b', bytes('two'), later(), undefined)).toBe('written');
      const indexes = await flask.indexes();
      expect(indexes.map(({ key, unique, expireAfterSeconds }) => ({ key, unique, expireAfterSeconds }))).toEqual([
        { key: { _id: 1 }, unique: undefined, expireAfterSeconds: undefined },
        { key: { expiration: 1 }, unique: undefined, expireAfterSeconds: 0 },
        { key: { id: 1 }, unique: true, expireAfterSeconds: undefined },
      ]);
      expect(await store.write('session:a', bytes('three'), later(), bytes('one'))).toBe('written');
      expect(notices).toEqual([]);
    });

    test('with two documents of one session: it says so, works, and ends both', async () => {
      await begin();
      await save('session:a', 'one', new Date(later()));
      await save('session:a', 'twin', new Date(later()));
      await save('session:b', 'one', new Date(later()));
      await save('session:b', 'twin', new Date(later()));
      expect(await store.write('session:c', bytes('two'), later(), undefined)).toBe('written');
      expect(notices).toEqual([expect.stringContaining('unique index on `id`')]);
      expect(await store.write('session:c', bytes('three'), later(), undefined)).toMatchObject({
        conflict: { bytes: bytes('two') },
      });
      expect(await flask.countDocuments({ id: 'session:c' })).toBe(1);

      expect(await store.write('session:a', bytes('two'), later(), bytes('one'))).toBe('written');
      expect((await store.read('session:a'))?.bytes).toEqual(bytes('two'));
      expect(await store.write('session:a', null, 0, bytes('two'))).toBe('written');
      expect(await store.read('session:a')).toBeUndefined();
      expect(await store.delete('session:b')).toBe(true);
      expect(await flask.countDocuments({ id: { $ne: 'session:c' } })).toBe(0);
      expect(await flask.indexExists('id_plain')).toBe(true);
    });

    test('documents without a proper deadline, or record, are none, and in nobody’s way', async () => {
      await begin();
      for (const [id, expiration] of Object.entries({
        none: undefined,
        null: null,
        text: 'tomorrow',
        past: new Date(0),
      })) {
        await flask.insertOne(expiration === undefined ? { id, val: bytes('x') } : { id, val: bytes('x'), expiration });
        expect(await store.read(id)).toBeUndefined();
        expect(await store.touch(id, later())).toBe(false);
        expect(await store.write(id, bytes('y'), later(), bytes('x'))).toBe('gone');
        expect(await store.write(id, bytes('y'), later(), undefined)).toBe('written');
        expect(await flask.find({ id }).toArray()).toHaveLength(1);
        expect((await store.read(id))?.bytes).toEqual(bytes('y'));
      }
      await flask.insertOne({ id: 'number', val: 7, expiration: new Date(later()) });
      expect(await store.read('number')).toMatchObject({ bytes: new Uint8Array() });
      expect(await store.delete('number')).toBe(true);
    });

    test('a record as text, which Flask-Session under Python 2 could leave, is read and replaced', async () => {
      await begin();
      await flask.insertOne({ id: 'session:a', val: '(dp0\n.', expiration: new Date(later()) });
      const { bytes: old } = (await store.read('session:a'))!;
      expect(Buffer.from(old)).toEqual(bytes('(dp0\n.'));
      expect(await store.write('session:a', bytes('new'), later(), bytes('other'))).toMatchObject({ conflict: {} });
      expect(await store.write('session:a', bytes('new'), later(), old)).toBe('written');
      expect((await store.read('session:a'))?.bytes).toEqual(bytes('new'));
    });

    test('a record for ever ends in a year that Python knows', async () => {
      await begin();
      await store.write('session:a', bytes('one'), Number.POSITIVE_INFINITY, undefined);
      expect((await flask.findOne({ id: 'session:a' }))?.expiration).toEqual(new Date('9999-12-31T23:59:59.999Z'));
      expect(await store.read('session:a')).toMatchObject({ expiresAt: Number.POSITIVE_INFINITY });
    });

    test('a sweep deletes what has expired, up to its limit, and nothing else', async () => {
      await begin();
      await flask.insertMany(
        Array.from({ length: 2500 }, (_, i) => ({ id: `old${i}`, val: bytes('x'), expiration: new Date(1000 + i) })),
      );
      await save('session:live', 'one', new Date(later()));
      expect(await store.sweep(0)).toBe(0);
      expect(await store.sweep(10)).toBe(10);
      expect(await store.sweep(Number.POSITIVE_INFINITY)).toBe(2490);
      expect(await store.sweep(10)).toBe(0);
      expect((await store.read('session:live'))?.bytes).toEqual(bytes('one'));
    });

    if (isReal) {
      test('the server deletes what has expired, within two of its minutes', async () => {
        await begin();
        await store.write('session:a', bytes('one'), Date.now() + 1000, undefined);
        await until(async () => (await flask.countDocuments({})) === 0, 'the document is gone', 130_000);
      }, 150_000);
    }
  });
});
