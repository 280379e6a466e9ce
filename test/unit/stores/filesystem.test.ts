import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FilesystemStore, type FilesystemStoreOptions } from 'flacon/stores/filesystem';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SessionConfigError } from '../../../src/errors.ts';
import { decodeCount, decodeFile, encodeCount } from '../../../src/stores/cachelib-file.ts';
import {
  COUNT_FILES,
  type FileHash,
  fileName as hashedName,
  isRecordName,
} from '../../../src/stores/cachelib-names.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const START = 1_900_000_000_250;
const COUNT_FILE = COUNT_FILES.sha256;
const fileName = (key: string, hash: FileHash = 'sha256') => hashedName(key, hash);

let directory: string;
let now: number;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'flacon-filesystem-'));
  now = START;
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const make = (options: FilesystemStoreOptions = {}) => new FilesystemStore({ directory, now: () => now, ...options });
const put = (store: FilesystemStore, key: string, seconds: number) =>
  store.write(key, bytes(key), now + seconds * 1000, undefined);
const names = () => readdirSync(directory);
const records = () => names().filter(isRecordName);
const count = () => decodeCount(decodeFile(readFileSync(join(directory, COUNT_FILE))));
async function present(store: FilesystemStore, keys: string[]): Promise<string[]> {
  const found = await Promise.all(keys.map((key) => store.read(key)));
  return keys.filter((_, i) => found[i]);
}

describe('files', () => {
  test('are readable by their owner alone, in a folder that is too', async () => {
    const store = new FilesystemStore({ directory: join(directory, 'a', 'b'), now: () => now });
    await put(store, 'k', 60);
    expect(statSync(join(directory, 'a', 'b')).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, 'a', 'b', fileName('k'))).mode & 0o777).toBe(0o600);
  });

  test('have the mode that is asked for, whatever the umask', async () => {
    await put(make({ mode: 0o666 }), 'k', 60);
    expect(statSync(join(directory, fileName('k'))).mode & 0o777).toBe(0o666);
  });

  test('are the only thing left: no lock, no temporary file', async () => {
    const store = make({ threshold: 0 });
    await put(store, 'k', 60);
    await store.write('k', bytes('two'), now + 60_000, bytes('k'));
    await store.write('k', bytes('three'), now + 60_000, bytes('other'));
    await store.touch('k', now + 90_000);
    expect(names()).toEqual([fileName('k')]);
    await store.delete('k');
    expect(names()).toEqual([]);
  });

  test('a touch changes four bytes in place', async () => {
    const store = make({ threshold: 0 });
    await put(store, 'k', 60);
    const path = join(directory, fileName('k'));
    const before = statSync(path).ino;
    await store.touch('k', now + 600_000);
    expect(statSync(path).ino).toBe(before);
    expect(decodeFile(new Uint8Array(readFileSync(path)))).toMatchObject({
      expiresAt: 1_900_000_600_000,
      record: bytes('k'),
    });
  });
});

describe('names', () => {
  const hashed = (hash: FileHash) => [COUNT_FILES[hash], fileName('k', hash)].sort();

  test.each(['md5', 'sha256'] as const)('by %s when that is asked for, the count file too', async (hash) => {
    await put(make({ hash }), 'k', 60);
    expect(names().sort()).toEqual(hashed(hash));
    expect((await make({ hash }).read('k'))?.bytes).toEqual(bytes('k'));
  });

  test('in an empty folder: as cachelib names files today, whatever was looked for before', async () => {
    const store = make();
    expect(await store.read('k')).toBeUndefined();
    expect(await store.touch('k', now + 60_000)).toBe(false);
    expect(await store.delete('k')).toBe(false);
    await put(store, 'k', 60);
    expect(names().sort()).toEqual(hashed('sha256'));
  });

  test.each(['md5', 'sha256'] as const)('as a Flask application that has only started does: by %s', async (hash) => {
    writeFileSync(join(directory, COUNT_FILES[hash]), encodeCount(0));
    await put(make(), 'k', 60);
    expect(names().sort()).toEqual(hashed(hash));
  });

  test.each(['read', 'touch', 'delete', 'write'] as const)(
    'as the records are, when the first thing is a %s',
    async (verb) => {
      await put(make({ hash: 'md5', threshold: 0 }), 'k', 60);
      const store = make({ threshold: 0 });
      const done = {
        read: async () => (await store.read('k')) !== undefined,
        touch: () => store.touch('k', now + 90_000),
        delete: () => store.delete('k'),
        write: async () => (await store.write('k', bytes('two'), now + 60_000, bytes('k'))) === 'written',
      };
      expect(await done[verb]()).toBe(true);
      await store.write('k', bytes('again'), now + 60_000, undefined);
      expect(names()).toEqual([fileName('k', 'md5')]);
    },
  );

  test('a Flask application that starts between a look into the empty folder and the first write decides', async () => {
    const store = make();
    expect(await store.read('k')).toBeUndefined();
    writeFileSync(join(directory, COUNT_FILES.md5), encodeCount(0));
    await Promise.all(['a', 'b', 'c'].map((key) => put(store, key, 60)));
    expect(names().sort()).toEqual([COUNT_FILES.md5, ...['a', 'b', 'c'].map((key) => fileName(key, 'md5'))].sort());
  });

  test('of both hashes: the newer, and what the older one left behind counts until it expires', async () => {
    await put(make({ hash: 'md5' }), 'old', 5);
    await put(make({ hash: 'sha256' }), 'new', 60);
    const store = make();
    expect(await present(store, ['old', 'new'])).toEqual(['new']);
    await put(store, 'newer', 60);
    expect(count()).toBe(3);
    now += 5000;
    expect(await store.sweep(10)).toBe(1);
    expect(count()).toBe(2);
    expect(names().sort()).toEqual([...Object.values(COUNT_FILES), fileName('new'), fileName('newer')].sort());
  });
});

describe('threshold', () => {
  test('the count file counts records', async () => {
    const store = make();
    await put(store, 'a', 60);
    await put(store, 'b', 60);
    await store.write('b', bytes('two'), now + 60_000, bytes('b'));
    expect(count()).toBe(2);
    await store.delete('a');
    await store.delete('a');
    expect(count()).toBe(1);
    await store.write('b', null, now, bytes('two'));
    expect(count()).toBe(0);
    expect(names()).toEqual([COUNT_FILE]);
  });

  test('is counted anew at the start, and stays right when many write', async () => {
    const before = make();
    await Promise.all(Array.from({ length: 30 }, (_, n) => put(before, `k${n}`, 60)));
    expect(count()).toBe(30);
    writeFileSync(join(directory, COUNT_FILE), 'nonsense');
    await put(make(), 'one more', 60);
    expect(count()).toBe(31);
  });

  test('0: no count, no bound', async () => {
    const store = make({ threshold: 0 });
    for (let n = 0; n < 20; n++) await put(store, `k${n}`, 60);
    expect(records()).toHaveLength(20);
    expect(names()).not.toContain(COUNT_FILE);
  });

  test('over it: the expired go, all of them', async () => {
    const store = make({ threshold: 4 });
    for (const key of ['a', 'b', 'c']) await put(store, key, 5);
    for (const key of ['d', 'e']) await put(store, key, 60);
    now += 5000;
    await put(store, 'f', 1);
    expect(await present(store, ['d', 'e', 'f'])).toEqual(['d', 'e', 'f']);
    expect(records()).toHaveLength(3);
    expect(count()).toBe(3);
  });

  test('still over it: those that expire soonest go, those that never do last', async () => {
    const store = make({ threshold: 3 });
    await put(store, 'never', Number.POSITIVE_INFINITY);
    for (const [key, seconds] of [
      ['late', 90],
      ['soon', 30],
      ['sooner', 20],
    ] as const)
      await put(store, key, seconds);
    await put(store, 'new', 10);
    expect(await present(store, ['never', 'late', 'soon', 'sooner', 'new'])).toEqual(['never', 'late', 'soon', 'new']);
    expect(count()).toBe(4);
  });

  test('the record that is being written is never one of them', async () => {
    const store = make({ threshold: 1 });
    await put(store, 'a', 10);
    await put(store, 'b', 60);
    expect(await store.write('a', bytes('two'), now + 60_000, bytes('a'))).toBe('written');
    expect(await present(store, ['a', 'b'])).toEqual(['a']);
  });

  test('files of others in the folder are neither counted nor deleted', async () => {
    const others = ['README', 'sessions.db', `flacon-${fileName('k')}.lock.__wz_cache`, 'tmpabc.__wz_cache'];
    for (const name of others) writeFileSync(join(directory, name), bytes('0000'));
    const store = make({ threshold: 1 });
    for (const key of ['a', 'b', 'c']) await put(store, key, 60);
    expect(names()).toEqual(expect.arrayContaining(others));
    expect(count()).toBe(2);
  });
});

describe('sweeping', () => {
  test('goes round a folder in parts', async () => {
    const store = make({ threshold: 0 });
    for (let n = 0; n < 30; n++) await put(store, `k${n}`, n % 2 ? 60 : 5);
    now += 5000;
    expect(await store.sweep(4)).toBe(4);
    expect(await store.sweep(100)).toBe(11);
    expect(await store.sweep(100)).toBe(0);
    expect(records()).toHaveLength(15);
  });

  test('happens along with writing when that is asked for', async () => {
    const store = make({ threshold: 0, sweepEvery: 10 });
    for (let n = 0; n < 9; n++) await put(store, `k${n}`, 5);
    now += 5000;
    await put(store, 'live', 60);
    await expect.poll(records).toEqual([fileName('live')]);
  });

  test('takes along what a dead process left behind, not what a live one is writing', async () => {
    const [old, fresh, flask] = ['flaconOLD.__wz_cache', 'flaconNEW.__wz_cache', 'tmpold.__wz_cache'];
    for (const name of [old, fresh, flask]) writeFileSync(join(directory, name), '');
    const yesterday = new Date(Date.now() - 86_400_000);
    for (const name of [old, flask]) utimesSync(join(directory, name), yesterday, yesterday);
    expect(await make().sweep(10)).toBe(0);
    expect(names().sort()).toEqual([fresh, flask]);
  });
});

test.each([
  ['directory', { directory: '' }],
  ['threshold', { threshold: -1 }],
  ['threshold', { threshold: '5' as unknown as number }],
  ['mode', { mode: 0.5 }],
  ['lockTimeout', { lockTimeout: Number.NaN }],
  ['hash', { hash: 'sha1' as 'md5' }],
])('%s is checked', (option, options) => {
  expect(() => new FilesystemStore(options)).toThrow(SessionConfigError);
  expect(() => new FilesystemStore(options)).toThrow(option);
});
