/** An option that a store does not have is refused by every store, with its name and those that there are. */
import { ConnectStore } from 'flacon/stores/connect';
import { DynamodbStore } from 'flacon/stores/dynamodb';
import { embeddedStore } from 'flacon/stores/embedded';
import { FilesystemStore } from 'flacon/stores/filesystem';
import { KeyvStore } from 'flacon/stores/keyv';
import { MemcachedStore } from 'flacon/stores/memcached';
import { MemoryStore } from 'flacon/stores/memory';
import { MongodbStore } from 'flacon/stores/mongodb';
import { RedisStore } from 'flacon/stores/redis';
import { PostgresqlStore, SqlStore } from 'flacon/stores/sql';
import { SqliteStore } from 'flacon/stores/sqlite';
import { UnstorageStore } from 'flacon/stores/unstorage';
import { expect, test } from 'vitest';

const typo = { ttl: 60 } as object;
const makers: Record<string, () => unknown> = {
  connect: () => new ConnectStore({ store: { get() {}, set() {}, destroy() {} } as never, ...typo }),
  dynamodb: () => new DynamodbStore(typo),
  embedded: () => embeddedStore(typo),
  filesystem: () => new FilesystemStore(typo),
  keyv: () => new KeyvStore({ keyv: { get() {}, set() {}, delete() {} } as never, ...typo }),
  memcached: () => new MemcachedStore(typo),
  memory: () => new MemoryStore(typo),
  mongodb: () => new MongodbStore(typo),
  postgresql: () => new PostgresqlStore({ url: 'postgresql://localhost/db', ...typo }),
  redis: () => new RedisStore(typo),
  sql: () => new SqlStore({ url: 'postgresql://localhost/db', ...typo }),
  sqlite: () => new SqliteStore(typo),
  unstorage: () =>
    new UnstorageStore({
      storage: { getItemRaw() {}, setItemRaw() {}, removeItem() {}, getKeys() {} } as never,
      ...typo,
    }),
};

test.each(Object.entries(makers))('%s', (_name, make) => {
  expect(make).toThrow(
    expect.objectContaining({
      code: 'ERR_SESSION_CONFIG',
      message: expect.stringMatching(/^ttl: got an unknown option; expected one of .*\bnow\b/),
    }),
  );
});
