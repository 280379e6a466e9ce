/**
 * The two indexes, made once per process: `id`, unique, so that two first writes make one document (Flask-Session has none and
 * scans), and Flask-Session's own on `expiration`, by which the server deletes what has expired.
 */
import { type Collection, codeOf, isDuplicate } from './collection.ts';

/** Told once, through `onNotice`. */
const SHARED_IDS =
  'MongoDB refused a unique index on `id`: the collection has several documents of one session, which Flask-Session can ' +
  'leave, or another index on it. Sessions work, but two first writes of one id at the same moment could make two documents. ' +
  'Delete the surplus documents, or the other index, and restart.';
const NO_TTL =
  'MongoDB refused an index that deletes expired sessions. They are not found by this store, but Flask would still find them: ' +
  'call sweep() from time to time.';

/** IndexOptionsConflict and IndexKeySpecsConflict: there is an index on the same key, or of the same name, that is another. */
const CONFLICTS: readonly unknown[] = [85, 86];

export class Indexes {
  readonly #collection: Collection;
  readonly #onNotice: (message: string) => void;
  #made: Promise<void> | undefined;
  #unique = false;
  #begun = false;

  /** @param onNotice hears what the server refused, and what that means */
  constructor(collection: Collection, onNotice: (message: string) => void) {
    this.#collection = collection;
    this.#onNotice = onNotice;
  }

  /** Whether the server keeps ids apart. False as long as that is not known. */
  get unique(): boolean {
    return this.#unique;
  }

  /** Makes them, if nobody has. After a failure, the next caller tries again. */
  make(): Promise<void> {
    this.#begun = true;
    this.#made ??= this.#make().catch((error: unknown) => {
      this.#made = undefined;
      throw error;
    });
    return this.#made;
  }

  /** For those who need not wait. They do not try again, either: a server that refuses is asked by first writes only. */
  begin(): void {
    if (!this.#begun) this.make().catch(() => {});
  }

  async #make(): Promise<void> {
    await this.#makeUnique();
    await this.#makeExpiring();
  }

  async #makeUnique(): Promise<void> {
    try {
      await this.#collection.createIndex({ id: 1 }, { unique: true });
      this.#unique = true;
    } catch (error) {
      if (!isDuplicate(error) && !CONFLICTS.includes(codeOf(error))) throw error;
      this.#onNotice(SHARED_IDS);
      await this.#makePlain('id');
    }
  }

  async #makeExpiring(): Promise<void> {
    try {
      await this.#collection.createIndex({ expiration: 1 }, { expireAfterSeconds: 0 });
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      this.#onNotice(NO_TTL);
      await this.#makePlain('expiration');
    }
  }

  /** So that at least looking up needs no scan. Under a name of its own, which is not in the way of the proper one later. */
  async #makePlain(field: 'id' | 'expiration'): Promise<void> {
    try {
      await this.#collection.createIndex({ [field]: 1 }, { name: `${field}_plain` });
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
    }
  }
}
