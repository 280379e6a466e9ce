/** What goes wrong on disks, and in folders that others write to. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

/** Errors that the next calls of the real functions are replaced by. */
const faults = vi.hoisted(() => ({ write: [] as string[], create: [] as string[], rename: [] as string[] }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return {
    ...real,
    async open(path: string, flags: string | number, mode?: number) {
      const making = flags === 'wx';
      const code = making && faults.create.shift();
      if (code) throw systemError(code);
      const handle = await real.open(path, flags, mode);
      if (making) {
        const { writeFile } = handle;
        handle.writeFile = async (...args: Parameters<typeof writeFile>) => {
          const failure = faults.write.shift();
          if (failure) throw systemError(failure);
          return Reflect.apply(writeFile, handle, args);
        };
      }
      return handle;
    },
  };
});

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  return {
    ...real,
    renameSync(from: string, to: string) {
      const code = faults.rename.shift();
      if (code) throw systemError(code);
      real.renameSync(from, to);
    },
  };
});

/** FIPS rules: there is no MD5. */
const fips = vi.hoisted(() => ({ on: false }));

vi.mock('node:crypto', async (original) => {
  const real = await original<typeof import('node:crypto')>();
  return {
    ...real,
    createHash(name: string) {
      if (fips.on && name === 'md5') throw systemError('ERR_OSSL_EVP_UNSUPPORTED');
      return real.createHash(name);
    },
  };
});

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

const { FilesystemStore } = await import('flacon/stores/filesystem');
const { fileName: hashedName } = await import('../../src/stores/cachelib-names.ts');
const fileName = (key: string) => hashedName(key, 'sha256');

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'flacon-faults-'));
});
afterEach(() => {
  for (const list of Object.values(faults)) list.length = 0;
  fips.on = false;
  rmSync(directory, { recursive: true, force: true });
});

const later = () => Date.now() + 60_000;
const bytes = (text: string) => new TextEncoder().encode(text);
const path = (key: string) => join(directory, fileName(key));
const make = (options = {}) => new FilesystemStore({ directory, threshold: 0, ...options });

describe('the folder', () => {
  test('a file where the folder should be: every verb fails with the error of the system', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    const store = new FilesystemStore({ directory: file });
    await expect(store.read('k')).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(store.write('k', bytes('one'), later(), undefined)).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(store.touch('k', later())).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(store.delete('k')).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(store.sweep(1)).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  test('no folder: nothing is there, and the first write makes it', async () => {
    const store = new FilesystemStore({ directory: join(directory, 'a', 'b') });
    expect(await store.read('k')).toBeUndefined();
    expect(await store.touch('k', later())).toBe(false);
    expect(await store.delete('k')).toBe(false);
    expect(await store.sweep(1)).toBe(0);
    expect(existsSync(join(directory, 'a'))).toBe(false);
    expect(await store.write('k', bytes('one'), later(), undefined)).toBe('written');
    expect((await store.read('k'))?.bytes).toEqual(bytes('one'));
  });

  test.each([0, 500])(
    'deleted while it is used (threshold %i): records are gone, new ones can be made',
    async (threshold) => {
      const store = make({ threshold });
      await store.write('k', bytes('one'), later(), undefined);
      rmSync(directory, { recursive: true });
      expect(await store.read('k')).toBeUndefined();
      expect(await store.write('k', bytes('two'), later(), bytes('one'))).toBe('gone');
      rmSync(directory, { recursive: true });
      expect(await store.write('k', bytes('two'), later(), undefined)).toBe('written');
      expect((await store.read('k'))?.bytes).toEqual(bytes('two'));
    },
  );
});

describe('what is under the name of a record', () => {
  test('bytes of any kind: a record or nothing, never an error', async () => {
    const store = make();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (content) => {
        writeFileSync(path('k'), content);
        const found = await store.read('k');
        if (content.length < 4) expect(found).toBeUndefined();
        if (found) expect([...found.bytes]).toEqual([...content.subarray(content.length - found.bytes.length)]);
        await store.touch('k', later());
        await store.delete('k');
        expect(await store.write('k', bytes('one'), later(), undefined)).toBe('written');
        await store.delete('k');
      }),
      { numRuns: 60 },
    );
  });

  test.each([0, 1, 3])('cut to %i bytes: absent, and can be created anew', async (length) => {
    const store = make();
    await store.write('k', bytes('one'), later(), undefined);
    truncateSync(path('k'), length);
    expect(await store.read('k')).toBeUndefined();
    expect(await store.touch('k', later())).toBe(false);
    expect(await store.write('k', bytes('two'), later(), bytes('one'))).toBe('gone');
    expect(await store.write('k', bytes('two'), later(), undefined)).toBe('written');
    expect((await store.read('k'))?.bytes).toEqual(bytes('two'));
  });

  test('a file larger than any record: absent', async () => {
    writeFileSync(path('k'), bytes('0000one'));
    truncateSync(path('k'), 65 * 1024 * 1024);
    expect(await make().read('k')).toBeUndefined();
  });

  test('a pipe: absent, and nobody waits', async () => {
    execFileSync('mkfifo', [path('k')]);
    expect(await make().read('k')).toBeUndefined();
    expect(await make().touch('k', later())).toBe(false);
  });

  test('a folder: nothing to read, and an error to write', async () => {
    mkdirSync(path('k'));
    expect(await make().read('k')).toBeUndefined();
    await expect(make().write('k', bytes('one'), later(), undefined)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});

describe('the system refuses', () => {
  test.each([
    ['create', 'EROFS'],
    ['create', 'EACCES'],
    ['write', 'ENOSPC'],
    ['rename', 'EXDEV'],
  ] as const)('%s: %s comes as it is, the old record stays, nothing is left behind', async (step, code) => {
    const store = make();
    await store.write('k', bytes('one'), later(), undefined);
    faults[step].push(code);
    await expect(store.write('k', bytes('two'), later(), bytes('one'))).rejects.toMatchObject({ code });
    expect((await store.read('k'))?.bytes).toEqual(bytes('one'));
    expect(readdirSync(directory)).toEqual([fileName('k')]);
    expect(await store.write('k', bytes('two'), later(), bytes('one'))).toBe('written');
  });

  test.each(['EPERM', 'EBUSY'])('%s while somebody has the file open: tried again', async (code) => {
    const store = make();
    await store.write('k', bytes('one'), later(), undefined);
    faults.rename.push(code, code, code);
    expect(await store.write('k', bytes('two'), later(), bytes('one'))).toBe('written');
    expect((await store.read('k'))?.bytes).toEqual(bytes('two'));
  });

  test('EPERM that does not pass: an error in the end', async () => {
    faults.rename.push(...Array.from({ length: 20 }, () => 'EPERM'));
    await expect(make().write('k', bytes('one'), later(), undefined)).rejects.toMatchObject({ code: 'EPERM' });
    expect(readdirSync(directory)).toEqual([]);
  });

  test('a count that cannot be written: the record is written all the same', async () => {
    const store = make({ threshold: 10 });
    await store.write('k', bytes('one'), later(), undefined);
    // The first new file is the record's, the second the count's.
    faults.write.push('', 'ENOSPC');
    expect(await store.write('l', bytes('one'), later(), undefined)).toBe('written');
    expect((await store.read('l'))?.bytes).toEqual(bytes('one'));
  });
});

describe('a runtime without MD5', () => {
  test('names files by SHA-256, and refuses to be told otherwise', async () => {
    fips.on = true;
    expect(await make().write('k', bytes('one'), later(), undefined)).toBe('written');
    expect(readdirSync(directory)).toEqual([fileName('k')]);
    expect(() => make({ hash: 'md5' })).toThrow(/hash: got md5; expected 'sha256'.*FIPS/);
  });

  test('says so of a folder whose files are named by it', async () => {
    await make({ hash: 'md5' }).write('k', bytes('one'), later(), undefined);
    fips.on = true;
    await expect(make().read('k')).rejects.toThrow(/hash: got auto, in a folder whose files are named by md5;/);
  });
});

describe('somebody who takes no lock, as Flask', () => {
  test('replaces the record between comparing and renaming: it is a conflict', async () => {
    const store = make();
    await store.write('k', bytes('one'), later(), undefined);
    const header = readFileSync(path('k')).subarray(0, 4);
    const { rename } = faults;
    // The refused rename makes the store pause; meanwhile the file becomes another one.
    rename.push('EBUSY');
    const writing = store.write('k', bytes('two'), later(), bytes('one'));
    while (rename.length > 0) await new Promise((resolve) => setImmediate(resolve));
    writeFileSync(`${path('k')}.other`, Buffer.concat([header, bytes('flask')]));
    execFileSync('mv', [`${path('k')}.other`, path('k')]);
    const result = await writing;
    expect(result).toMatchObject({ conflict: { bytes: bytes('flask') } });
    expect((await store.read('k'))?.bytes).toEqual(bytes('flask'));
  });

  test('deletes the record between comparing and renaming: it stays deleted', async () => {
    const store = make();
    await store.write('k', bytes('one'), later(), undefined);
    faults.rename.push('EBUSY');
    const writing = store.write('k', bytes('two'), later(), bytes('one'));
    while (faults.rename.length > 0) await new Promise((resolve) => setImmediate(resolve));
    rmSync(path('k'));
    expect(await writing).toBe('gone');
    expect(existsSync(path('k'))).toBe(false);
  });
});
