/** The folder of a `FileSystemCache`: opening, listing and replacing its files, with the system's errors as they come. */
import { randomBytes } from 'node:crypto';
import { constants, renameSync, statSync, unlinkSync } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type CacheFile, decodeFile } from './cachelib-file.ts';
import { TEMPORARY_SUFFIX } from './cachelib-names.ts';

/** Larger than any record; a file beyond it counts as absent. */
const MAX_FILE = 64 * 1024 * 1024;
/** A pipe under a record's name must not hold up a thread. */
const NON_BLOCKING = constants.O_NONBLOCK ?? 0;
const IS_WINDOWS = process.platform === 'win32';
/** Ours among the temporary files. After an hour whoever made it is gone. */
const OWN_TEMPORARY = /^flacon.*\.__wz_cache$/;
const LEFT_BEHIND_MS = 3_600_000;

export interface OpenFile {
  /** Holding it open keeps its identity from passing to another file. */
  readonly handle: FileHandle;
  readonly identity: string;
  /** Undefined when the file is too short, or no file. */
  readonly content: CacheFile | undefined;
}

export class CacheFolder {
  readonly #directory: string;
  readonly #mode: number;

  /** @param mode the permissions of the files */
  constructor(directory: string, mode: number) {
    this.#directory = directory;
    this.#mode = mode;
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  /** The path of something that is no record, and that cachelib passes over. */
  temporaryPath(name: string): string {
    return this.path(`flacon-${name}${TEMPORARY_SUFFIX}`);
  }

  /** The file, to be closed by the caller; undefined when there is none. */
  async open(name: string, access: 'read' | 'read-write'): Promise<OpenFile | undefined> {
    const flags = access === 'read' ? constants.O_RDONLY : constants.O_RDWR;
    const handle = await open(this.path(name), flags | NON_BLOCKING).catch(absent);
    if (!handle) return undefined;
    try {
      const stat = await handle.stat({ bigint: true });
      const size = stat.isFile() && stat.size <= MAX_FILE ? Number(stat.size) : 0;
      const { buffer } = Buffer.allocUnsafeSlow(size);
      const bytesRead = size === 0 ? 0 : (await handle.read(new Uint8Array(buffer), 0, size, 0)).bytesRead;
      return { handle, identity: identity(stat), content: decodeFile(new Uint8Array(buffer, 0, bytesRead)) };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** What a file holds; undefined when there is none. */
  async read(name: string): Promise<CacheFile | undefined> {
    const file = await this.open(name, 'read');
    await file?.handle.close();
    return file?.content;
  }

  /**
   * Puts the new file, or nothing, where `file` (undefined: nothing) is, if it still is there and `permitted` says so. The
   * questions and the deed are one synchronous step.
   * No system call that Node has replaces a file on a condition: docs/decisions/files-and-flask.md says what was tried.
   */
  async replace(
    name: string,
    file: OpenFile | undefined,
    next: Uint8Array | undefined,
    permitted: () => boolean = () => true,
  ): Promise<boolean> {
    const path = this.path(name);
    if (!next && !file) return true;
    const temporary = next && (await this.#writeTemporary(next));
    // Windows refuses to replace a file that is open.
    if (IS_WINDOWS) await file?.handle.close();
    let replaced = false;
    try {
      replaced = await persistently(() => {
        if (!permitted() || identityAt(path) !== file?.identity) return false;
        if (temporary) renameSync(temporary, path);
        else unlinkSync(path);
        return true;
      });
      return replaced;
    } finally {
      if (temporary && !replaced) await rm(temporary, { force: true }).catch(() => {});
    }
  }

  /** Replaces whatever is there. */
  async put(name: string, content: Uint8Array): Promise<void> {
    const temporary = await this.#writeTemporary(content);
    await persistently(() => renameSync(temporary, this.path(name)));
  }

  async delete(name: string): Promise<void> {
    await rm(this.path(name), { force: true });
  }

  async exists(name: string): Promise<boolean> {
    return (await stat(this.path(name)).catch(absent)) !== undefined;
  }

  /** The names of all files; none when there is no folder. */
  async list(): Promise<string[]> {
    return (await readdir(this.#directory).catch(absent)) ?? [];
  }

  /** Makes the folder when it turns out to be missing, at the start or because somebody deleted it. */
  async makeFor<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      absent(error);
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      return step();
    }
  }

  /** Deletes the temporary files, among these names, that a process of ours died over. */
  async deleteLeftBehind(names: readonly string[]): Promise<void> {
    for (const name of names) {
      if (!OWN_TEMPORARY.test(name)) continue;
      const made = (await lstat(this.path(name)).catch(absent))?.mtimeMs;
      if (made !== undefined && Date.now() - made > LEFT_BEHIND_MS) await this.delete(name);
    }
  }

  async #writeTemporary(content: Uint8Array): Promise<string> {
    const path = this.temporaryPath(randomBytes(9).toString('base64url'));
    const handle = await open(path, 'wx', this.#mode);
    try {
      await handle.writeFile(content);
      // What the umask took away.
      if (this.#mode !== 0o600) await handle.chmod(this.#mode);
    } catch (error) {
      await rm(path, { force: true }).catch(() => {});
      throw error;
    } finally {
      await handle.close();
    }
    return path;
  }
}

interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

function identity({ dev, ino, size, mtimeNs }: FileIdentity): string {
  return `${dev} ${ino} ${size} ${mtimeNs}`;
}

function identityAt(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && identity(stat);
}

/** For a second in all: Windows and network shares refuse to replace a file that somebody else happens to have open. */
async function persistently<T>(step: () => T): Promise<T> {
  for (let pause = 1; ; pause *= 2) {
    try {
      return step();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const passing = code === 'EPERM' || code === 'EBUSY' || (code === 'EACCES' && IS_WINDOWS);
      if (!passing || pause > 512) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** "Not there" is an answer; any other failure stays one. */
function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException | null)?.code === 'ENOENT') return undefined;
  throw error;
}
