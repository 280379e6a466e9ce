import { RedisStore as ConnectRedis } from 'connect-redis';
import session from 'express-session';
import { ConnectStore } from 'flacon/stores/connect';
import { storeSuite } from 'flacon/testing/store-suite';
import { createClient } from 'redis';
import fileStore from 'session-file-store';
import { afterAll, describe, it } from 'vitest';
import { sessionSuite } from '../../src/testing/session-suite.ts';
import { available, temporaryFolder } from '../servers/process.ts';
import { startRedis } from '../servers/redis.ts';

const folder = temporaryFolder('connect');
const redis = await available(startRedis);
const client = createClient(redis.server ? { url: redis.server.url } : {});
if (redis.server) await client.connect();
afterAll(async () => {
  folder.remove();
  if (client.isOpen) client.destroy();
  await redis.server?.stop();
});

const FileStore = fileStore(session);
let folders = 0;
const inFiles = () =>
  new FileStore({ path: `${folder.path}/${++folders}`, retries: 0, reapInterval: -1, logFn: () => {} });
const inMemory = () => new session.MemoryStore();
const runner = { describe, it: it.concurrent };

storeSuite({ describe, it }, { name: 'MemoryStore', create: (now) => new ConnectStore({ store: inMemory(), now }) });
sessionSuite({ describe, it }, { name: 'MemoryStore', create: (now) => new ConnectStore({ store: inMemory(), now }) });

storeSuite(runner, {
  name: 'session-file-store',
  // It counts the time since the last access by the clock of the machine.
  clock: 'real',
  create: (now) => new ConnectStore({ store: inFiles(), now }),
});
sessionSuite(runner, { name: 'session-file-store', create: (now) => new ConnectStore({ store: inFiles(), now }) });

describe.skipIf(redis.missing)(`connect-redis on a server${redis.note}`, () => {
  const onRedis = new ConnectRedis({ client, prefix: 'connect:' });
  storeSuite(runner, {
    name: 'connect-redis',
    create: (now) => new ConnectStore({ store: onRedis, now }),
  });
  sessionSuite(runner, { name: 'connect-redis', create: (now) => new ConnectStore({ store: onRedis, now }) });
});
