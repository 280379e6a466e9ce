/** The few members of the `mongodb` driver that are used, and what is checked about the objects that have them. */
import { SessionConfigError } from '../../errors.ts';
import type { SessionDocument } from './document.ts';

/** A `MongoClient` of the `mongodb` driver 6 or later. It need not be connected: the driver connects at the first command. */
export interface MongodbClient {
  db(name: string): MongodbDatabase;
}

/** A `Db` of the same driver. */
export interface MongodbDatabase {
  collection(name: string, options?: object): unknown;
}

/** The types of the values are the caller's: keys go in as text and bytes as binary, so neither can be an operator. */
type Filter = Readonly<Record<string, unknown>>;

export interface Collection {
  readonly writeConcern?: { readonly w?: unknown } | undefined;
  findOne(filter: Filter, options: object): Promise<SessionDocument | null>;
  find(filter: Filter, options: object): { toArray(): Promise<{ readonly _id: unknown }[]> };
  updateOne(filter: Filter, update: object, options?: object): Promise<{ readonly matchedCount: number }>;
  deleteOne(filter: Filter): Promise<{ readonly deletedCount: number }>;
  deleteMany(filter: Filter): Promise<{ readonly deletedCount: number }>;
  createIndex(key: Readonly<Record<string, 1>>, options: object): Promise<unknown>;
}

/**
 * Whatever the client says: a secondary may not know yet what was just written, and values come as JavaScript's own.
 */
const READING = { readPreference: 'primary', promoteBuffers: true, promoteValues: true, raw: false };

/** @throws SessionConfigError when nobody would tell whether a write was done */
export function collectionOf(db: MongodbDatabase, name: string): Collection {
  const collection = db.collection(name, READING) as Collection;
  if (collection.writeConcern?.w === 0) {
    throw new SessionConfigError('writeConcern', 'w: 0, which leaves writes unanswered', '`majority`, or at least 1');
  }
  return collection;
}

/** @throws SessionConfigError for what MongoDB refuses as the name of a database */
export function checkDatabase(name: string): void {
  if (/^[^/\\. "$\0]+$/.test(name) && new TextEncoder().encode(name).length < 64) return;
  const expected = '1 to 63 bytes without / \\ . " $ and spaces';
  throw new SessionConfigError('database', JSON.stringify(name), expected);
}

/** @throws SessionConfigError for what MongoDB refuses as the name of a collection */
export function checkCollection(name: string): void {
  if (name !== '' && !/[$\0]|^\.|\.\.|\.$|^system\./.test(name)) return;
  const expected = 'a name without $, that neither begins nor ends with a dot nor begins with system.';
  throw new SessionConfigError('collection', JSON.stringify(name), expected);
}

/** E11000: the unique index has that id already. */
export function isDuplicate(error: unknown): boolean {
  return codeOf(error) === 11_000;
}

/** The server's number for what went wrong; undefined where it never answered. */
export function codeOf(error: unknown): number | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'number' ? code : undefined;
}
