/** Round trips, keys that mean harm, deadlines, servers and their order, and what the foreign clients do to records. */
import { createHash } from 'node:crypto';
import { type Distribution, MemcachedStore, type MemcachedStoreOptions } from 'flacon/stores/memcached';
import Memcached from 'memcached';
import memjs from 'memjs';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { locator } from '../../../src/stores/memcached/distribution.ts';
import { Deadlines, toExptime } from '../../../src/stores/memcached/expiry.ts';
import { plainKey, wireKey } from '../../../src/stores/memcached/key.ts';
import { parseServer, parseUrl } from '../../../src/stores/memcached/servers.ts';
import { Turns } from '../../../src/stores/memcached/turns.ts';
import { ask, startMemcached } from '../../servers/memcached.ts';
import { type Recorder, startRecorder } from '../../servers/memcached-peer.ts';
import { available } from '../../servers/process.ts';

const MINUTE = 60_000;
const later = () => Date.now() + MINUTE;
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (record: { bytes: Uint8Array } | undefined) => record && new TextDecoder().decode(record.bytes);

const memcached = await available(startMemcached);
afterAll(() => memcached.server?.stop());
const port = memcached.server?.port ?? 0;
let keys = 0;
const newKey = () => `unit:${process.pid}:${++keys}`;

describe.skipIf(memcached.missing)(`round trips${memcached.note}`, () => {
  let recorder: Recorder;
  let store: MemcachedStore;
  beforeEach(async () => {
    recorder = await startRecorder(port);
    store = new MemcachedStore({ servers: recorder.address });
    await store.read('warm');
    recorder.commands();
  });
  afterEach(async () => {
    store.close();
    await recorder.stop();
  });
  const verbs = () => recorder.commands().map((line) => line.split(' ')[0]);

  test('one each, when nobody interferes', async () => {
    const key = newKey();
    const first = bytes('one');
    expect(await store.write(key, first, later(), undefined)).toBe('written');
    expect(verbs()).toEqual(['ms']);
    const found = (await store.read(key))!;
    expect(verbs()).toEqual(['mg']);
    const second = bytes('two');
    expect(await store.write(key, second, later(), found.bytes)).toBe('written');
    expect(verbs()).toEqual(['ms']);
    // What was written is known as well as what was read.
    expect(await store.write(key, bytes('three'), later(), second)).toBe('written');
    expect(verbs()).toEqual(['ms']);
    expect(await store.touch(key, later())).toBe(true);
    expect(verbs()).toEqual(['mg']);
    const last = (await store.read(key))!;
    recorder.commands();
    expect(await store.write(key, null, later(), last.bytes)).toBe('written');
    expect(verbs()).toEqual(['md']);
    expect(await store.delete(key)).toBe(false);
    expect(verbs()).toEqual(['md']);
  });

  test('bytes that it did not hand out are compared first', async () => {
    const key = newKey();
    await store.write(key, bytes('one'), later(), undefined);
    recorder.commands();
    expect(await store.write(key, bytes('two'), later(), bytes('one'))).toBe('written');
    expect(verbs()).toEqual(['mg', 'ms']);
    expect(await store.write(key, bytes('three'), later(), bytes('one'))).toMatchObject({ conflict: {} });
    expect(verbs()).toEqual(['mg']);
  });

  test('the same bytes written anew by somebody else are still the same', async () => {
    const key = newKey();
    await store.write(key, bytes('one'), later(), undefined);
    const found = (await store.read(key))!;
    await ask(port, `set ${key} 0 60 3\r\none`);
    recorder.commands();
    expect(await store.write(key, bytes('two'), later(), found.bytes)).toBe('written');
    expect(verbs()).toEqual(['ms', 'mg', 'ms']);
  });

  test('what was read under one key says nothing of another', async () => {
    const [one, other] = [newKey(), newKey()];
    await store.write(one, bytes('one'), later(), undefined);
    await store.write(other, bytes('other'), later(), undefined);
    const found = (await store.read(one))!;
    expect(await store.write(other, bytes('two'), later(), found.bytes)).toMatchObject({ conflict: {} });
    expect(text(await store.read(other))).toBe('other');
  });

  test('what one store knows of bytes says nothing to another', async () => {
    const key = newKey();
    const other = new MemcachedStore({ servers: recorder.address });
    const npm = new Memcached(recorder.address);
    const third = new MemcachedStore({ client: npm });
    await store.write(key, bytes('{}'), later(), undefined);
    const found = (await store.read(key))!;
    expect(await other.write(key, bytes('{"a":1}'), later(), found.bytes)).toBe('written');
    recorder.commands();
    const again = (await store.read(key))!;
    expect(await third.write(key, bytes('{"a":2}'), later(), again.bytes)).toBe('written');
    expect(recorder.commands().map((line) => line.split(' ')[0])).toEqual(['mg', 'gets', 'cas']);
    expect(await store.write(key, bytes('{"a":3}'), later(), (await third.read(key))!.bytes)).toBe('written');
    expect(text(await other.read(key))).toBe('{"a":3}');
    other.close();
    npm.end();
  });

  test('bytes that nothing can be attached to are compared', async () => {
    const key = newKey();
    const sealed = Object.preventExtensions(bytes('one'));
    await store.write(key, sealed, later(), undefined);
    expect(await store.write(key, bytes('two'), later(), sealed)).toBe('written');
  });

  test('a hundred at once are a few packets, in order', async () => {
    const names = Array.from({ length: 100 }, newKey);
    await Promise.all(names.map((key) => store.write(key, bytes(key), later(), undefined)));
    recorder.commands();
    const found = await Promise.all(names.map((key) => store.read(key)));
    expect(found.map(text)).toEqual(names);
    expect(recorder.commands().map((line) => line.split(' ')[1])).toEqual(names);
    expect(recorder.open).toBe(1);
  });

  test('a deadline is never read as none, however late the call is', async () => {
    const key = newKey();
    let time = Date.now();
    const slow = new MemcachedStore({ servers: recorder.address, now: () => (time += 700) });
    await slow.write(key, bytes('one'), time + 1000, undefined);
    expect(recorder.commands()[0]).toContain(' T1 ');
    slow.close();
  });
});

const HOSTILE = [
  'a b',
  ' ',
  '',
  'a\r\nset injected 0 0 3\r\nbad',
  'a\nflush_all',
  'a\0b',
  'a\tb',
  '\x7f',
  'ü:key',
  '\u2028',
  '😀',
  '\ud800',
  '\udfff',
  'x'.repeat(251),
  'ä'.repeat(200),
  'a\rb'.repeat(100),
  'cas',
  '__proto__',
  'constructor',
  "a$'b",
  'a$&b',
  'a$`b',
  'a$$b',
  '$1',
  'END',
  'noreply',
];

describe.skipIf(memcached.missing)(`keys and records that mean harm${memcached.note}`, () => {
  const address = memcached.server?.address ?? 'localhost';
  const quiet = { log() {} };
  const memjsClient = memjs.Client.create(address, { logger: quiet });
  const npmClient = new Memcached(address);
  afterAll(() => {
    memjsClient.close();
    npmClient.end();
  });
  const ways: { name: string; options: MemcachedStoreOptions }[] = [
    { name: 'own client', options: { servers: address } },
    { name: 'memjs', options: { client: memjsClient } },
    { name: 'memcached', options: { client: npmClient } },
  ];

  describe.each(ways)('$name', ({ options }) => {
    const store = new MemcachedStore(options);
    afterAll(() => store.close());

    test('every text is a key, and no two are the same', async () => {
      for (const key of HOSTILE) await store.delete(key);
      await ask(port, 'delete injected');
      for (const key of HOSTILE) {
        expect(await store.write(key, bytes(`record of ${key}`), later(), undefined)).toBe('written');
      }
      for (const key of HOSTILE) {
        const found = await store.read(key);
        expect(text(found)).toBe(text({ bytes: bytes(`record of ${key}`) }));
        expect(await store.touch(key, later())).toBe(true);
        expect(await store.write(key, bytes('{}'), later(), found!.bytes)).toBe('written');
      }
      expect(await ask(port, 'get injected')).toBe('END\r\n');
      for (const key of HOSTILE) expect(await store.delete(key)).toBe(true);
    });

    test('records that look like the protocol', async () => {
      for (const record of [
        'END\r\n',
        'END',
        'VALUE k 0 3\r\nabc\r\nEND\r\n',
        '\r\nset injected 0 0 3\r\nbad\r\n',
        'a\\\r\\\nb',
        '\ufeffbyte order mark',
        'replacement \ufffd',
        'flacon-base64:aaaa',
        'STORED',
        '{"a":"\u2028 ü 😀"}',
      ]) {
        const key = newKey();
        expect(await store.write(key, bytes(record), later(), undefined)).toBe('written');
        expect(Buffer.from((await store.read(key))!.bytes)).toEqual(Buffer.from(record));
        expect(await store.delete(key)).toBe(true);
      }
      expect(await ask(port, 'get injected')).toBe('END\r\n');
    });
  });

  test('through memcached: JSON is stored as it is, anything else marked, and what would be damaged is an error', async () => {
    const store = new MemcachedStore({ client: npmClient });
    expect(store.binary).toBe(false);
    const [json, binary, foreign] = [newKey(), newKey(), newKey()];
    await store.write(json, bytes('{"a":"ü"}'), later(), undefined);
    expect(await ask(port, `get ${json}`)).toBe(
      `VALUE ${json} 0 10\r\n${Buffer.from('{"a":"ü"}').toString('latin1')}\r\nEND\r\n`,
    );
    await store.write(binary, Buffer.from('81a16101', 'hex'), later(), undefined);
    expect(await ask(port, `get ${binary}`)).toContain('\r\nflacon-base64:gaFhAQ==\r\n');
    await ask(port, `set ${foreign} 0 60 4\r\n\x81\xa1\x61\x01`);
    await expect(store.read(foreign)).rejects.toMatchObject({ code: 'ERR_SESSION_STORE', operation: 'read' });
    await expect(store.write(foreign, bytes('{}'), later(), bytes('one'))).rejects.toThrow(
      'cannot read a binary record',
    );
    expect(await ask(port, `get ${foreign}`)).toContain('\x81\xa1\x61\x01');
    expect(await store.delete(foreign)).toBe(true);
  });

  test('through memjs: bytes as they are', async () => {
    const store = new MemcachedStore({ client: memjsClient });
    expect(store).toMatchObject({ atomic: false, binary: true });
    const key = newKey();
    await store.write(key, Buffer.from('81a16101', 'hex'), later(), undefined);
    expect(await ask(port, `get ${key}`)).toBe(`VALUE ${key} 0 4\r\n\x81\xa1\x61\x01\r\nEND\r\n`);
  });

  test('deadlines that a foreign client cannot tell: what this process set, else none that is too late', async () => {
    for (const client of [memjsClient, npmClient]) {
      const [one, other] = [new MemcachedStore({ client }), new MemcachedStore({ client })];
      const key = newKey();
      const deadline = later();
      await one.write(key, bytes('{}'), deadline, undefined);
      expect((await one.read(key))?.expiresAt).toBe(deadline);
      const unknown = (await other.read(key))!.expiresAt;
      expect(unknown).toBeLessThan(deadline - MINUTE / 2);
      expect(unknown).toBeGreaterThan(Date.now() - 1000);
      await other.touch(key, deadline + MINUTE);
      expect((await other.read(key))?.expiresAt).toBe(deadline + MINUTE);
    }
  });
});

describe('keys', () => {
  test('plain ones as they are, others in base64, the rest as a digest', () => {
    const sid = 'session:214PwV56I1Je_nL9lUYiWX8UjafCTyxADOSJhTcHZik';
    expect(wireKey(sid)).toEqual({ text: sid, flags: '', bytes: sid });
    expect(wireKey('ü b')).toEqual({ text: 'w7wgYg==', flags: ' b', bytes: '\xc3\xbc b' });
    for (const key of ['', '\ud800', 'x y'.repeat(80)]) {
      expect(wireKey(key)).toMatchObject({ text: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), flags: '' });
    }
    for (const key of HOSTILE) {
      const { text: wire, bytes: onServer } = wireKey(key);
      expect(wire).toMatch(/^[\x21-\x7e]{1,250}$/);
      expect(onServer.length).toBeLessThanOrEqual(250);
      expect(plainKey(key)).toMatch(/^[\x21-\x7e]{1,250}$/);
      expect(plainKey(key)).not.toMatch(/\$[$&`']/);
    }
  });
});

describe('deadlines', () => {
  const now = 1_900_000_000_250;
  test('are seconds up to 30 days, dates beyond, and refused where a server would take them for the past', () => {
    expect(toExptime(now + MINUTE, now)).toBe(60);
    expect(toExptime(now + 59_001, now)).toBe(60);
    expect(toExptime(now + 1, now)).toBe(1);
    expect(toExptime(now - 5, now)).toBe(1);
    expect(toExptime(now + 2_592_000_000, now)).toBe(2_592_000);
    expect(toExptime(now + 2_592_001_000, now)).toBe(1_902_592_001);
    expect(toExptime(Number.POSITIVE_INFINITY, now)).toBe(0);
    expect(toExptime(2_147_483_647_999, now)).toBe(2_147_483_647);
    expect(() => toExptime(2_147_483_648_000, now)).toThrow('no deadline after 2038-01-19');
  });

  test('are told as they were set while the server agrees, and never too late otherwise', () => {
    const deadlines = new Deadlines();
    expect(deadlines.of('k', 60, now)).toBe(now + 59_000);
    expect(deadlines.of('k', 1, now)).toBe(now + 1);
    expect(deadlines.of('k', undefined, now)).toBe(now + 1);
    deadlines.note('k', now + 60_000);
    expect(deadlines.of('k', 60, now)).toBe(now + 60_000);
    expect(deadlines.of('k', 59, now)).toBe(now + 60_000);
    expect(deadlines.of('k', undefined, now)).toBe(now + 60_000);
    // Somebody else moved it.
    expect(deadlines.of('k', 600, now)).toBe(now + 599_000);
    expect(deadlines.of('k', 10, now)).toBe(now + 9000);
    expect(deadlines.of('k', Number.POSITIVE_INFINITY, now)).toBe(Number.POSITIVE_INFINITY);
    expect(deadlines.of('k', undefined, now + 60_000)).toBe(now + 60_001);
    for (let n = 0; n < 20_000; n++) deadlines.note(`key ${n}`, now + 60_000);
    expect(deadlines.of('key 0', 60, now)).toBe(now + 59_000);
    expect(deadlines.of('key 19999', 60, now)).toBe(now + 60_000);
  });
});

describe('distribution', () => {
  // Which of 127.0.0.1:22201, :22202 and :22203 had each key after pymemcache 4.0.0 (HashClient), python-memcached 1.60 and
  // pylibmc 1.6.3 (libmemcached 1.0.18) had set them.
  const recorded: Record<Distribution, string> = {
    pymemcache: '2202210121210020112010011002210201120110011102110111010102221012',
    'python-memcached': '2201102012222010111211112122102100002001202210021111212210102220',
    pylibmc: '2102021202121211102122202211201212112101111111022001101202010002',
    'pylibmc-ketama': '0221021220001100012022022002112122121021022120021022120211100020',
    ketama: '1201211002201121020002021020210102101222212011112012112221022021',
  };
  const names = [
    ...Array.from({ length: 60 }, (_, i) => `session:${createHash('sha256').update(String(i)).digest('base64url')}`),
    ...['a', 'ab', 'abc', 'session:x'],
  ];
  const servers = [1, 2, 3].map((n) => parseServer(`127.0.0.1:2220${n}`));

  test.each(Object.entries(recorded) as [Distribution, string][])('%s', (distribution, expected) => {
    expect(names.map(locator(distribution, servers)).join('')).toBe(expected);
  });

  test.each(['pymemcache', 'ketama', 'pylibmc-ketama'] as const)(
    '%s: a fourth server takes keys, and moves no other',
    (distribution) => {
      const four = [...servers, parseServer('127.0.0.1:22204')];
      const [old, now] = [locator(distribution, servers), locator(distribution, four)];
      const many = Array.from({ length: 2000 }, (_, i) => `session:${i}`);
      const moved = many.filter((key) => old(key) !== now(key));
      for (const key of moved) expect(now(key)).toBe(3);
      expect(moved.length).toBeGreaterThan(250);
      expect(moved.length).toBeLessThan(900);
    },
  );
});

describe('servers', () => {
  test('are read from texts and URLs', () => {
    expect(parseServer('localhost')).toEqual({ name: 'localhost:11211', host: 'localhost', port: 11211 });
    expect(parseServer('[::1]:5')).toEqual({ name: '::1:5', host: '::1', port: 5 });
    expect(parseServer('/run/memcached.sock')).toEqual({ name: '/run/memcached.sock', path: '/run/memcached.sock' });
    expect(parseUrl('memcached://a,b:2/')).toMatchObject({
      servers: [{ name: 'a:11211' }, { name: 'b:2' }],
      tls: false,
    });
    expect(parseUrl('memcacheds://ann:p%40ss%2Fword@a:1?distribution=ketama')).toMatchObject({
      tls: true,
      username: 'ann',
      password: 'p@ss/word',
      distribution: 'ketama',
    });
    expect(parseUrl('memcached:///run/mc%20d.sock').servers[0]).toMatchObject({ path: '/run/mc d.sock' });
  });

  const refused: [string, object, RegExp][] = [
    ['an empty list', { servers: [] }, /^servers: got an empty list/],
    ['the same one twice', { servers: ['a', 'a:11211'] }, /^servers: got the same one twice/],
    ['a command in a host', { servers: 'a\r\nflush_all' }, /^servers: got no address/],
    ['a port that is none', { servers: 'a:70000' }, /^servers: got no address/],
    ['a URL of another scheme', { url: 'redis://a' }, /^url: got a text of another form/],
    ['an unknown parameter', { url: 'memcached://a?x=1' }, /^url: got the parameter "x"/],
    ['a malformed escape', { url: 'memcached://a:%zz@b' }, /^url: got a malformed escape/],
    ['both', { url: 'memcached://a', servers: 'b' }, /^url: got a URL besides servers/],
    ['an unknown distribution', { servers: 'a', distribution: 'x' }, /^distribution: got "x"/],
    ['a timeout that is none', { timeout: -1 }, /^timeout: got -1/],
    ['a user name without a password', { username: 'ann' }, /^password: got none/],
    ['a password without a user name', { password: 'x' }, /^username: got none/],
    ['a user name that would end early', { username: 'a b', password: 'x' }, /^username: got none/],
    ['a password with a line end', { username: 'a', password: 'x\r\n' }, /^password: got none/],
    ['a limit for servers that are asked', { maxItemSize: 5 }, /^maxItemSize: got a value without a client/],
    ['an object that is no client', { client: { get() {} } }, /^client: got an object that is none/],
    ['a client and servers', { client: {}, servers: 'a' }, /^servers: got a value besides a client/],
  ];
  test.each(refused)('refused: %s', (_, options, message) => {
    const make = () => new MemcachedStore(options as MemcachedStoreOptions);
    expect(make).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_CONFIG', message: expect.stringMatching(message) }),
    );
  });

  test('a refused URL does not show its password', () => {
    for (const url of ['memcached://ann:secret@', 'memcached://ann:secret@a?x', 'memcached://ann:secret@a:99999']) {
      expect(() => new MemcachedStore({ url })).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('secret') }),
      );
    }
  });
});

test('turns: one after the other by key, whatever becomes of them, and nothing is kept', async () => {
  const turns = new Turns();
  const order: string[] = [];
  const step =
    (name: string, fail = false) =>
    async () => {
      order.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      order.push(`${name} ends`);
      if (fail) throw new Error(name);
      return name;
    };
  const results = await Promise.allSettled([
    turns.take('k', step('first', true)),
    turns.take('k', step('second')),
    turns.take('l', step('other')),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  expect(order.indexOf('second begins')).toBeGreaterThan(order.indexOf('first ends'));
  expect(order.indexOf('other begins')).toBeLessThan(order.indexOf('first ends'));
  const client = {};
  expect(Turns.of(client)).toBe(Turns.of(client));
});
