/** What the store asks of DynamoDB, and what it makes of the answers, where a stand-in for the service does not tell. */
import { createServer } from 'node:net';
import { DynamoDB } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { DynamodbStore, type DynamodbStoreOptions } from 'flacon/stores/dynamodb';
import { afterEach, describe, expect, test } from 'vitest';
import { SessionConfigError, SessionStoreError } from '../../../src/errors.ts';
import { loadSdk, parseDynamodbUrl } from '../../../src/stores/dynamodb/connection.ts';
import { LARGEST, recordOf, sizeOf, toSeconds } from '../../../src/stores/dynamodb/item.ts';
import {
  conditionFailed,
  type DynamodbReply,
  failed,
  type ScriptedDynamodb,
  scriptedDynamodb,
} from '../../servers/scripted-dynamodb.ts';

const NOW = 1_900_000_000_250;
const bytes = (text: string) => new TextEncoder().encode(text);
const base64 = (text: string) => Buffer.from(text).toString('base64');

let endpoint: ScriptedDynamodb;
let store: DynamodbStore;
afterEach(async () => {
  store?.close();
  await endpoint?.close();
});

/** A store whose endpoint gives these answers, one after the other; then it says that all is well. */
async function scripted(replies: DynamodbReply[], options: DynamodbStoreOptions = {}): Promise<void> {
  endpoint = await scriptedDynamodb(() => replies.shift() ?? [200, {}]);
  store = new DynamodbStore({ url: endpoint.url, now: () => NOW, ...options });
}

const asked = () => endpoint.requests.map(({ operation }) => operation);

describe('one request for each verb', () => {
  test('read, strongly consistent', async () => {
    await scripted([[200, { Item: { id: { S: 'k' }, val: { B: base64('one') }, expiration: { N: '1900000001' } } }]]);
    expect(await store.read('k')).toEqual({ bytes: bytes('one'), expiresAt: 1_900_000_001_000 });
    expect(endpoint.requests).toEqual([
      { operation: 'GetItem', body: { TableName: 'Sessions', Key: { id: { S: 'k' } }, ConsistentRead: true } },
    ]);
  });

  test('write: the conflict comes with the refusal', async () => {
    const item = { id: { S: 'k' }, val: { B: base64('other') }, expiration: { N: '1900000001.5' } };
    await scripted([conditionFailed(item), conditionFailed(item)]);
    const conflict = { bytes: bytes('other'), expiresAt: 1_900_000_001_500 };
    expect(await store.write('k', bytes('two'), NOW + 1000, bytes('one'))).toEqual({ conflict });
    expect(await store.write('k', bytes('two'), NOW + 1000, undefined)).toEqual({ conflict });
    expect(asked()).toEqual(['UpdateItem', 'UpdateItem']);
    expect(endpoint.requests[0]!.body).toMatchObject({
      UpdateExpression: 'SET val = :value, expiration = :exp',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      ExpressionAttributeValues: {
        ':value': { B: base64('two') },
        ':exp': { N: '1900000001.25' },
        ':expected': { B: base64('one') },
        ':now': { N: '1900000000.25' },
      },
    });
  });

  test('write: an expired item that comes with the refusal is nothing', async () => {
    await scripted([
      conditionFailed({ id: { S: 'k' }, val: { B: base64('one') }, expiration: { N: '1900000000.25' } }),
    ]);
    expect(await store.write('k', bytes('two'), NOW + 1000, bytes('one'))).toBe('gone');
    expect(asked()).toEqual(['UpdateItem']);
  });

  test('write: written, deleted, touched, and deleted on condition', async () => {
    await scripted([]);
    expect(await store.write('k', bytes('two'), NOW + 1000, bytes('one'))).toBe('written');
    expect(await store.write('k', null, NOW + 1000, bytes('one'))).toBe('written');
    expect(await store.touch('k', NOW + 1000)).toBe(true);
    expect(await store.delete('k')).toBe(false);
    expect(asked()).toEqual(['UpdateItem', 'DeleteItem', 'UpdateItem', 'DeleteItem']);
  });

  test('a server that does not tell is asked', async () => {
    await scripted([conditionFailed(), [200, { Item: { id: { S: 'k' }, val: { B: base64('other') } } }]]);
    const conflict = { bytes: bytes('other'), expiresAt: Number.POSITIVE_INFINITY };
    expect(await store.write('k', bytes('two'), NOW + 1000, bytes('one'))).toEqual({ conflict });
    expect(asked()).toEqual(['UpdateItem', 'GetItem']);
  });

  test('what stood in the way of a creation and went away: it is tried again', async () => {
    await scripted([conditionFailed(), [200, {}]]);
    expect(await store.write('k', bytes('two'), NOW + 1000, undefined)).toBe('written');
    expect(asked()).toEqual(['UpdateItem', 'GetItem', 'UpdateItem']);
  });
});

describe('a request that the client sent again, because the answer to the first was lost', () => {
  const mine = { id: { S: 'k' }, val: { B: base64('two') }, expiration: { N: '1900000001.25' } };

  test('a write finds itself', async () => {
    for (const expected of [bytes('one'), undefined]) {
      await scripted(['cut', conditionFailed(mine)]);
      expect(await store.write('k', bytes('two'), NOW + 1000, expected)).toBe('written');
      expect(asked()).toEqual(['UpdateItem', 'UpdateItem']);
      store.close();
      await endpoint.close();
    }
  });

  test('a deletion finds nothing', async () => {
    await scripted(['cut', conditionFailed(), [200, {}]]);
    expect(await store.write('k', null, NOW + 1000, bytes('one'))).toBe('written');
    expect(asked()).toEqual(['DeleteItem', 'DeleteItem', 'GetItem']);
  });

  test('what somebody else wrote is a conflict all the same', async () => {
    await scripted(['cut', conditionFailed({ ...mine, val: { B: base64('three') } })]);
    expect(await store.write('k', bytes('two'), NOW + 1000, bytes('one'))).toMatchObject({ conflict: {} });
  });

  test('and without one sent again, the same bytes are somebody else’s', async () => {
    await scripted([conditionFailed(mine)]);
    expect(await store.write('k', bytes('two'), NOW + 1000, bytes('one'))).toMatchObject({ conflict: {} });
  });
});

describe('the table', () => {
  const missing = failed('ResourceNotFoundException');
  const active: DynamodbReply = [200, { Table: { TableStatus: 'ACTIVE' } }];

  test('is made as Flask-Session makes it, and expires its items', async () => {
    const creating: DynamodbReply = [200, { Table: { TableStatus: 'CREATING' } }];
    await scripted([missing, [200, {}], creating, active], { createTable: true });
    expect(await store.read('k')).toBeUndefined();
    expect(await store.read('k')).toBeUndefined();
    const setup = ['DescribeTable', 'CreateTable', 'DescribeTable', 'DescribeTable', 'UpdateTimeToLive'];
    expect(asked()).toEqual([...setup, 'GetItem', 'GetItem']);
    expect(endpoint.requests[4]!.body).toEqual({
      TableName: 'Sessions',
      TimeToLiveSpecification: { AttributeName: 'expiration', Enabled: true },
    });
  });

  test('is left as it is when it is there, also when another process was faster', async () => {
    await scripted([active, active], { createTable: true });
    await store.read('k');
    expect(asked()).toEqual(['DescribeTable', 'DescribeTable', 'GetItem']);
    store.close();
    await endpoint.close();
    await scripted([missing, failed('ResourceInUseException'), active], { createTable: true });
    await store.read('k');
    expect(asked()).toEqual(['DescribeTable', 'CreateTable', 'DescribeTable', 'GetItem']);
  });

  test('may be one that this role cannot look at, or not set to expire', async () => {
    await scripted([failed('AccessDeniedException')], { createTable: true });
    await store.read('k');
    expect(asked()).toEqual(['DescribeTable', 'GetItem']);
    store.close();
    await endpoint.close();
    await scripted([missing, [200, {}], active, failed('AccessDeniedException')], { createTable: true });
    expect(await store.write('k', bytes('one'), NOW + 1000, undefined)).toBe('written');
  });

  test('is not made unless asked for, and its absence says what to do', async () => {
    await scripted([missing], { table: 'visitors' });
    const error = await store.read('k').catch((error: unknown) => error as SessionStoreError);
    expect(error).toBeInstanceOf(SessionStoreError);
    expect((error as Error).message).toMatch(/no table visitors.*createTable/);
    expect(asked()).toEqual(['GetItem']);
  });

  test('that could not be made is tried again at the next request', async () => {
    await scripted([missing, failed('LimitExceededException'), missing, [200, {}], active], { createTable: true });
    await expect(store.read('k')).rejects.toThrow();
    expect(await store.read('k')).toBeUndefined();
  });
});

test('an item that DynamoDB would refuse is not sent', async () => {
  await scripted([]);
  const largest = new Uint8Array(LARGEST - sizeOf('k', new Uint8Array(0)));
  expect(await store.write('k', largest, NOW + 1000, undefined)).toBe('written');
  const error = await store.write('k', new Uint8Array(largest.length + 1), NOW + 1000, undefined).catch((e) => e);
  expect(error).toBeInstanceOf(SessionStoreError);
  expect(error.message).toContain(String(LARGEST + 1));
  expect(asked()).toEqual(['UpdateItem']);
});

test('a request that is not answered is aborted, and leaves no connection', async () => {
  let [opened, closed] = [0, 0];
  const silent = createServer((socket) => {
    opened++;
    socket.resume();
    socket.on('error', () => {});
    socket.on('close', () => closed++);
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  store = new DynamodbStore({ url: `http://127.0.0.1:${port}`, timeout: 300 });
  await expect(store.read('k')).rejects.toThrow();
  expect(opened).toBe(1);
  await expect.poll(() => closed).toBe(1);
  silent.close();
});

test('a closed store says so', async () => {
  await scripted([]);
  store.close();
  store.close();
  await expect(store.read('k')).rejects.toThrow(/closed/);
  expect(asked()).toEqual([]);
});

test('a client that was given stays open', async () => {
  endpoint = await scriptedDynamodb(() => [200, {}]);
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const client = new DynamoDB({ endpoint: endpoint.url, region: 'us-west-2', credentials });
  store = new DynamodbStore({ client });
  await store.read('k');
  store.close();
  await client.listTables({});
  expect(asked()).toEqual(['GetItem', 'ListTables']);
  client.destroy();
});

describe('items', () => {
  test('a deadline is written as the decimal that it is, and read back to the millisecond', () => {
    expect(toSeconds(1_900_000_000_000)).toEqual({ N: '1900000000' });
    expect(toSeconds(1_900_000_000_250)).toEqual({ N: '1900000000.25' });
    expect(toSeconds(1_900_000_000_007)).toEqual({ N: '1900000000.007' });
    expect(toSeconds(1_900_000_000_250.9)).toEqual({ N: '1900000000.25' });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9_999_999_999_999 }), (milliseconds) => {
        expect(recordOf({ expiration: toSeconds(milliseconds) }).expiresAt).toBe(milliseconds);
      }),
    );
  });

  test('finer fractions are cut, exponents are read, and without a deadline there is none', () => {
    expect(recordOf({ expiration: { N: '1902678400.12345600128173828125' } }).expiresAt).toBe(1_902_678_400_123);
    expect(recordOf({ expiration: { N: '1.9E+9' } }).expiresAt).toBe(1_900_000_000_000);
    for (const expiration of [{ S: 'soon' }, { N: 'x' }]) {
      expect(recordOf({ expiration }).expiresAt).toBe(Number.POSITIVE_INFINITY);
    }
    expect(recordOf({}).expiresAt).toBe(Number.POSITIVE_INFINITY);
  });

  test('anything in the place of the record is an empty one', () => {
    expect(recordOf({ val: { S: 'text' } }).bytes).toEqual(new Uint8Array(0));
    expect(recordOf({}).bytes).toEqual(new Uint8Array(0));
  });
});

describe('what cannot work is refused at the start', () => {
  const cases: [string, DynamodbStoreOptions, string][] = [
    ['a table that is none', { table: 'a table' }, 'table'],
    ['a table too short', { table: 'ab' }, 'table'],
    ['another client', { client: {} as never }, 'client'],
    ['no object', { client: null as never }, 'client'],
    ['a client and a URL', { client: { send: () => {} }, url: 'http://localhost' }, 'client'],
    ['a client and a region', { client: { send: () => {} }, region: 'us-west-2' }, 'client'],
    ['text that is no URL', { url: 'localhost' }, 'url'],
    ['another scheme', { url: 'redis://localhost' }, 'url'],
    ['half of the credentials', { url: 'http://key@localhost' }, 'url'],
    ['a malformed escape', { url: 'http://key:%zz@localhost' }, 'url'],
  ];
  test.each(cases)('%s', (_, options, option) => {
    let error: unknown;
    try {
      new DynamodbStore(options);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SessionConfigError);
    expect((error as SessionConfigError).option).toBe(option);
    expect((error as Error).message).not.toMatch(/key|%zz/);
  });

  test('a missing SDK says what to install', async () => {
    const load = () => Promise.reject(Object.assign(new Error('no'), { code: 'ERR_MODULE_NOT_FOUND' }));
    const error = await loadSdk(load).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(SessionConfigError);
    expect((error as Error).message).toContain('npm install @aws-sdk/client-dynamodb');
  });
});

describe('addresses', () => {
  test('Flask-Session’s default', () => {
    expect(parseDynamodbUrl(undefined, undefined)).toMatchObject({ endpoint: 'http://localhost:8000' });
  });

  test('a region is AWS itself; the SDK finds the credentials', () => {
    const address = { endpoint: undefined, region: 'eu-west-1', credentials: undefined };
    expect(parseDynamodbUrl(undefined, 'eu-west-1')).toEqual(address);
  });

  test('with credentials, and a region besides', () => {
    expect(parseDynamodbUrl('https://key:a%2Fb@dynamo.example:8443', 'eu-west-1')).toEqual({
      endpoint: 'https://dynamo.example:8443',
      region: 'eu-west-1',
      credentials: { accessKeyId: 'key', secretAccessKey: 'a/b' },
    });
  });

  test('another host without credentials leaves them to the SDK', () => {
    expect(parseDynamodbUrl('https://dynamo.example', undefined).credentials).toBeUndefined();
  });
});
