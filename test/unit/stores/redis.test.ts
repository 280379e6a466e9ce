/** What the contract's suite does not ask: options, clocks that differ, scripts that are gone, older servers. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { RedisStore } from 'flacon/stores/redis';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SessionConfigError } from '../../../src/errors.ts';
import { commandsOf } from '../../../src/stores/redis/client.ts';
import { openClient } from '../../../src/stores/redis/driver.ts';
import { parseRedisUrl } from '../../../src/stores/redis/url.ts';
import { available, ensureBinary, freePort, temporaryFolder } from '../../servers/process.ts';
import { type StartedRedis, startOwnRedis } from '../../servers/redis.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const bytes = (text: string) => new TextEncoder().encode(text);

describe('URLs', () => {
  test.each([
    ['redis://localhost', { host: 'localhost', port: 6379, database: 0 }],
    ['redis://cache:6380/3', { host: 'cache', port: 6380, database: 3 }],
    ['redis://cache?db=4', { host: 'cache', database: 4 }],
    ['redis://:p%40ss@cache', { host: 'cache', username: undefined, password: 'p@ss' }],
    ['redis://ann:secret@cache', { username: 'ann', password: 'secret' }],
    ['redis://[::1]:6380', { host: '::1', port: 6380 }],
    ['redis://', { host: 'localhost' }],
    ['redis://:secret@/1', { host: 'localhost', password: 'secret', database: 1 }],
    ['rediss://cache', { tls: { rejectUnauthorized: true } }],
    ['rediss://cache?ssl_cert_reqs=none', { tls: { rejectUnauthorized: false } }],
    ['unix:///run/redis.sock', { path: '/run/redis.sock', database: 0 }],
    [
      'unix://ann:secret@/run/a%20b.sock?db=2',
      { path: '/run/a b.sock', username: 'ann', password: 'secret', database: 2 },
    ],
    ['unix:///run/redis.sock?password=secret', { password: 'secret' }],
  ])('%s', (url, expected) => {
    expect(parseRedisUrl(url)).toMatchObject(expected);
  });

  test.each([
    'cache:6379',
    'localhost',
    '',
    'http://cache',
    'redis://cache/sessions',
    'redis://cache/-1',
    'redis://cache?timeout=1',
    'redis://:%zz@cache',
    'rediss://cache?ssl_cert_reqs=perhaps',
    'unix://run/redis.sock',
    'unix://',
  ])('refused: %s', (url) => {
    expect(() => new RedisStore({ url })).toThrow(SessionConfigError);
  });

  test('what is refused is not repeated: it may hold a password', () => {
    expect(() => new RedisStore({ url: 'http://ann:hunter2@cache' })).toThrow(/^(?!.*hunter2)url: got/);
    expect(() => new RedisStore({ url: 'redis://ann:hunter2@cache/x' })).toThrow(/^(?!.*hunter2)url: got/);
  });
});

describe('options', () => {
  test.each([[{}], [null], ['redis://localhost'], [42], [{ get() {}, set() {} }], [new Map()]])(
    'no client: %o',
    (client) => {
      expect(() => new RedisStore({ client: client as never })).toThrow(SessionConfigError);
    },
  );

  test('a client and a URL are one too many; a driver is one of two', () => {
    const client = createClient();
    expect(() => new RedisStore({ client, url: 'redis://localhost' })).toThrow('one of the two');
    expect(() => new RedisStore({ url: 'redis://localhost', driver: 'redis3' as never })).toThrow(
      'driver: got "redis3"',
    );
  });

  test('without a driver, the first verb says what to install', async () => {
    const missing = async (name: string) => {
      throw Object.assign(new Error(`Cannot find package '${name}'`), { code: 'ERR_MODULE_NOT_FOUND' });
    };
    const address = parseRedisUrl('redis://localhost');
    await expect(openClient(address, undefined, missing)).rejects.toThrow(
      /redis and ioredis cannot be found; expected an installed driver \(npm install redis\)/,
    );
    await expect(openClient(address, 'ioredis', missing)).rejects.toThrow(/npm install ioredis/);
    await expect(openClient(address, 'ioredis', missing)).rejects.toBeInstanceOf(SessionConfigError);
  });

  test('a driver that is installed and broken is not taken for missing', async () => {
    const broken = async () => {
      throw new SyntaxError('unexpected token');
    };
    await expect(openClient(parseRedisUrl('redis://localhost'), undefined, broken)).rejects.toThrow(SyntaxError);
  });

  test('a store that was never used opens nothing, and closes', async () => {
    const store = new RedisStore({ url: 'redis://127.0.0.1:1' });
    await store.close();
    await store.close();
    await expect(store.read('k')).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' });
  });
});

describe('the commands of a client', () => {
  test('a script that the server does not know is sent in full, once, and other errors are not tried again', async () => {
    for (const noscript of [true, false]) {
      const calls: string[] = [];
      const fail = async (): Promise<never> => {
        calls.push('evalsha');
        throw new Error(noscript ? 'NOSCRIPT No matching script.' : 'LOADING');
      };
      const answer = async (): Promise<number> => {
        calls.push('eval');
        return 7;
      };
      const node = { withTypeMapping: () => node, evalSha: fail, eval: answer, del: answer };
      const io = { evalshaBuffer: fail, evalBuffer: answer, del: answer };
      for (const client of [node, io]) {
        const done = commandsOf(client)!.run({ source: 'return 7', sha: '0' }, 'k', [], (reply) => reply);
        if (noscript) expect(await done).toBe(7);
        else await expect(done).rejects.toThrow('LOADING');
        expect(calls.splice(0)).toEqual(noscript ? ['evalsha', 'eval'] : ['evalsha']);
      }
    }
  });
});

// PEXPIRETIME came with Redis 7.
const [current, older] = await Promise.all([
  available(startOwnRedis),
  available(() => startOwnRedis(['--rename-command', 'PEXPIRETIME', ''])),
]);
afterAll(() => Promise.all([current.server?.stop(), older.server?.stop()]));

describe.skipIf(current.missing)(`on a server${current.note}`, () => {
  const url = current.server?.url ?? 'redis://localhost';
  const raw = createClient({ url });
  const stores: RedisStore[] = [];
  const at = (ahead: number, client?: Redis): RedisStore => {
    const options = { now: () => Date.now() + ahead };
    const store = new RedisStore(client ? { client, ...options } : { url, ...options });
    stores.push(store);
    return store;
  };
  beforeAll(() => raw.connect());
  afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())));
  afterAll(() => raw.destroy());

  test.each([HOUR, -HOUR, 20 * 365 * 24 * HOUR, 3 * 1000, -3 * 1000])(
    'a clock that is %d ms off the server’s: a record lives as long as it was meant to',
    async (ahead) => {
      const store = at(ahead);
      const now = Date.now() + ahead;
      await raw.del('k');
      expect(await store.write('k', bytes('one'), now + MINUTE, undefined)).toBe('written');
      expect(await raw.pTTL('k')).toBeGreaterThan(MINUTE / 2);
      expect(await raw.pTTL('k')).toBeLessThanOrEqual(MINUTE + 2000);
      // By the caller's clock.
      const found = await store.read('k');
      expect(Math.abs(found!.expiresAt - now - MINUTE)).toBeLessThan(2000);
      expect(await store.touch('k', now + HOUR)).toBe(true);
      expect(await raw.pTTL('k')).toBeGreaterThan(HOUR / 2);
      expect(await raw.pTTL('k')).toBeLessThanOrEqual(HOUR + 2000);
      expect(await store.write('k', bytes('two'), now + MINUTE, bytes('no'))).toMatchObject({
        conflict: { bytes: Buffer.from('one') },
      });
      expect(await store.touch('k', now - 1)).toBe(true);
      expect(await store.read('k')).toBeUndefined();
    },
  );

  test('a clock that is a little ahead: expired is not found, though the server still has it', async () => {
    const exact = at(0);
    const ahead = at(1500);
    const deadline = Date.now() + 1000;
    await raw.del('k');
    await exact.write('k', bytes('one'), deadline, undefined);
    expect(await ahead.read('k')).toBeUndefined();
    expect(await ahead.touch('k', Date.now() + MINUTE)).toBe(false);
    expect(await ahead.write('k', bytes('two'), Date.now() + MINUTE, bytes('one'))).toBe('gone');
    expect(await ahead.write('k', bytes('two'), Date.now() + MINUTE, undefined)).toBe('written');
  });

  test('a deadline is kept to the millisecond', async () => {
    const store = at(0);
    await raw.del('k');
    const deadline = Date.now() + MINUTE;
    await store.write('k', bytes('one'), deadline + 0.9, undefined);
    expect(await raw.pExpireTime('k')).toBe(deadline);
    await store.touch('k', deadline + 12_345);
    expect(await raw.pExpireTime('k')).toBe(deadline + 12_345);
    await store.touch('k', Number.POSITIVE_INFINITY);
    expect(await raw.pExpireTime('k')).toBe(-1);
    expect(await store.touch('k', deadline)).toBe(true);
    expect(await raw.pExpireTime('k')).toBe(deadline);
  });

  test('a refresh changes the deadline and nothing else', async () => {
    const store = at(0);
    await raw.del('k');
    await store.write('k', bytes('one'), Date.now() + MINUTE, undefined);
    const before = await raw.info('commandstats');
    await store.touch('k', Date.now() + HOUR);
    const after = await raw.info('commandstats');
    const calls = (stats: string, name: string) =>
      Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    expect(calls(after, 'set')).toBe(calls(before, 'set'));
    expect(calls(after, 'get')).toBe(calls(before, 'get'));
    expect(calls(after, 'pexpireat')).toBe(calls(before, 'pexpireat') + 1);
  });

  test.each(['redis', 'ioredis'] as const)('one command for each verb, also on a conflict (%s)', async (driver) => {
    const store = new RedisStore({ url, driver });
    stores.push(store);
    await raw.del('k');
    const later = Date.now() + MINUTE;
    const verbs = [
      () => store.write('k', bytes('one'), later, undefined),
      () => store.read('k'),
      () => store.write('k', bytes('two'), later, bytes('one')),
      () => store.write('k', bytes('three'), later, bytes('one')),
      () => store.touch('k', later + 1),
      () => store.write('k', null, later, bytes('two')),
      () => store.write('k', bytes('x'), later, bytes('two')),
      () => store.delete('k'),
    ];
    // Once for the scripts to be known.
    for (const verb of verbs) await verb();
    for (const verb of verbs) {
      const seen = await commandsOnTheWire(verb);
      expect(seen).toHaveLength(1);
      expect(seen[0]).toMatch(/^(?:evalsha|del)$/i);
    }

    async function commandsOnTheWire(verb: () => Promise<unknown>): Promise<string[]> {
      const monitor = raw.duplicate();
      await monitor.connect();
      const names: string[] = [];
      await monitor.monitor((line) => {
        // What a script calls is marked `lua`.
        const [, origin, name] = /\[\d+ ([^\]]+)\] "([^"]+)"/.exec(String(line)) ?? [];
        if (origin !== 'lua' && name && name !== 'monitor' && name !== 'ping' && name !== 'info') names.push(name);
      });
      await verb();
      await raw.ping();
      await new Promise((resolve) => setTimeout(resolve, 50));
      monitor.destroy();
      return names.filter((name) => !/^(?:ping|info|hello|client|monitor)$/i.test(name));
    }
  });

  test.each(['redis', 'ioredis'] as const)(
    'scripts that are flushed while the store runs are sent again (%s)',
    async (driver) => {
      const store = new RedisStore({ url, driver });
      stores.push(store);
      await raw.del('k');
      const later = Date.now() + MINUTE;
      await store.write('k', bytes('one'), later, undefined);
      await raw.scriptFlush();
      expect((await store.read('k'))?.bytes).toEqual(Buffer.from('one'));
      await raw.scriptFlush();
      expect(await store.write('k', bytes('two'), later, bytes('one'))).toBe('written');
      await raw.scriptFlush();
      expect(await store.touch('k', later)).toBe(true);
    },
  );

  test('a key of another type is an error, and stays as it is', async () => {
    const store = at(0);
    await raw.del('k');
    await raw.rPush('k', 'item');
    const later = Date.now() + MINUTE;
    await expect(store.read('k')).rejects.toThrow('WRONGTYPE');
    await expect(store.write('k', bytes('one'), later, undefined)).rejects.toThrow('WRONGTYPE');
    await expect(store.write('k', null, later, bytes('one'))).rejects.toThrow('WRONGTYPE');
    expect(await raw.lRange('k', 0, -1)).toEqual(['item']);
    await raw.del('k');
  });

  test('a given client is used as it is: not closed, its type mapping untouched', async () => {
    const client = createClient({ url });
    await client.connect();
    const listeners = client.listenerCount('error');
    const store = new RedisStore({ client });
    await store.write('k2', new Uint8Array([0xff, 0xfe]), Date.now() + MINUTE, undefined);
    expect((await store.read('k2'))?.bytes).toEqual(Buffer.from([0xff, 0xfe]));
    expect(typeof (await client.get('k2'))).toBe('string');
    await store.close();
    expect(client.listenerCount('error')).toBe(listeners);
    expect(await client.ping()).toBe('PONG');
    await expect(store.read('k2')).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' });
    client.destroy();
  });

  test('a key prefix of the client is kept', async () => {
    const client = new Redis(url, { keyPrefix: 'mine:' });
    const store = at(0, client);
    await store.write('prefixed', bytes('one'), Date.now() + MINUTE, undefined);
    expect(await raw.get('mine:prefixed')).toBe('one');
    expect(await store.delete('prefixed')).toBe(true);
    client.disconnect();
  });
});

describe.skipIf(older.missing)(`on a server before Redis 7${older.note}`, () => {
  test('the deadline is read from the time that remains', async () => {
    const store = new RedisStore({ url: older.server!.url });
    const deadline = Date.now() + MINUTE;
    expect(await store.write('k', bytes('one'), deadline, undefined)).toBe('written');
    const found = await store.read('k');
    expect(deadline - found!.expiresAt).toBeOneOf([0, 1]);
    expect(await store.touch('k', Number.POSITIVE_INFINITY)).toBe(true);
    expect((await store.read('k'))?.expiresAt).toBe(Number.POSITIVE_INFINITY);
    expect(await store.read('nothing')).toBeUndefined();
    expect(await store.touch('nothing', deadline)).toBe(false);
    await store.close();
  });
});

const openssl = await available(() => ensureBinary('openssl', 'openssl'));

describe.skipIf(current.missing || openssl.missing)(`where a URL leads${current.note}${openssl.note}`, () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let server: StartedRedis;
  let tlsPort: number;
  beforeAll(async () => {
    folder = temporaryFolder('redis-urls');
    const [key, certificate] = [join(folder.path, 'key.pem'), join(folder.path, 'cert.pem')];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-days', '2'];
    execFileSync(openssl.server!, [...request, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
    tlsPort = await freePort();
    const tls = ['--tls-port', String(tlsPort), '--tls-cert-file', certificate, '--tls-key-file', key];
    const socket = ['--unixsocket', join(folder.path, 'redis.sock')];
    server = await startOwnRedis([...tls, '--tls-auth-clients', 'no', '--requirepass', 'secret', ...socket]);
  });
  afterAll(async () => {
    await server.stop();
    folder.remove();
  });

  describe.each(['redis', 'ioredis'] as const)('%s', (driver) => {
    const put = async (url: string): Promise<void> => {
      const store = new RedisStore({ url, driver });
      await store.delete('k');
      expect(await store.write('k', bytes(url), Date.now() + MINUTE, undefined)).toBe('written');
      await store.close();
    };
    const found = async (database: number): Promise<string | null> => {
      const raw = new Redis(server.port, { password: 'secret', db: database });
      const value = await raw.get('k');
      raw.disconnect();
      return value;
    };

    test('a database', async () => {
      for (const url of ['/3', '?db=3', '/3?password=secret']) {
        const whole = `redis://${url.includes('password') ? '' : ':secret@'}127.0.0.1:${server.port}${url}`;
        await put(whole);
        expect(await found(3)).toBe(whole);
      }
    });

    test('a socket', async () => {
      const url = `unix://:secret@${folder.path}/redis.sock?db=4`;
      await put(url);
      expect(await found(4)).toBe(url);
    });

    test('TLS, whose certificate is checked unless that is turned off', async () => {
      const url = `rediss://:secret@localhost:${tlsPort}/5`;
      await put(`${url}?ssl_cert_reqs=none`);
      expect(await found(5)).toBe(`${url}?ssl_cert_reqs=none`);
      const strict = new RedisStore({ url, driver });
      await expect(strict.read('k')).rejects.toMatchObject({ cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } });
      await strict.close();
    });
  });
});
