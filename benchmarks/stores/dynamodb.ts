/** The verbs of the store, and the same requests made by hand, through the client that the application has. */
import assert from 'node:assert/strict';
import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { DynamodbStore } from '../../src/stores/dynamodb.ts';
import { startDynamodb } from '../../test/servers/dynamodb.ts';
import type { StoreCases } from '../stores.ts';

const TableName = 'flacon-bench';
const RECORD = Buffer.alloc(500, 0xa7);
const LATER = Date.now() + 86_400_000;
const keys = Array.from({ length: 64 }, (_, worker) => `bench:${worker}`);
const key = (worker: number) => keys[worker]!;
const seconds = (milliseconds: number) => ({ N: String(milliseconds / 1000) });
const LIVE = '(attribute_not_exists(expiration) OR expiration > :now)';

export async function cases(): Promise<StoreCases> {
  const server = await startDynamodb();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDB({ endpoint: server.url, region: 'us-west-2', credentials });
  const store = new DynamodbStore({ client, table: TableName, createTable: true });
  for (const k of keys) {
    await store.delete(k);
    assert.equal(await store.write(k, RECORD, LATER, undefined), 'written');
    assert.equal(await store.write(k, RECORD, LATER, RECORD), 'written');
    assert.deepEqual(Buffer.from((await store.read(k))!.bytes), RECORD);
    assert.equal(await store.touch(k, LATER), true);
  }
  return {
    cases: [
      {
        name: 'dynamodb: read',
        store: (worker) => store.read(key(worker)),
        bare: (worker) => client.getItem({ TableName, Key: { id: { S: key(worker) } }, ConsistentRead: true }),
      },
      {
        name: 'dynamodb: write',
        store: (worker) => store.write(key(worker), RECORD, LATER, RECORD),
        bare: (worker) =>
          client.updateItem({
            TableName,
            Key: { id: { S: key(worker) } },
            UpdateExpression: 'SET val = :value, expiration = :exp',
            ConditionExpression: `val = :expected AND ${LIVE}`,
            ExpressionAttributeValues: {
              ':value': { B: RECORD },
              ':exp': seconds(LATER),
              ':expected': { B: RECORD },
              ':now': seconds(Date.now()),
            },
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
      },
      {
        name: 'dynamodb: touch',
        store: (worker) => store.touch(key(worker), LATER),
        bare: (worker) =>
          client.updateItem({
            TableName,
            Key: { id: { S: key(worker) } },
            UpdateExpression: 'SET expiration = :exp',
            ConditionExpression: `attribute_exists(id) AND ${LIVE}`,
            ExpressionAttributeValues: { ':exp': seconds(LATER), ':now': seconds(Date.now()) },
          }),
      },
      {
        name: 'dynamodb: delete what is not there',
        store: (worker) => store.delete(`${key(worker)}:none`),
        bare: (worker) =>
          client.deleteItem({ TableName, Key: { id: { S: `${key(worker)}:none` } }, ReturnValues: 'ALL_OLD' }),
      },
    ],
    async close() {
      await client.deleteTable({ TableName });
      client.destroy();
      await server.stop();
    },
  };
}
