import { UnstorageStore } from 'flacon/stores/unstorage';
import { storeSuite } from 'flacon/testing/store-suite';
import { createStorage } from 'unstorage';
import fsDriver from 'unstorage/drivers/fs';
import redisDriver from 'unstorage/drivers/redis';
import { afterAll, describe, it } from 'vitest';
import { sessionSuite } from '../../src/testing/session-suite.ts';
import { available, temporaryFolder } from '../servers/process.ts';
import { startRedis } from '../servers/redis.ts';

const folder = temporaryFolder('unstorage');
const redis = await available(startRedis);
const onRedis = createStorage(
  redis.server ? { driver: redisDriver({ url: redis.server.url, base: 'unstorage' }) } : {},
);
afterAll(async () => {
  folder.remove();
  await onRedis.dispose();
  await redis.server?.stop();
});

let folders = 0;
const inFiles = () => createStorage({ driver: fsDriver({ base: `${folder.path}/${++folders}` }) });

const places = { memory: () => createStorage(), files: inFiles };
for (const [name, storage] of Object.entries(places)) {
  const create = (now: () => number) => new UnstorageStore({ storage: storage(), now });
  storeSuite({ describe, it }, { name: `unstorage, ${name}`, create });
  sessionSuite({ describe, it }, { name: `unstorage, ${name}`, create });
}

describe.skipIf(redis.missing)(`unstorage on a server${redis.note}`, () => {
  const runner = { describe, it: it.concurrent };
  storeSuite(runner, {
    name: 'unstorage, redis',
    // This driver expires items itself, by the clock of the server.
    clock: 'real',
    create: (now) => new UnstorageStore({ storage: onRedis, now }),
  });
  sessionSuite(runner, { name: 'unstorage, redis', create: (now) => new UnstorageStore({ storage: onRedis, now }) });
});
