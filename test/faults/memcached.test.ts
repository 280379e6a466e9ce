/** Servers that are away, silent, cut off, locked, full or replaced, and records that are none. */
import { MemcachedStore, type MemcachedStoreOptions } from 'flacon/stores/memcached';
import memjs from 'memjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SessionEvent } from '../../src/core/events.ts';
import { GuardedStore } from '../../src/core/guarded-store.ts';
import { createSessionInterface } from '../../src/core/options.ts';
import { SessionStoreError } from '../../src/errors.ts';
import { Visitor } from '../../src/testing/visitor.ts';
import { ask, type Certificate, type StartedMemcached, selfSigned, startOwnMemcached } from '../servers/memcached.ts';
import { available, until } from '../servers/process.ts';
import { type FaultProxy, startProxy } from '../servers/proxy.ts';
import {
  bytes,
  expectNothingUnhandled,
  expectRecovery,
  expectFailures as expectTypedFailures,
  later,
  outcome,
  text,
} from './failures.ts';

/** Seconds. */
const DEADLINE = 1;
const put = (port: number, key: string, value: string) => ask(port, `set ${key} 0 60 ${value.length}\r\n${value}`);

expectNothingUnhandled();

/** @returns the codes of the causes */
async function expectFailures(store: GuardedStore, code?: string): Promise<unknown[]> {
  const failures = await expectTypedFailures(store, { deadline: DEADLINE, code, name: 'memcached' });
  return failures.map(({ cause }) => (cause as { code?: unknown } | undefined)?.code);
}

const memcached = await available(startOwnMemcached);
afterAll(() => memcached.server?.stop());

describe.skipIf(memcached.missing)(`memcached${memcached.note}`, () => {
  let server: StartedMemcached;
  let proxy: FaultProxy;
  let own: MemcachedStore;
  let store: GuardedStore;

  beforeEach(async () => {
    server = memcached.server!;
    proxy = await startProxy(server);
    await ask(server.port, 'flush_all');
    await put(server.port, 'k', 'one');
    begin();
  });
  afterEach(async () => {
    own.close();
    await proxy.close();
  });

  function begin(options: MemcachedStoreOptions = {}): void {
    own?.close();
    own = new MemcachedStore({ servers: `127.0.0.1:${proxy.port}`, ...options });
    store = new GuardedStore(own, DEADLINE);
  }

  /** Its threads stop a moment after the signal. */
  async function pause(): Promise<void> {
    server.process.pause();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }

  test('away at the start, then there', async () => {
    await proxy.refuse();
    expect(new Set(await expectFailures(store))).toEqual(new Set(['ECONNECTION']));
    await proxy.pass();
    await expectRecovery(store, 'one');
    expect(proxy.open).toBe(1);
  });

  test('away for a while, and back', async () => {
    await expectRecovery(store, 'one');
    await proxy.refuse();
    await expectFailures(store);
    await expectFailures(store);
    await proxy.pass();
    await expectRecovery(store, 'one');
    expect(await store.write('k', bytes('three'), later(), bytes('one'))).toBe('written');
    expect(proxy.open).toBe(1);
  });

  test('while it is away it is not asked with every call', async () => {
    await proxy.refuse();
    for (let n = 0; n < 200; n++) expect(await outcome(() => own.read('k'))).toMatchObject({ code: 'ECONNECTION' });
    const last = (await outcome(() => own.read('k'))) as Error;
    expect(last.message).toBe(`127.0.0.1:${proxy.port} could not be reached a moment ago`);
    expect((last.cause as Error).message).toBe(`cannot connect to 127.0.0.1:${proxy.port}`);
  });

  test('connections that break are made anew at once, one at a time', async () => {
    for (let round = 0; round < 5; round++) {
      await expectRecovery(store, 'one');
      proxy.reset();
    }
    await expectRecovery(store, 'one');
    expect(proxy.open).toBe(1);
    expect(proxy.accepted).toBe(6);
  });

  test('silent for longer than the deadline', async () => {
    await expectRecovery(store, 'one');
    await pause();
    try {
      await expectFailures(store, 'ERR_SESSION_STORE_TIMEOUT');
    } finally {
      server.process.resume();
    }
    // What was under way is done late. Nothing is mixed up: each reply belongs to its command.
    await expectRecovery(store, 'one', 'two');
    expect(await store.write('next', bytes('three'), later(), undefined)).toBe('written');
    expect(text(await store.read('next'))).toBe('three');
    expect(proxy.open).toBe(1);
    expect(proxy.accepted).toBe(1);
  });

  test('silent for longer than the own deadline: the connection is given up', async () => {
    begin({ timeout: 200 });
    await expectRecovery(store, 'one');
    await pause();
    try {
      expect(new Set(await expectFailures(store, 'ERR_SESSION_STORE'))).toEqual(new Set(['ETIMEDOUT']));
      // Connecting succeeds, the greeting is not answered.
      await until(async () => {
        const failure = (await outcome(() => own.read('k'))) as { code?: string };
        return failure.code === 'ETIMEDOUT';
      }, 'a new connection is given up, too');
    } finally {
      server.process.resume();
    }
    await expectRecovery(store, 'one', 'two');
    await until(() => proxy.open === 1, 'one connection is left');
  });

  test('cut off in the middle of a reply', async () => {
    const long = 'x'.repeat(200_000);
    await put(server.port, 'k', long);
    await expectRecovery(store, long);
    for (const at of [1, 5, 100, 150_000]) {
      proxy.cutAfter(at);
      const found = await outcome(() => store.read('k'));
      expect(found).toBeInstanceOf(SessionStoreError);
      expect(found).toMatchObject({ operation: 'read', cause: { code: 'ECONNECTION' } });
      await expectRecovery(store, long);
    }
    expect(proxy.open).toBe(1);
  });

  test('cut off in the middle of the greeting', async () => {
    for (const at of [1, 10, 500]) {
      begin();
      proxy.cutAfter(at);
      await expectFailures(store, 'ERR_SESSION_STORE');
      await expectRecovery(store, 'one', 'two');
      await put(server.port, 'k', 'one');
    }
  });

  test('slow, but in time', async () => {
    await expectRecovery(store, 'one');
    proxy.delay(100);
    expect(await store.write('k', bytes('two'), later(), bytes('one'))).toBe('written');
    expect(text(await store.read('k'))).toBe('two');
  });

  test('many calls that were given up leave nothing behind', async () => {
    await expectRecovery(store, 'one');
    proxy.hold();
    const calls = Array.from({ length: 200 }, () => outcome(() => store.read('k')));
    for (const result of await Promise.all(calls)) expect(result).toMatchObject({ code: 'ERR_SESSION_STORE_TIMEOUT' });
    await proxy.pass();
    await expectRecovery(store, 'one');
    expect(proxy.open).toBe(1);
  });

  test('more than can wait is refused at once', async () => {
    await expectRecovery(store, 'one');
    proxy.hold();
    const large = new Uint8Array(1_000_000);
    const calls = Array.from({ length: 100 }, () => outcome(() => own.write('l', large, later(), undefined)));
    const refused = await Promise.race(calls);
    expect(refused).toMatchObject({ code: 'EFULL' });
    own.close();
    const all = await Promise.all(calls);
    const codes = all.map((result) => (result as { code?: string }).code);
    expect(new Set(codes)).toEqual(new Set(['ECLOSED', 'EFULL']));
    expect(codes.filter((code) => code === 'ECLOSED').length).toBe(67);
  });

  test('a record over the limit: an error, and what was there stays', async () => {
    const over = new Uint8Array(1024 * 1024);
    const failure = await outcome(() => store.write('k', over, later(), bytes('one')));
    expect(failure).toMatchObject({ code: 'ERR_SESSION_STORE', operation: 'write' });
    expect((failure as Error).message).toContain(
      'a record of 1048641 bytes, with its key, is more than the server takes',
    );
    expect(await outcome(() => store.write('new', over, later(), undefined))).toBeInstanceOf(SessionStoreError);
    expect(text(await store.read('k'))).toBe('one');
    expect(await store.read('new')).toBeUndefined();
    // The largest that fits does.
    const most = new Uint8Array(1024 * 1024 - 1 - 64).fill(7);
    expect(await store.write('k', most, later(), bytes('one'))).toBe('written');
    expect((await store.read('k'))?.bytes.length).toBe(most.length);
  });

  test('over the limit through memjs: the same', async () => {
    const client = memjs.Client.create(server.address, { logger: { log() {} } });
    const over = new Uint8Array(1024 * 1024);
    const through = new MemcachedStore({ client });
    expect(await outcome(() => through.write('k', over, later(), bytes('one')))).toBeInstanceOf(SessionStoreError);
    expect(text(await through.read('k'))).toBe('one');
    client.close();
  });

  test('records of random bytes', async () => {
    const events: SessionEvent[] = [];
    const onEvent = (event: SessionEvent): void => void events.push(event);
    const visitor = new Visitor(createSessionInterface({ store: own, profile: 'flask', onEvent }));
    await visitor.visit((session) => void session.set('a', 1));
    const key = `session:${visitor.cookie}`;
    for (const garbage of ['\xc1\xff\0', '', '}{', '\x91'.repeat(5000)]) {
      await put(server.port, key, garbage);
      const { value } = await visitor.twin().visit((session) => [session.isNew, session.get('a')]);
      expect(value).toEqual([true, undefined]);
    }
    expect(events.filter((event) => event.type === 'not-resumed')).toHaveLength(4);
  });

  test('a connection that nobody uses keeps no process alive, one that is waited for does', async () => {
    await expectRecovery(store, 'one');
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    const idle = sockets();
    proxy.hold();
    const call = outcome(() => own.read('k'));
    expect(sockets()).toBe(idle + 1);
    await proxy.pass();
    await call;
    expect(sockets()).toBe(idle);
  });

  test('closing: what waits fails, and so does what comes after', async () => {
    await expectRecovery(store, 'one');
    proxy.hold();
    const calls = Promise.all([outcome(() => own.read('k')), outcome(() => own.touch('k', later()))]);
    own.close();
    own.close();
    for (const result of await calls) expect(result).toMatchObject({ code: 'ECLOSED' });
    await expectFailures(store, 'ERR_SESSION_STORE');
    await until(() => proxy.open === 0, 'the connection is closed');
  });
});

describe.skipIf(memcached.missing)(`a restart${memcached.note}`, () => {
  test('of a server that forgets everything: the numbers that it gave mean nothing any more', async () => {
    const before = await startOwnMemcached();
    const own = new MemcachedStore({ servers: before.address });
    const store = new GuardedStore(own, DEADLINE);
    expect(await store.write('k', bytes('one'), later(), undefined)).toBe('written');
    const [found, other] = [(await store.read('k'))!, (await store.read('k'))!];
    await before.process.kill();
    await expectFailures(store);
    const after = await startOwnMemcached({ port: before.port });
    await expectRecovery(store, undefined);
    expect(await store.write('k', bytes('two'), later(), found.bytes)).toBe('gone');
    // Somebody else's record, with the number that the first one had.
    await put(after.port, 'k', 'somebody else');
    expect(await ask(after.port, 'mg k c')).toBe('HD c1\r\n');
    const result = await store.write('k', bytes('two'), later(), other.bytes);
    expect(typeof result === 'object' && text(result.conflict)).toBe('somebody else');
    own.close();
    await after.stop();
    await before.stop();
  });
});

describe.skipIf(memcached.missing)(`authentication${memcached.note}`, () => {
  let server: StartedMemcached;
  beforeAll(async () => {
    server = await startOwnMemcached({ login: { username: 'ann', password: 'the-right-one' } });
  });
  afterAll(() => server.stop());

  test('wrong, missing and right', async () => {
    for (const login of ['ann:wrong-password@', 'bob:the-right-one@', '']) {
      const own = new MemcachedStore({ url: `memcached://${login}127.0.0.1:${server.port}` });
      const store = new GuardedStore(own, DEADLINE);
      expect(await expectFailures(store, 'ERR_SESSION_STORE')).toContain('EAUTH');
      const { cause } = (await outcome(() => store.read('k'))) as Error;
      expect(`${cause} ${(cause as Error).cause}`).not.toMatch(/wrong-password|right/);
      own.close();
    }
    for (const options of [
      { url: `memcached://ann:the-right-one@127.0.0.1:${server.port}` },
      { servers: server.address, username: 'ann', password: 'the-right-one' },
    ]) {
      const own = new MemcachedStore(options);
      await own.delete('k');
      expect(await own.write('k', bytes('one'), later(), undefined)).toBe('written');
      expect(text(await own.read('k'))).toBe('one');
      own.close();
    }
  });

  test('a server that asks for none keeps no password', async () => {
    const open = memcached.server!;
    const own = new MemcachedStore({ servers: open.address, username: 'ann', password: 'secret' });
    await own.read('k');
    expect(await ask(open.port, 'get login')).toBe('END\r\n');
    own.close();
  });
});

describe.skipIf(memcached.missing)(`TLS${memcached.note}`, () => {
  let server: StartedMemcached;
  let own: Certificate;
  beforeAll(async () => {
    own = await selfSigned();
    server = await startOwnMemcached({ certificate: own });
  });
  afterAll(() => server.stop());

  test('with its certificate, by address and by name', async () => {
    const tls = { ca: own.certificate };
    for (const host of ['127.0.0.1', 'localhost']) {
      const store = new MemcachedStore({ servers: `${host}:${server.port}`, tls });
      await store.delete('k');
      expect(await store.write('k', bytes('one'), later(), undefined)).toBe('written');
      const large = new Uint8Array(500_000).fill(5);
      expect(await store.write('k', large, later(), bytes('one'))).toBe('written');
      expect((await store.read('k'))?.bytes).toEqual(large);
      store.close();
    }
  });

  test('a certificate that nobody vouches for, or for another name, is refused', async () => {
    for (const options of [
      { url: `memcacheds://127.0.0.1:${server.port}` },
      { servers: server.address, tls: true },
      { servers: server.address, tls: { ca: own.certificate, servername: 'example.org' } },
    ]) {
      const store = new MemcachedStore(options);
      expect(await expectFailures(new GuardedStore(store, DEADLINE), 'ERR_SESSION_STORE')).toContain('ECONNECTION');
      store.close();
    }
    const unchecked = new MemcachedStore({ servers: server.address, tls: { rejectUnauthorized: false } });
    expect(await unchecked.touch('never', later())).toBe(false);
    unchecked.close();
  });

  test('without TLS there is no answer, and an end to waiting for it', async () => {
    const store = new MemcachedStore({ servers: server.address, timeout: 300 });
    await expectFailures(new GuardedStore(store, DEADLINE), 'ERR_SESSION_STORE');
    store.close();
  });
});

describe.skipIf(memcached.missing)(`other servers${memcached.note}`, () => {
  test('one that compares nothing (-C) is refused: writes would be lost', async () => {
    const server = await startOwnMemcached({ args: ['-C'] });
    const store = new MemcachedStore({ servers: server.address });
    await expect(store.read('k')).rejects.toThrow('start it without -C');
    store.close();
    await server.stop();
  });

  test('one that speaks only the binary protocol, which is what SASL needs', async () => {
    const server = await startOwnMemcached({ args: ['-B', 'binary'] });
    const store = new MemcachedStore({ servers: server.address, timeout: 300 });
    expect(await expectFailures(new GuardedStore(store, DEADLINE), 'ERR_SESSION_STORE')).toContain('ETIMEDOUT');
    store.close();
    const client = memjs.Client.create(server.address, { logger: { log() {} } });
    const through = new MemcachedStore({ client });
    expect(await through.write('k', bytes('one'), later(), undefined)).toBe('written');
    expect(text(await through.read('k'))).toBe('one');
    client.close();
    await server.stop();
  });

  test('one of several that is down fails its own keys and no others, which go nowhere else', async () => {
    const servers = [await startOwnMemcached(), await startOwnMemcached()];
    const store = new MemcachedStore({ servers: servers.map(({ address }) => address) });
    const keys = Array.from({ length: 40 }, (_, i) => `key ${i}`);
    const putAll = () =>
      Promise.all(keys.map((key) => outcome(() => store.write(key, bytes(key), later(), undefined))));
    expect(new Set(await putAll())).toEqual(new Set(['written']));
    await servers[1]!.process.kill();
    const found = await Promise.all(keys.map((key) => outcome(() => store.read(key))));
    const lost = found.filter((result) => result instanceof Error).length;
    expect(lost).toBeGreaterThan(0);
    expect(lost).toBeLessThan(keys.length);
    for (const [i, result] of found.entries()) {
      if (!(result instanceof Error)) expect(text(result)).toBe(keys[i]);
    }
    store.close();
    await Promise.all(servers.map((server) => server.stop()));
  });
});
