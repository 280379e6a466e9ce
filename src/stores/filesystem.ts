/**
 * A folder of files, one per record, that Flask-Session's `filesystem` type (cachelib's `FileSystemCache`) shares. What is
 * in a file is in cachelib-file.ts, what it is called in cachelib-names.ts.
 *
 * Between processes that use this store no write is lost: whoever changes a record holds its lock (file-lock.ts; the lock's
 * name ends as cachelib's temporary files do, which every release of it passes over). Reading takes none: a record is
 * replaced by renaming a complete file over it. A Flask application takes no lock. For it the store looks, in one
 * synchronous step with the rename, whether the file is still the one that was compared; what is left is the time between
 * two system calls. A deadline is moved in place, in the 4 bytes that hold it, so that touching never writes old data back.
 *
 * Deadlines are whole seconds. Nothing is synced to the disk: a record survives the death of the process as soon as it is
 * written, not that of the machine. A file too short to be one is absent. System errors (ENOSPC, EACCES, EROFS, …) are
 * thrown as they come.
 */
import type { SessionStore, StoredRecord, WriteResult } from '../core/store.ts';
import { SessionConfigError, SessionStoreError } from '../errors.ts';
import { type CacheFile, encodeExpiry, encodeFile, wholeSeconds } from './cachelib-file.ts';
import { CacheFolder, type OpenFile } from './cachelib-folder.ts';
import { checkHash, type FileHash, fileName, hashInUse, isRecordName, NEWEST_HASH } from './cachelib-names.ts';
import { Threshold } from './cachelib-threshold.ts';
import { type HeldLock, withFileLock } from './file-lock.ts';
import { refuseUnknown } from './known-options.ts';

export interface FilesystemStoreOptions {
  /** Made, for its owner only, when it is missing. Flask's `SESSION_FILE_DIR`. Default `./flask_session`. */
  directory?: string;
  /**
   * Records over which writing deletes some: the expired ones, then those that expire soonest, until there are no more than
   * this. 0: no limit, and no count file. Flask's `SESSION_FILE_THRESHOLD`. Default 500.
   */
  threshold?: number;
  /** Permissions of the files. Flask's `SESSION_FILE_MODE`. Default 0o600. */
  mode?: number;
  /**
   * What files are named by: `md5` as cachelib up to 0.15 does, or `sha256` as it has done since 0.16. `auto`, the default:
   * by what the names in the folder are, looked at when the store is first used (SHA-256 where there are both), and
   * SHA-256 in an empty one. Records that are named by the other hash are not found, by cachelib neither.
   */
  hash?: FileHash | 'auto';
  /** Writes after each of which expired files are looked for and deleted; 0, the default: never, as in Flask. */
  sweepEvery?: number;
  /** Milliseconds to wait for another process that is writing the same record. Default 5000. */
  lockTimeout?: number;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}

const KNOWN = {
  directory: true,
  threshold: true,
  mode: true,
  hash: true,
  sweepEvery: true,
  lockTimeout: true,
  now: true,
} as const;

const SWEPT_BY_ITSELF = 1000;
/** Files that one sweep looks at, at the least. */
const LOOKED_AT = 1000;
/** Files that are looked at together. */
const BATCH = 16;

/** The file turned out to be another one than was compared, or the lock was lost: everything from the start. */
const AGAIN: unique symbol = Symbol('again');

export class FilesystemStore implements SessionStore {
  readonly name = 'filesystem';
  readonly #folder: CacheFolder;
  readonly #threshold: Threshold;
  readonly #sweepEvery: number;
  readonly #lockTimeout: number;
  readonly #now: () => number;
  /** Undefined until the folder, or the first write, has decided it. */
  #hash: FileHash | undefined;
  #writes = 0;
  /** Names that the current round of sweeping has not looked at. */
  #unswept: string[] = [];

  /** @throws SessionConfigError */
  constructor(options: FilesystemStoreOptions = {}) {
    refuseUnknown(options, KNOWN);
    const { directory = './flask_session' } = options;
    if (!directory) throw new SessionConfigError('directory', 'an empty text', 'the path of a folder');
    this.#folder = new CacheFolder(directory, wholeNumber('mode', options.mode ?? 0o600));
    this.#hash = chosenHash(options.hash ?? 'auto');
    const threshold = wholeNumber('threshold', options.threshold ?? 500);
    this.#threshold = new Threshold(this.#folder, threshold, () => this.#hash ?? NEWEST_HASH);
    this.#sweepEvery = wholeNumber('sweepEvery', options.sweepEvery ?? 0);
    this.#lockTimeout = wholeNumber('lockTimeout', options.lockTimeout ?? 5000);
    this.#now = options.now ?? Date.now;
  }

  async read(key: string): Promise<StoredRecord | undefined> {
    const name = await this.#find(key);
    return name === undefined ? undefined : this.#live(await this.#folder.read(name));
  }

  /** @throws SessionEncodeError when the deadline is after 2106; SessionStoreError when the record stays locked */
  async write(
    key: string,
    record: Uint8Array | null,
    expiresAt: number,
    expected: Uint8Array | undefined,
  ): Promise<WriteResult> {
    const name = (await this.#find(key)) ?? this.#begin(key);
    const deleting = record === null || wholeSeconds(expiresAt) <= this.#now();
    const next = deleting ? undefined : encodeFile(expiresAt, record);
    if (next) await this.#threshold.keep(name, this.#now());
    const result = await this.#exclusive<WriteResult>(name, async (file, lock) => {
      const live = this.#live(file?.content);
      if (expected === undefined) {
        if (live) return { conflict: live };
      } else {
        if (!live) return 'gone';
        if (Buffer.compare(live.bytes, expected) !== 0) return { conflict: live };
      }
      return (await this.#replace(name, file, next, lock)) ? 'written' : AGAIN;
    });
    if (this.#sweepEvery > 0 && ++this.#writes % this.#sweepEvery === 0) this.sweep(SWEPT_BY_ITSELF).catch(() => {});
    return result;
  }

  async touch(key: string, expiresAt: number): Promise<boolean> {
    const name = await this.#find(key);
    const file = name === undefined ? undefined : await this.#folder.open(name, 'read-write');
    if (!file) return false;
    let live: StoredRecord | undefined;
    try {
      live = this.#live(file.content);
      if (!live) return false;
      if (!file.content?.legacy) {
        // Should somebody replace the file right now, this goes to the one that was replaced.
        await file.handle.write(encodeExpiry(expiresAt, live.bytes), 0, undefined, 0);
        return true;
      }
    } finally {
      await file.handle.close();
    }
    const result = await this.write(key, live.bytes, expiresAt, live.bytes);
    return typeof result === 'object' ? this.touch(key, expiresAt) : result === 'written';
  }

  async delete(key: string): Promise<boolean> {
    const name = await this.#find(key);
    if (name === undefined || !(await this.#folder.exists(name))) return false;
    return this.#exclusive(name, async (file, lock) => {
      const live = this.#live(file?.content);
      return (await this.#replace(name, file, undefined, lock)) ? live !== undefined : AGAIN;
    });
  }

  /**
   * Deletes up to `limit` expired files. One call looks at a part of a large folder, the next goes on from there. Temporary
   * files that a dead process of ours left behind are deleted too, uncounted.
   */
  async sweep(limit: number): Promise<number> {
    if (this.#unswept.length === 0) {
      const names = await this.#folder.list();
      this.#decide(names);
      await this.#folder.deleteLeftBehind(names);
      this.#unswept = names.filter(isRecordName);
    }
    let deleted = 0;
    for (let left = Math.max(LOOKED_AT, 10 * limit); left > 0 && deleted < limit; left -= BATCH) {
      const names = this.#unswept.splice(-Math.min(BATCH, limit - deleted));
      if (names.length === 0) break;
      const done = await Promise.all(names.map((name) => this.#deleteExpired(name)));
      deleted += done.filter(Boolean).length;
    }
    return deleted;
  }

  /** The name of a key's file; undefined when no file in the folder is named by a hash, and so none is the key's. */
  async #find(key: string): Promise<string | undefined> {
    if (this.#hash === undefined) this.#decide(await this.#folder.list());
    return this.#hash && fileName(key, this.#hash);
  }

  /** The name of the first file. */
  #begin(key: string): string {
    this.#hash ??= NEWEST_HASH;
    return fileName(key, this.#hash);
  }

  /** @throws SessionConfigError */
  #decide(names: readonly string[]): void {
    const found = this.#hash ? undefined : hashInUse(names);
    if (found === undefined) return;
    checkHash(found, `auto, in a folder whose files are named by ${found}`);
    this.#hash = found;
  }

  async #deleteExpired(name: string): Promise<boolean> {
    const content = await this.#folder.read(name);
    if (!content || this.#live(content)) return false;
    return this.#exclusive(name, async (file, lock) => {
      if (!file?.content || this.#live(file.content)) return false;
      return this.#replace(name, file, undefined, lock);
    });
  }

  #live(content: CacheFile | undefined): StoredRecord | undefined {
    if (!content || content.expiresAt <= this.#now()) return undefined;
    return { bytes: content.record, expiresAt: content.expiresAt };
  }

  /** Runs `body` with the file of a record, under its lock, until it has an answer or the time is over. */
  async #exclusive<T>(
    name: string,
    body: (file: OpenFile | undefined, lock: HeldLock) => Promise<T | typeof AGAIN>,
  ): Promise<T> {
    const paths = {
      lock: this.#folder.temporaryPath(`${name}.lock`),
      guard: this.#folder.temporaryPath(`${name}.break`),
    };
    const locked = async (lock: HeldLock) => {
      const file = await this.#folder.open(name, 'read');
      try {
        return await body(file, lock);
      } finally {
        await file?.handle.close();
      }
    };
    const deadline = performance.now() + this.#lockTimeout;
    do {
      const result = await this.#folder.makeFor(() => withFileLock(paths, this.#lockTimeout, locked));
      if (result !== AGAIN) return result;
    } while (performance.now() < deadline);
    throw new SessionStoreError(this.name, 'write', 'session store filesystem: a record kept changing', {
      timeout: true,
    });
  }

  async #replace(
    name: string,
    file: OpenFile | undefined,
    next: Uint8Array | undefined,
    lock: HeldLock,
  ): Promise<boolean> {
    const replaced = await this.#folder.replace(name, file, next, () => lock.isHeld());
    if (replaced) await this.#threshold.add((next ? 1 : 0) - (file ? 1 : 0));
    return replaced;
  }
}

function chosenHash(given: string): FileHash | undefined {
  if (given === 'auto') return undefined;
  if (given !== 'md5' && given !== 'sha256') throw new SessionConfigError('hash', String(given), 'md5, sha256 or auto');
  checkHash(given);
  return given;
}

function wholeNumber(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new SessionConfigError(option, String(value), 'a whole number of at least 0');
}
