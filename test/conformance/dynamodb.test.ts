/** Both clients of the SDK, and the connection of the store's own. */
import { DynamoDB, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamodbStore, type DynamodbStoreOptions } from 'flacon/stores/dynamodb';
import { storeSuite } from 'flacon/testing/store-suite';
import { afterAll, describe, expect, it, test } from 'vitest';
import { createSessionInterface } from '../../src/core/options.ts';
import { sessionSuite } from '../../src/testing/session-suite.ts';
import { Visitor } from '../../src/testing/visitor.ts';
import { startDynamodb } from '../servers/dynamodb.ts';
import { inProcess } from './session-writer-process.ts';

const server = await startDynamodb();
const { url } = server;
const table = `flacon-test-${process.pid}`;
const config = {
  endpoint: url,
  region: 'us-west-2',
  ...(process.env.AWS_ACCESS_KEY_ID ? {} : { credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }),
};
const clients = { DynamoDB: new DynamoDB(config), DynamoDBClient: new DynamoDBClient(config) };
await new DynamodbStore({ client: clients.DynamoDB, table, createTable: true }).read('made');

afterAll(async () => {
  await clients.DynamoDB.deleteTable({ TableName: table });
  for (const client of Object.values(clients)) client.destroy();
  await server.stop();
});

const ways: Record<string, DynamodbStoreOptions> = {
  DynamoDB: { client: clients.DynamoDB },
  DynamoDBClient: { client: clients.DynamoDBClient },
  'a URL': { url },
};
const creating = (options: DynamodbStoreOptions) => (now: () => number) =>
  new DynamodbStore({ ...options, table, now });

for (const [name, options] of Object.entries(ways)) {
  storeSuite(
    { describe, it },
    {
      name: `dynamodb, ${name}`,
      create: creating(options),
      // The rest of the 400 KB is the item's names, key and deadline.
      maxRecord: 399 * 1024,
      // Each of the others meets the same server, by the same requests.
      concurrency: name === 'a URL' ? 100 : 20,
    },
  );
}
sessionSuite({ describe, it }, { name: 'dynamodb, secure profile', create: creating({ client: clients.DynamoDB }) });
sessionSuite(
  { describe, it },
  {
    name: 'dynamodb, Flask profile',
    create: creating({ url }),
    options: { profile: 'flask', format: 'msgpack' },
  },
);

describe('two processes', () => {
  const half = { module: 'stores/dynamodb.ts', store: 'DynamodbStore', options: { url, table } };

  async function visitor(): Promise<{ readonly visitor: Visitor; readonly cookie: string; close(): void }> {
    const store = new DynamodbStore({ url, table });
    const visitor = new Visitor(createSessionInterface({ store }));
    await visitor.visit((session) => void session.set('n', 0));
    return { visitor, cookie: visitor.cookie as string, close: () => store.close() };
  }

  test('100 parallel requests that each add a key lose none', async () => {
    const { visitor: at, cookie, close } = await visitor();
    const task = { ...half, cookie, task: 'key' as const };
    await Promise.all([inProcess({ ...task, from: 0, to: 50 }), inProcess({ ...task, from: 50, to: 100 })]);
    const { value } = await at.visit((session) => [...session.keys()].filter((key) => key.startsWith('key')).length);
    expect(value).toBe(100);
    close();
  });

  test('100 parallel updates of one counter count 100', async () => {
    const { visitor: at, cookie, close } = await visitor();
    const task = { ...half, cookie, task: 'count' as const };
    await Promise.all([inProcess({ ...task, from: 0, to: 50 }), inProcess({ ...task, from: 50, to: 100 })]);
    expect((await at.visit((session) => session.get('n'))).value).toBe(100);
    close();
  });
});
