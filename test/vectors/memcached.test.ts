/** What Flask-Session stored through three clients is read, and the same record at the same time is stored alike. */
import { MemcachedStore } from 'flacon/stores/memcached';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { ask, startOwnMemcached } from '../servers/memcached.ts';
import { available } from '../servers/process.ts';
import { differs } from './differences.ts';
import { loadVectors } from './load.ts';

interface Vector {
  name: string;
  client: string;
  key_prefix: string;
  sid: string;
  lifetime_seconds: number;
  /** Seconds since 1970: years from the server's clock. */
  now: number;
  /** Absent, as the rest: saving was refused. */
  key?: string;
  /** Bytes, each as a character. */
  command_line: string;
  stored: boolean;
  flags: number;
  value_hex: string;
  exptime: number;
  error?: { type: string; message: string };
}

const { vectors } = loadVectors<Vector>('store_memcached');
const sent = vectors.filter(({ key }) => key !== undefined);
const stored = sent.filter((vector) => vector.stored);

const memcached = await available(startOwnMemcached);

describe.skipIf(memcached.missing)(`memcached${memcached.note}`, () => {
  const port = memcached.server?.port ?? 0;
  let time = 0;
  const store = new MemcachedStore({ url: memcached.server?.url ?? 'memcached://localhost', now: () => time });

  beforeEach(() => ask(port, 'flush_all'));
  afterAll(async () => {
    store.close();
    await memcached.server?.stop();
  });

  /** The key as the server knows it: the commands were recorded byte by byte. */
  const keyOf = ({ command_line }: Vector) => command_line.split(' ')[1]!;
  const bytesOf = ({ value_hex }: Vector) => Buffer.from(value_hex, 'hex');

  /** What is left of it on the server, in seconds; a date is what the server's own clock makes of it. */
  function expectLeft(text: string, exptime: number): void {
    const left = Number(/ t(-?\d+)/.exec(text)?.[1]);
    if (exptime === 0) {
      expect(left).toBe(-1);
      return;
    }
    const expected = exptime <= 2_592_000 ? exptime : exptime - Date.now() / 1000;
    expect(Math.abs(left - expected)).toBeLessThan(4);
  }

  describe('what Flask-Session sent is read', () => {
    for (const vector of stored) {
      test(vector.name, async () => {
        time = vector.now * 1000;
        const answer = await ask(port, `${vector.command_line}\r\n${bytesOf(vector).toString('latin1')}`);
        expect(answer).toBe(vector.command_line.endsWith('noreply') ? '' : 'STORED\r\n');
        const found = await store.read(vector.key!);
        expect(Buffer.from(found!.bytes).toString('hex')).toBe(vector.value_hex);
        if (vector.exptime === 0) expect(found!.expiresAt).toBe(Number.POSITIVE_INFINITY);
        // Through a new store, to which these bytes are just bytes: what was read is what an update expects.
        const next = Buffer.from([0x81, 0xa1, 0x61, 0x02]);
        expect(await store.write(vector.key!, next, time + 60_000, found!.bytes)).toBe('written');
        expect(await ask(port, `get ${keyOf(vector)}`)).toBe(
          `VALUE ${keyOf(vector)} 0 4\r\n${next.toString('latin1')}\r\nEND\r\n`,
        );
      });
    }
  });

  describe('what is stored is what Flask-Session stored', () => {
    for (const vector of stored) {
      test(vector.name, async () => {
        const key = vector.key_prefix + vector.sid;
        expect(key).toBe(vector.key);
        time = vector.now * 1000 + 250;
        const value = bytesOf(vector);
        // The engine cuts a lifetime to whole seconds; there is no "never" in Flask-Session but by memcached's 0.
        const lifetime = Math.floor(vector.lifetime_seconds) || Number.POSITIVE_INFINITY;
        expect(await store.write(key, value, time + lifetime * 1000, undefined)).toBe('written');
        expect(vector.flags).toBe(0);
        const wire = keyOf(vector);
        expect(await ask(port, `get ${wire}`)).toBe(
          `VALUE ${wire} ${vector.flags} ${value.length}\r\n${value.toString('latin1')}\r\nEND\r\n`,
        );
        expectLeft(await ask(port, `mg ${wire} t`), vector.exptime);
        // A touch sets the same time as a write.
        expect(await store.touch(key, time + 60_000)).toBe(true);
        expectLeft(await ask(port, `mg ${wire} t`), 60);
        expect(await store.touch(key, time + lifetime * 1000)).toBe(true);
        expectLeft(await ask(port, `mg ${wire} t`), vector.exptime);
        expect(await store.delete(key)).toBe(true);
        expect(await ask(port, `get ${wire}`)).toBe('END\r\n');
      });
    }
  });

  describe('a lifetime that is over when it begins', () => {
    for (const vector of sent.filter((each) => !each.stored)) {
      test(vector.name, async () => {
        time = vector.now * 1000;
        const expiresAt = time + vector.lifetime_seconds * 1000;
        expect(await store.write(vector.key!, Buffer.from('80', 'hex'), expiresAt, undefined)).toBe('written');
        expect(await ask(port, `get ${keyOf(vector)}`)).toBe('END\r\n');
      });
    }
  });

  describe('a key that the client library refuses', () => {
    const refused = vectors.filter(({ name, key }) => key === undefined && name.includes('/key/'));
    test.each(refused)('$name', async ({ name, key_prefix, sid, error }) => {
      expect(error).toBeDefined();
      differs('store_memcached', name, 'S-MEMCACHED-KEY', 'any text is a key, encoded where it has to be');
      time = Date.now();
      const key = key_prefix + sid;
      expect(await store.write(key, Buffer.from('one'), time + 60_000, undefined)).toBe('written');
      expect(Buffer.from((await store.read(key))!.bytes).toString()).toBe('one');
      expect(await store.delete(key)).toBe(true);
    });
  });
});
