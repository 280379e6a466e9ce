/**
 * DynamoDB, with the items of Flask-Session: strongly consistent reads, and one request for each verb. A conditional write
 * that finds something else gets it along with the refusal.
 *
 * DynamoDB deletes expired items within days, where that is turned on: the deadline is checked on every read, and is part of
 * the condition of every write, in UTC.
 */
import type { SessionStore, StoredRecord, WriteResult } from '../core/store.ts';
import { SessionConfigError, SessionStoreError } from '../errors.ts';
import type { DynamodbClient, Item, Operations } from './dynamodb/client.ts';
import { DynamodbConnection, parseDynamodbUrl } from './dynamodb/connection.ts';
import { absent, alive, expired, same, update } from './dynamodb/expressions.ts';
import { keyOf, LARGEST, recordOf, sizeOf } from './dynamodb/item.ts';
import { ensureTable, isNamed } from './dynamodb/table.ts';
import { refuseUnknown } from './known-options.ts';

export type { DynamodbClient } from './dynamodb/client.ts';

export interface DynamodbStoreOptions {
  /** A `DynamoDBClient` or a `DynamoDB` of `@aws-sdk/client-dynamodb` 3. It stays yours: the store does not close it. */
  client?: DynamodbClient;
  /**
   * Where no client is given: `http[s]://[accessKeyId:secretAccessKey@]host[:port]`. The store then makes a client at the
   * first use and closes it. Default `http://localhost:8000`, or AWS itself when a region is given.
   */
  url?: string;
  /** A region of AWS. Default with a URL: that of the environment (`AWS_REGION`), else `us-west-2`. */
  region?: string;
  /** Default `Sessions`. */
  table?: string;
  /** Makes the table at the first use when it is missing, and turns on the deletion of expired items. Default false. */
  createTable?: boolean;
  /** Milliseconds after which a request is aborted. Default 10,000. */
  timeout?: number;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}

const KNOWN = {
  client: true,
  url: true,
  region: true,
  table: true,
  createTable: true,
  timeout: true,
  now: true,
} as const;

/** Items that one call of `sweep` looks at, at the least. */
const LOOKED_AT = 1000;
const DELETED_AT_ONCE = 10;

/** A condition that did not hold. */
interface Refusal {
  /** What is there instead; undefined also where the server does not tell. */
  readonly item: Item | undefined;
  /** Whether the client sent the request more than once: an earlier one may have done what was asked for. */
  readonly repeated: boolean;
}

export class DynamodbStore implements SessionStore {
  readonly name = 'dynamodb';
  readonly #table: string;
  readonly #now: () => number;
  readonly #connection: DynamodbConnection;
  /** Where the next sweep goes on. */
  #position: Item | undefined;

  /** Opens nothing yet. @throws SessionConfigError */
  constructor(options: DynamodbStoreOptions = {}) {
    refuseUnknown(options, KNOWN);
    const { client, url, region, table = 'Sessions', createTable = false, timeout = 10_000, now = Date.now } = options;
    if (!/^[\w.-]{3,255}$/.test(table)) {
      throw new SessionConfigError('table', JSON.stringify(table), '3 to 255 letters, digits, _, - and .');
    }
    this.#table = table;
    this.#now = now;
    this.#connection = new DynamodbConnection(
      client === undefined ? { address: parseDynamodbUrl(url, region) } : { client: given(client, url ?? region) },
      timeout,
      async (call) => (createTable ? ensureTable(call, table) : undefined),
    );
  }

  async read(key: string): Promise<StoredRecord | undefined> {
    const { Item: item } = await this.#request('read', 'GetItem', { Key: keyOf(key), ConsistentRead: true });
    return item && this.#living(item);
  }

  async write(
    key: string,
    record: Uint8Array | null,
    expiresAt: number,
    expected: Uint8Array | undefined,
  ): Promise<WriteResult> {
    for (;;) {
      const now = this.#now();
      const next = record === null || expiresAt <= now ? null : record;
      if (next === null && expected === undefined) {
        const found = await this.read(key);
        return found ? { conflict: found } : 'written';
      }
      const refusal = await this.#put(key, next, expiresAt, expected, now);
      if (!refusal) return 'written';
      // An item comes with the refusal, unless there is none or the server is one that does not tell.
      const found = refusal.item ? this.#living(refusal.item) : await this.read(key);
      if (refusal.repeated && isDone(found, next, expiresAt)) return 'written';
      if (found) return { conflict: found };
      if (expected) return 'gone';
      // What stood in the way of a creation went away meanwhile.
    }
  }

  async touch(key: string, expiresAt: number): Promise<boolean> {
    const { values, ...expression } = update(expiresAt);
    return !(await this.#change('touch', 'UpdateItem', key, alive(this.#now()), expression, values));
  }

  async delete(key: string): Promise<boolean> {
    const input = { Key: keyOf(key), ReturnValues: 'ALL_OLD' };
    const { Attributes: item } = await this.#request('delete', 'DeleteItem', input);
    return item !== undefined && this.#living(item) !== undefined;
  }

  /** Deletes up to `limit` expired items. One call looks at a part of a large table, the next goes on from there. */
  async sweep(limit: number): Promise<number> {
    if (limit < 1) return 0;
    const condition = expired(this.#now());
    const { Items: items = [], LastEvaluatedKey: last } = await this.#request('sweep', 'Scan', {
      FilterExpression: condition.ConditionExpression,
      ExpressionAttributeValues: condition.values,
      ProjectionExpression: 'id',
      Limit: Math.max(LOOKED_AT, 10 * limit),
      ...(this.#position && { ExclusiveStartKey: this.#position }),
    });
    const found = items.slice(0, limit);
    this.#position = found.length < items.length ? found.at(-1) : last;
    let deleted = 0;
    for (let at = 0; at < found.length; at += DELETED_AT_ONCE) {
      const refusals = await Promise.all(
        found
          .slice(at, at + DELETED_AT_ONCE)
          .map((item) => this.#change('sweep', 'DeleteItem', item.id?.S as string, condition)),
      );
      deleted += refusals.filter((refusal) => !refusal).length;
    }
    return deleted;
  }

  /** Closes the client that the store made; one that was given stays open. */
  close(): void {
    this.#connection.close();
  }

  #put(
    key: string,
    next: Uint8Array | null,
    expiresAt: number,
    expected: Uint8Array | undefined,
    now: number,
  ): Promise<Refusal | undefined> {
    const condition = expected ? same(expected, now) : absent(now);
    const told = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' };
    if (next === null) return this.#change('write', 'DeleteItem', key, condition, told);
    const size = sizeOf(key, next);
    if (size > LARGEST) {
      const message = `session store dynamodb: an item of ${size} bytes; DynamoDB keeps ${LARGEST}`;
      throw new SessionStoreError(this.name, 'write', message);
    }
    const { values, ...expression } = update(expiresAt, next);
    return this.#change('write', 'UpdateItem', key, condition, { ...expression, ...told }, values);
  }

  #living(item: Item): StoredRecord | undefined {
    const record = recordOf(item);
    return record.expiresAt > this.#now() ? record : undefined;
  }

  /** A request with a condition. Undefined: it held. */
  async #change(
    operation: string,
    verb: 'UpdateItem' | 'DeleteItem',
    key: string,
    { ConditionExpression, values }: ReturnType<typeof same>,
    input: object = {},
    more: object = {},
  ): Promise<Refusal | undefined> {
    try {
      const ExpressionAttributeValues = { ...more, ...values };
      await this.#request(operation, verb, {
        Key: keyOf(key),
        ...input,
        ConditionExpression,
        ExpressionAttributeValues,
      });
      return undefined;
    } catch (error) {
      if (!isNamed(error, 'ConditionalCheckFailedException')) throw error;
      const { Item: item, $metadata: metadata } = error as { Item?: Item; $metadata?: { attempts?: number } };
      return { item, repeated: (metadata?.attempts ?? 1) > 1 };
    }
  }

  async #request<O extends keyof Operations>(operation: string, verb: O, input: object): Promise<Operations[O]> {
    if (this.#connection.closed) {
      throw new SessionStoreError(this.name, operation, 'session store dynamodb: it is closed');
    }
    try {
      const call = await this.#connection.open();
      return await call(verb, { TableName: this.#table, ...input });
    } catch (cause) {
      if (!isNamed(cause, 'ResourceNotFoundException')) throw cause;
      const message = `session store dynamodb: there is no table ${this.#table}: create it, or set createTable`;
      throw new SessionStoreError(this.name, operation, message, { cause });
    }
  }
}

/** @throws SessionConfigError */
function given(client: DynamodbClient, address: string | undefined): DynamodbClient {
  if (address !== undefined) throw new SessionConfigError('client', 'one besides a url or a region', 'one of the two');
  if (typeof client === 'object' && client !== null && typeof client.send === 'function') return client;
  const expected = 'a DynamoDBClient or a DynamoDB of @aws-sdk/client-dynamodb 3';
  throw new SessionConfigError('client', 'an object that is none', expected);
}

/** Whether what is there is what a write was to leave there. */
function isDone(found: StoredRecord | undefined, next: Uint8Array | null, expiresAt: number): boolean {
  if (!found || !next) return !found && !next;
  return found.expiresAt === Math.floor(expiresAt) && Buffer.compare(found.bytes, next) === 0;
}
