/** A server that is away, silent, cut off or without rights, and records that are none. */
import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { DynamodbStore } from 'flacon/stores/dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SessionEvent } from '../../src/core/events.ts';
import { GuardedStore } from '../../src/core/guarded-store.ts';
import { createSessionInterface } from '../../src/core/options.ts';
import { SessionStoreError } from '../../src/errors.ts';
import { Visitor } from '../../src/testing/visitor.ts';
import { type StartedDynamodb, startOwnDynamodb } from '../servers/dynamodb.ts';
import { until } from '../servers/process.ts';
import { type FaultProxy, startProxy } from '../servers/proxy.ts';
import { failed, scriptedDynamodb } from '../servers/scripted-dynamodb.ts';
import {
  bytes,
  expectNothingUnhandled,
  expectRecovery,
  expectFailures as expectTypedFailures,
  later,
  text,
} from './failures.ts';

/** Seconds. */
const DEADLINE = 1;

expectNothingUnhandled();

function expectFailures(store: GuardedStore, code?: string): Promise<SessionStoreError[]> {
  return expectTypedFailures(store, { deadline: DEADLINE, code, name: 'dynamodb' });
}

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
let server: StartedDynamodb;
let raw: DynamoDB;
beforeAll(async () => {
  server = await startOwnDynamodb();
  raw = new DynamoDB({ endpoint: server.url, region: 'us-west-2', credentials });
  await new DynamodbStore({ client: raw, createTable: true }).read('made');
});
afterAll(async () => {
  raw.destroy();
  await server.stop();
});

interface Opened {
  readonly store: DynamodbStore;
  readonly end?: () => void;
}
const ways: { name: string; open(url: string): Opened }[] = [
  { name: 'a URL', open: (url) => ({ store: new DynamodbStore({ url, timeout: 2000 }) }) },
  {
    name: 'a client',
    open(url) {
      const client = new DynamoDB({ endpoint: url, region: 'us-west-2', credentials });
      return { store: new DynamodbStore({ client, timeout: 2000 }), end: () => client.destroy() };
    },
  },
];

describe.each(ways)('dynamodb, $name', ({ open }) => {
  let proxy: FaultProxy;
  let opened: Opened;
  let store: GuardedStore;

  beforeEach(async () => {
    proxy = await startProxy(server);
    await put('one');
    opened = open(`http://127.0.0.1:${proxy.port}`);
    store = new GuardedStore(opened.store, DEADLINE);
  });
  afterEach(async () => {
    opened.store.close();
    opened.end?.();
    await proxy.close();
  });

  async function put(value: string | Uint8Array, key = 'k'): Promise<void> {
    const val = { B: typeof value === 'string' ? bytes(value) : value };
    const expiration = { N: String(later() / 1000) };
    await raw.putItem({ TableName: 'Sessions', Item: { id: { S: key }, val, expiration } });
  }

  test('away at the start, then there', async () => {
    await proxy.refuse();
    await expectFailures(store);
    await proxy.pass();
    // The client's own attempts may outlive the deadline, and then succeed.
    await expectRecovery(store, 'one', 'two');
  });

  test('away for a while, and back', async () => {
    await expectRecovery(store, 'one');
    await proxy.refuse();
    await expectFailures(store);
    await expectFailures(store);
    await proxy.pass();
    await expectRecovery(store, 'one', 'two');
    expect(await store.write('new', bytes('three'), later(), undefined)).toBe('written');
    expect(await store.delete('new')).toBe(true);
  });

  test('silent for longer than the deadline: nothing is left open', async () => {
    await expectRecovery(store, 'one');
    server.process.pause();
    try {
      const failures = await expectFailures(store);
      for (const { code } of failures) expect(code).toBe('ERR_SESSION_STORE_TIMEOUT');
      // Requests that nobody waits for any more are aborted, and their connections closed.
      await until(() => proxy.open === 0, 'the connections are closed');
    } finally {
      server.process.resume();
    }
    await expectRecovery(store, 'one', 'two');
    expect(proxy.open).toBeLessThanOrEqual(1);
  });

  test('cut off in the middle of a reply', async () => {
    const long = 'x'.repeat(200_000);
    await put(long);
    await expectRecovery(store, long);
    for (const at of [1, 50, 300, 150_000]) {
      proxy.cutAfter(at);
      // The client tries again by itself; what it answers is then the whole record.
      const found = await Promise.resolve(store.read('k')).catch((error: unknown) => error);
      if (found instanceof Error) expect(found).toBeInstanceOf(SessionStoreError);
      else expect(text(found as { bytes: Uint8Array })).toBe(long);
      await expectRecovery(store, long);
    }
  });

  test('an increment whose answer is cut off counts once, or is an error', async () => {
    const sessions = createSessionInterface({ store: opened.store });
    const visitor = new Visitor(sessions);
    await visitor.visit((session) => void session.set('n', 0));
    let counted = 0;
    let unknown = 0;
    for (let n = 0; n < 10; n++) {
      try {
        await visitor.twin().visit((session) => {
          session.update<number>('n', (n) => (n ?? 0) + 1);
          // The next reply is the write's.
          proxy.cutAfter(1 + n * 10);
        });
        counted++;
      } catch (error) {
        expect(error).toBeInstanceOf(SessionStoreError);
        unknown++;
      }
    }
    await proxy.pass();
    const { value } = await visitor.visit((session) => session.get('n') as number);
    expect(value).toBeGreaterThanOrEqual(counted);
    expect(value).toBeLessThanOrEqual(counted + unknown);
    expect(counted).toBeGreaterThan(0);
  });

  test('a record of random bytes is a new session', async () => {
    const events: SessionEvent[] = [];
    const store = opened.store;
    const sessions = createSessionInterface({ store, profile: 'flask', onEvent: (event) => events.push(event) });
    const visitor = new Visitor(sessions);
    await visitor.visit((session) => void session.set('user', 'ann'));
    const before = visitor.cookie;
    await put(
      Uint8Array.from({ length: 100 }, (_, i) => (i * 211 + 193) & 0xff),
      `session:${before}`,
    );
    const { value } = await visitor.visit((session) => {
      session.set('user', 'ben');
      return session.isNew;
    });
    expect(value).toBe(true);
    expect(visitor.cookie).not.toBe(before);
    expect(events.map(({ type }) => type)).toContain('not-resumed');
  });
});

test.each([
  ['a wrong key', 'UnrecognizedClientException'],
  ['a wrong secret', 'InvalidSignatureException'],
  ['a role without rights', 'AccessDeniedException'],
  ['a failing service', 'InternalServerError'],
])('%s is an error of every verb', async (_, type) => {
  const endpoint = await scriptedDynamodb(() => failed(type, type.startsWith('Internal') ? 500 : 400));
  const store = new DynamodbStore({ url: endpoint.url });
  const failures = await expectFailures(new GuardedStore(store, DEADLINE));
  for (const { cause, code } of failures) {
    if (code === 'ERR_SESSION_STORE') expect((cause as Error).name).toBe(type);
    else expect(type).toBe('InternalServerError');
  }
  store.close();
  await endpoint.close();
});
