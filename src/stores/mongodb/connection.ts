/** The way to the collection: through what the application has, or a client of the store's own that is made at the first use. */
import { SessionConfigError } from '../../errors.ts';
import {
  type Collection,
  checkCollection,
  checkDatabase,
  collectionOf,
  type MongodbClient,
  type MongodbDatabase,
} from './collection.ts';
import { checkUrl, type OwnClient, openClient } from './driver.ts';

export interface ConnectionOptions {
  client?: MongodbClient | undefined;
  db?: MongodbDatabase | undefined;
  url?: string | undefined;
  database?: string | undefined;
  collection?: string | undefined;
}

export class MongodbConnection {
  readonly #database: string;
  readonly #name: string;
  readonly #url: string;
  /** Undefined until it is opened, where it has to be. */
  collection: Collection | undefined;
  #opening: Promise<Collection> | undefined;
  #own: OwnClient | undefined;

  /** Opens nothing. @throws SessionConfigError */
  constructor({ client, db, url, database, collection = 'sessions' }: ConnectionOptions) {
    refuseTwo({ client, db, url });
    refuseTwo({ db, database });
    this.#database = database ?? 'flask_session';
    this.#name = collection;
    this.#url = url ?? 'mongodb://localhost:27017';
    checkDatabase(this.#database);
    checkCollection(collection);
    if (client !== undefined) {
      demand('client', client, 'db', 'a MongoClient of the driver mongodb, version 6 or later');
      this.collection = collectionOf(client.db(this.#database), collection);
    } else if (db !== undefined) {
      demand('db', db, 'collection', 'a Db of the driver mongodb, version 6 or later');
      this.collection = collectionOf(db, collection);
    } else {
      checkUrl(this.#url);
    }
  }

  /** A failure is not remembered: the next caller tries again. @throws SessionConfigError */
  open(): Promise<Collection> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** Ends what is under way over a client of our own; one that was given is left alone. */
  async close(): Promise<void> {
    await this.#opening?.catch(() => {});
    await this.#own?.close();
  }

  async #open(): Promise<Collection> {
    this.#own ??= await openClient(this.#url);
    this.collection = collectionOf(this.#own.db(this.#database), this.#name);
    return this.collection;
  }
}

function refuseTwo(options: Readonly<Record<string, unknown>>): void {
  const given = Object.keys(options).filter((name) => options[name] !== undefined);
  if (given.length > 1) throw new SessionConfigError(given[1]!, `one besides ${given[0]}`, 'one of the two');
}

function demand(option: string, value: unknown, method: string, expected: string): void {
  const found = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[method] : undefined;
  if (typeof found !== 'function') throw new SessionConfigError(option, 'what is none', expected);
}
