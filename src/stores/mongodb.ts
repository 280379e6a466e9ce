/**
 * MongoDB, through the driver `mongodb`: over the client that the application has, or one of the store's own, from a URL.
 *
 * A record is the document that Flask-Session keeps: `{ id, val, expiration }`. Every verb is one command, and the server
 * does it as one step: a first write is an upsert that a live document of the same id makes fail, a later one is an update
 * whose filter holds the bytes that are expected. Only what was in the way costs another command, to read it.
 *
 * What has expired is deleted by the server, up to a minute late, and not found here from its deadline on.
 */
import type { SessionStore, StoredRecord, WriteResult } from '../core/store.ts';
import { SessionStoreError } from '../errors.ts';
import { refuseUnknown } from './known-options.ts';
import { type Collection, isDuplicate, type MongodbClient, type MongodbDatabase } from './mongodb/collection.ts';
import { MongodbConnection } from './mongodb/connection.ts';
import { setDocument, toDate, toRecord } from './mongodb/document.ts';
import { explain } from './mongodb/failure.ts';
import { Indexes } from './mongodb/indexes.ts';

export type { MongodbClient, MongodbDatabase } from './mongodb/collection.ts';

export interface MongodbStoreOptions {
  /** A `MongoClient` of yours. It stays yours: the store does not close it. */
  client?: MongodbClient;
  /** A `Db` of yours, in place of a client and `database`. */
  db?: MongodbDatabase;
  /**
   * Where neither is given: `mongodb://…` or `mongodb+srv://…`, with the driver's options in its query. The store then
   * connects at the first use and closes what it opened. What the path names is where the user is known, as everywhere in
   * MongoDB; where sessions go is `database`. Default `mongodb://localhost:27017`.
   */
  url?: string;
  /** Default `flask_session`, as in Flask-Session. */
  database?: string;
  /** Default `sessions`, as in Flask-Session. */
  collection?: string;
  /** Whether to make the indexes at the first use. Default true; false says that there is a unique one on `id`. */
  createIndexes?: boolean;
  /**
   * Told what the server refused to index, and what that means. By default a process warning with code
   * `FLACON_MONGODB_INDEX`.
   */
  onNotice?: (message: string) => void;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}

const KNOWN = {
  client: true,
  db: true,
  url: true,
  database: true,
  collection: true,
  createIndexes: true,
  onNotice: true,
  now: true,
} as const;

/** Times that a write starts over because what was in its way has just gone. */
const ATTEMPTS = 5;
const RECORD = { projection: { _id: 0, val: 1, expiration: 1 } };
/** Documents that one command of a sweep deletes. */
const SWEPT_AT_ONCE = 1000;

export class MongodbStore implements SessionStore {
  readonly name = 'mongodb';
  readonly #connection: MongodbConnection;
  readonly #createIndexes: boolean;
  readonly #onNotice: (message: string) => void;
  readonly #now: () => number;
  /** Undefined until the collection is there, and where somebody else makes them. */
  #indexes: Indexes | undefined;
  #closed = false;

  /** Opens nothing yet. @throws SessionConfigError */
  constructor(options: MongodbStoreOptions = {}) {
    refuseUnknown(options, KNOWN);
    const { createIndexes = true, onNotice = warn, now = Date.now, ...place } = options;
    this.#connection = new MongodbConnection(place);
    this.#createIndexes = createIndexes;
    this.#onNotice = onNotice;
    this.#now = now;
  }

  read(key: string): Promise<StoredRecord | undefined> {
    return this.#with('read', (collection) => this.#find(collection, key));
  }

  write(
    key: string,
    record: Uint8Array | null,
    expiresAt: number,
    expected: Uint8Array | undefined,
  ): Promise<WriteResult> {
    const next = record === null || expiresAt <= this.#now() ? null : setDocument(key, record, expiresAt);
    return this.#with('write', async (collection) => {
      if (expected) return this.#replace(collection, key, next, expected);
      if (next) return this.#create(collection, key, next);
      const conflict = await this.#find(collection, key);
      return conflict ? { conflict } : 'written';
    });
  }

  touch(key: string, expiresAt: number): Promise<boolean> {
    const update = { $set: { expiration: toDate(expiresAt) } };
    return this.#with('touch', (collection) =>
      collection.updateOne(this.#live(key), update).then(({ matchedCount }) => matchedCount > 0),
    );
  }

  delete(key: string): Promise<boolean> {
    return this.#with('delete', async (collection) => {
      const unique = this.#isUnique();
      const { deletedCount } = await collection[unique ? 'deleteOne' : 'deleteMany'](this.#live(key));
      // A leftover that has expired is nothing here, but Flask would find it.
      if (deletedCount === 0 || !unique) await collection.deleteMany(this.#dead(key));
      return deletedCount > 0;
    });
  }

  /** Deletes up to `limit` expired documents, for servers that do not, and for those who do not want to wait a minute. */
  sweep(limit: number): Promise<number> {
    return this.#with('sweep', async (collection) => {
      const expired = { expiration: { $lte: this.#clock() } };
      let deleted = 0;
      for (let left = limit; left > 0; left -= SWEPT_AT_ONCE) {
        const batch = Math.min(left, SWEPT_AT_ONCE);
        const found = await collection.find(expired, { projection: { _id: 1 }, limit: batch }).toArray();
        if (found.length === 0) break;
        const those = { _id: { $in: found.map(({ _id }) => _id) }, ...expired };
        deleted += (await collection.deleteMany(those)).deletedCount;
        if (found.length < batch) break;
      }
      return deleted;
    });
  }

  /** Closes the client that the store opened; one that was given stays open. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#connection.close();
  }

  async #with<T>(operation: string, step: (collection: Collection) => Promise<T>): Promise<T> {
    if (this.#closed) throw new SessionStoreError(this.name, operation, 'session store mongodb: it is closed');
    const collection = this.#connection.collection ?? (await this.#connection.open());
    if (this.#createIndexes) {
      this.#indexes ??= new Indexes(collection, this.#onNotice);
      this.#indexes.begin();
    }
    try {
      return await step(collection);
    } catch (cause) {
      const why = this.#closed ? 'it is closed' : explain(cause);
      throw why ? new SessionStoreError(this.name, operation, `session store mongodb: ${why}`, { cause }) : cause;
    }
  }

  async #find(collection: Collection, key: string): Promise<StoredRecord | undefined> {
    const found = await collection.findOne(this.#live(key), RECORD);
    return found ? toRecord(found) : undefined;
  }

  async #create(collection: Collection, key: string, update: object): Promise<WriteResult> {
    await this.#indexes?.make();
    for (let attempt = 1; ; attempt++) {
      const unique = this.#isUnique();
      let conflict = unique ? undefined : await this.#find(collection, key);
      if (conflict) return { conflict };
      try {
        // Replaces a leftover. Where there is a live document this is an insert, which fails.
        await collection.updateOne(this.#dead(key), update, { upsert: true });
        return 'written';
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        conflict = await this.#find(collection, key);
        if (conflict) return { conflict };
        if (attempt === ATTEMPTS) throw error;
      }
    }
  }

  async #replace(
    collection: Collection,
    key: string,
    update: object | null,
    expected: Uint8Array,
  ): Promise<WriteResult> {
    let val: unknown = expected;
    for (let attempt = 1; ; attempt++) {
      const filter = { id: key, val, expiration: { $gt: this.#clock() } };
      if (update) {
        const { matchedCount } = await collection.updateOne(filter, update);
        if (matchedCount > 0) return 'written';
      } else if ((await collection.deleteOne(filter)).deletedCount > 0) {
        // A session that ended must not go on as its own double.
        if (!this.#isUnique()) await collection.deleteMany({ id: key });
        return 'written';
      }
      const found = await collection.findOne(this.#live(key), RECORD);
      if (!found) return 'gone';
      const conflict = toRecord(found);
      if (!equal(conflict.bytes, expected) || attempt === ATTEMPTS) return { conflict };
      // They came in between the two commands, or are text.
      val = found.val;
    }
  }

  /** False as long as it is not known. */
  #isUnique(): boolean {
    return this.#indexes ? this.#indexes.unique : true;
  }

  #live(key: string): { id: string; expiration: object } {
    return { id: key, expiration: { $gt: this.#clock() } };
  }

  /** Expired, or without a deadline that could be told: everything but the live one. */
  #dead(key: string): { id: string; expiration: object } {
    return { id: key, expiration: { $not: { $gt: this.#clock() } } };
  }

  #clock(): Date {
    return new Date(Math.floor(this.#now()));
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function warn(message: string): void {
  process.emitWarning(message, { code: 'FLACON_MONGODB_INDEX' });
}
