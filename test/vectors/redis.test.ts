/** What Flask-Session stored is read, and the same record at the same time is stored alike: key, value, and time to live. */
import { connect } from 'node:net';
import { RedisStore } from 'flacon/stores/redis';
import { createClient, RESP_TYPES } from 'redis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { available } from '../servers/process.ts';
import { startOwnRedis } from '../servers/redis.ts';
import { differs } from './differences.ts';
import { loadVectors } from './load.ts';

interface Vector {
  name: string;
  key_prefix: string;
  sid: string;
  lifetime_seconds: number;
  /** Seconds since 1970: years from the server's clock, as an application's whose clock is wrong. */
  now: number;
  /** Absent, as the rest: saving was refused. */
  key_hex?: string;
  key: string;
  value_hex: string;
  /** Seconds. */
  ttl: number;
  /** As sent to the server (RESP). */
  command_hex: string;
  error?: { type: string; message: string };
}

const { vectors } = loadVectors<Vector>('store_redis');
const stored = vectors.filter(({ key_hex }) => key_hex !== undefined);

/** One of them lives for a second, which a machine at its limits may spend elsewhere. */
const SLOW = { retry: 2 };

const redis = await available(startOwnRedis);

describe.skipIf(redis.missing)(`redis${redis.note}`, () => {
  const url = redis.server?.url ?? 'redis://localhost';
  const raw = createClient({ url });
  const binary = raw.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  let time = 0;
  const store = new RedisStore({ url, now: () => time });

  beforeAll(() => raw.connect());
  beforeEach(() => raw.flushAll());
  afterAll(async () => {
    await store.close();
    raw.destroy();
    await redis.server?.stop();
  });

  /** Bytes as they are, over a connection of their own. @returns what the server replied */
  function send(bytes: Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port: redis.server!.port, host: '127.0.0.1' }, () => socket.write(bytes));
      socket.once('data', (reply) => {
        socket.destroy();
        resolve(reply.toString());
      });
      socket.once('error', reject);
    });
  }

  describe('what Flask-Session sent is read', () => {
    for (const vector of stored) {
      test(vector.name, SLOW, async () => {
        time = vector.now * 1000;
        expect(await send(Buffer.from(vector.command_hex, 'hex'))).toBe('+OK\r\n');
        const found = await store.read(vector.key);
        expect(Buffer.from(found!.bytes).toString('hex')).toBe(vector.value_hex);
        const left = found!.expiresAt - time;
        expect(left).toBeGreaterThan(vector.ttl * 1000 - 900);
        expect(left).toBeLessThanOrEqual(vector.ttl * 1000);
        // What was read is what an update expects, and so is what Flask would read next.
        const next = Buffer.from([0x81, 0xa1, 0x61, 0x02]);
        expect(await store.write(vector.key, next, time + 60_000, found!.bytes)).toBe('written');
        expect(await binary.get(Buffer.from(vector.key_hex!, 'hex'))).toEqual(next);
      });
    }
  });

  describe('what is stored is what Flask-Session stored', () => {
    for (const vector of stored) {
      test(vector.name, SLOW, async () => {
        const key = vector.key_prefix + vector.sid;
        expect(Buffer.from(key).toString('hex')).toBe(vector.key_hex);
        time = vector.now * 1000 + 250;
        const value = Buffer.from(vector.value_hex, 'hex');
        // The engine cuts a lifetime to whole seconds.
        const expiresAt = time + Math.floor(vector.lifetime_seconds) * 1000;
        expect(await store.write(key, value, expiresAt, undefined)).toBe('written');
        expect(await raw.dbSize()).toBe(1);
        expect(await binary.get(Buffer.from(vector.key_hex!, 'hex'))).toEqual(value);
        expect(await raw.type(key)).toBe('string');
        const left = await raw.pTTL(key);
        expect(left).toBeGreaterThan(vector.ttl * 1000 - 900);
        expect(left).toBeLessThanOrEqual(vector.ttl * 1000);
        expect(await store.delete(key)).toBe(true);
        expect(await raw.dbSize()).toBe(0);
      });
    }
  });

  describe('a lifetime that is over when it begins', () => {
    for (const vector of vectors.filter(({ lifetime_seconds }) => lifetime_seconds < 1)) {
      test(vector.name, async () => {
        expect(vector.error?.type).toBe('ResponseError');
        time = vector.now * 1000;
        differs('store_redis', vector.name, 'Expiry', 'a record that has expired before it is written is not written');
        const key = vector.key_prefix + vector.sid;
        const expiresAt = time + vector.lifetime_seconds * 1000;
        expect(await store.write(key, Buffer.from('80', 'hex'), expiresAt, undefined)).toBe('written');
        expect(await raw.dbSize()).toBe(0);
      });
    }
  });
});
