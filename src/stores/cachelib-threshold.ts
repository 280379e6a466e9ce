/**
 * The bound that a `FileSystemCache` keeps on the number of its files, and the count file by which it knows the number.
 *
 * As in cachelib the count is a hint that no lock protects: two processes that count at once may lose one. It is counted
 * anew at the first write of a store, and whenever it says that there are too many.
 */
import { decodeCount, encodeCount } from './cachelib-file.ts';
import type { CacheFolder } from './cachelib-folder.ts';
import { COUNT_FILES, type FileHash, isRecordName } from './cachelib-names.ts';

/** Files that are looked at together. */
const BATCH = 16;

export class Threshold {
  readonly #folder: CacheFolder;
  readonly #limit: number;
  readonly #countFile: () => string;
  #queue: Promise<unknown> = Promise.resolve();
  #counted = false;

  /**
   * @param limit files; 0: no bound, and no count file
   * @param hash what files are named by; asked when the first of them is there
   */
  constructor(folder: CacheFolder, limit: number, hash: () => FileHash) {
    this.#folder = folder;
    this.#limit = limit;
    this.#countFile = () => COUNT_FILES[hash()];
  }

  /**
   * To be called before a write. Where there are more files than the limit: deletes the expired ones, then those that
   * expire soonest, until there are not.
   *
   * @param spared the name that is about to be written
   * @param now milliseconds since 1970
   */
  async keep(spared: string, now: number): Promise<void> {
    if (this.#limit === 0 || (this.#counted && !(await this.#isOver()))) return;
    await this.#enqueue(async () => {
      if (this.#counted && !(await this.#isOver())) return;
      const names = (await this.#folder.list()).filter(isRecordName);
      const excess = names.length - this.#limit;
      const left = excess > 0 ? names.length - (await this.#prune(names, excess, spared, now)) : names.length;
      await this.#folder.makeFor(() => this.#write(left));
      this.#counted = true;
    });
  }

  /** Counts files that were added, or taken away. A record is not lost because this fails. */
  async add(delta: number): Promise<void> {
    if (this.#limit === 0 || delta === 0) return;
    await this.#enqueue(async () => this.#write((await this.#read()) + delta)).catch(() => {});
  }

  #enqueue(step: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(step);
    this.#queue = done.catch(() => {});
    return done;
  }

  async #isOver(): Promise<boolean> {
    return (await this.#read()) > this.#limit;
  }

  async #read(): Promise<number> {
    return decodeCount(await this.#folder.read(this.#countFile()));
  }

  #write(count: number): Promise<void> {
    return this.#folder.put(this.#countFile(), encodeCount(count));
  }

  /** Deletes all that have expired and, when those are fewer than `excess`, as many more as are missing. */
  async #prune(names: readonly string[], excess: number, spared: string, now: number): Promise<number> {
    const found: { name: string; expiresAt: number }[] = [];
    for (let i = 0; i < names.length; i += BATCH) {
      await Promise.all(
        names.slice(i, i + BATCH).map(async (name) => {
          const expiresAt = name === spared ? undefined : (await this.#folder.read(name))?.expiresAt;
          if (expiresAt !== undefined) found.push({ name, expiresAt });
        }),
      );
    }
    found.sort((a, b) => (a.expiresAt < b.expiresAt ? -1 : 1));
    let deleted = 0;
    for (const { name, expiresAt } of found) {
      if (expiresAt > now && deleted >= excess) break;
      await this.#folder.delete(name);
      deleted++;
    }
    return deleted;
  }
}
