/** What Flask-Session stored is read, and the same record at the same time is stored alike: request, key, value and deadline. */
import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { DynamodbStore } from 'flacon/stores/dynamodb';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { startDynamodb } from '../servers/dynamodb.ts';
import { differs } from './differences.ts';
import { loadVectors } from './load.ts';

interface RecordedItem {
  id: { S: string };
  /** Base64. */
  val: { B: string };
  expiration: { N: string };
}

interface Vector {
  name: string;
  key_prefix: string;
  sid: string;
  lifetime_seconds: number;
  /** Seconds since 1970; the recording clock stood 123,456 microseconds later. */
  now: number;
  /** Flask-Session takes UTC for the time of this zone. */
  server_timezone: string;
  /** Absent where saving was refused. */
  item?: RecordedItem;
  update_item: Record<string, unknown> & { ExpressionAttributeValues: { ':value': object; ':exp': { N: string } } };
  expiration_minus_utc_now: number;
}

const { vectors, meta } = loadVectors<Vector>('store_dynamodb');
const stored = vectors.filter((vector): vector is Vector & { item: RecordedItem } => vector.item !== undefined);

const server = await startDynamodb();
const table = `flacon-vectors-${process.pid}`;
const client = new DynamoDB({
  endpoint: server.url,
  region: 'us-west-2',
  ...(process.env.AWS_ACCESS_KEY_ID ? {} : { credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }),
});
/** The body of each request, as it is sent. */
const requests: Record<string, unknown>[] = [];
client.middlewareStack.add(
  (next) => (args) => {
    const { body } = args.request as { body: string | Uint8Array };
    requests.push(JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body)));
    return next(args);
  },
  { step: 'build' },
);

let time = 0;
const store = new DynamodbStore({ client, table, createTable: true, now: () => time });
await store.read('made');
const setup = requests.slice();

beforeEach(() => void requests.splice(0));
afterAll(async () => {
  await client.deleteTable({ TableName: table });
  client.destroy();
  await server.stop();
});

/** The deadline as Flask-Session would have it in UTC, in whole milliseconds since 1970. */
function deadline({ now, lifetime_seconds: lifetime }: Vector): number {
  return now * 1000 + 123 + Math.floor(lifetime) * 1000;
}

/** Milliseconds by which the recorded deadline is off. */
function offset({ expiration_minus_utc_now: left, lifetime_seconds: lifetime }: Vector): number {
  return Math.round((left - 0.123456 - lifetime) * 1000);
}

test('the table is made by the same request', () => {
  const recorded = (meta.setup_requests as { target: string; body: object }[]).find(({ target }) =>
    target.endsWith('.CreateTable'),
  );
  expect(setup).toContainEqual({ ...recorded!.body, TableName: table });
});

describe('what Flask-Session stored is read', () => {
  test.each(stored)('$name', async (vector) => {
    const { id, val, expiration } = vector.item;
    time = vector.now * 1000;
    const value = Buffer.from(val.B, 'base64');
    await client.putItem({ TableName: table, Item: { id, val: { B: value }, expiration } });
    const found = await store.read(id.S);
    expect(Buffer.from(found!.bytes)).toEqual(value);
    expect(found!.expiresAt).toBe(deadline(vector) + offset(vector));
    // What was read is what an update expects, and so is what Flask would read next.
    const next = Buffer.from([0x81, 0xa1, 0x61, 0x02]);
    expect(await store.write(id.S, next, time + 60_000, found!.bytes)).toBe('written');
    const { Item: item } = await client.getItem({ TableName: table, Key: { id } });
    expect(Buffer.from(item!.val!.B!)).toEqual(next);
    expect(await store.delete(id.S)).toBe(true);
  });
});

describe('what is stored is what Flask-Session stored', () => {
  test.each(stored)('$name', async (vector) => {
    const { id, val } = vector.item;
    const key = vector.key_prefix + vector.sid;
    expect(key).toBe(id.S);
    time = vector.now * 1000 + 123;
    const value = Buffer.from(val.B, 'base64');
    expect(await store.write(key, value, deadline(vector), undefined)).toBe('written');

    const [request] = requests;
    const { ExpressionAttributeValues: recorded, ...same } = vector.update_item;
    expect(request).toMatchObject({ ...same, TableName: table });
    const values = request!.ExpressionAttributeValues as Record<string, unknown>;
    expect(values[':value']).toEqual(recorded[':value']);

    const { Item: item } = await client.getItem({ TableName: table, Key: { id } });
    expect(Object.keys(item!).sort()).toEqual(Object.keys(vector.item).sort());
    expect(Buffer.from(item!.val!.B!)).toEqual(value);
    const seconds = Number(item!.expiration!.N);
    if (vector.server_timezone === 'UTC') {
      // Microseconds are finer than what the engine counts.
      const late = Number(recorded[':exp'].N) - seconds;
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThan(0.001);
    } else {
      differs('store_dynamodb', vector.name, 'S-DYNAMO-TZ', 'the deadline is in real UTC, wherever the server is');
      expect(Math.abs(offset(vector))).toBeGreaterThan(1_800_000);
    }
    expect(seconds).toBeCloseTo(vector.now + 0.123 + Math.floor(vector.lifetime_seconds), 5);
    expect(await store.delete(key)).toBe(true);
  });
});
