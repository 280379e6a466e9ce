/**
 * A lock between processes: a symbolic link that only one of them can create and that leads nowhere; its text names the
 * owner. One system call makes both, so whenever its owner is killed, the lock says whose it was. Node has no `flock`.
 * Windows, and filesystems without such links, get a file with the same text.
 *
 * A lock whose owner died must not stay for ever, and one whose owner lives must not be taken from it:
 *
 * - An owner in the same process table (same machine, boot and container) that is no more, or that only waits for its
 *   parent to notice, is dead; its lock goes at once.
 * - Any other lock goes when a waiter has seen that same lock, unchanged, for `STALE_MS` of the waiter's own time. An owner
 *   trusts its own lock for half of that only: `isHeld`, asked right before the step that the lock protects, says no
 *   after `TRUSTED_MS`, and the owner begins again. So even one that was suspended meanwhile does no harm.
 * - Who removes a lock that is not his does it under a second lock that exists for three system calls, and looks once more
 *   that it is still the lock that was judged. Two waiters can so never remove one after another: the dead one, and then
 *   the one that a third process has just made.
 *
 * Callers of this process wait for each other in a queue and never meet at the file.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { SessionStoreError } from '../errors.ts';

const STALE_MS = 3000;
const TRUSTED_MS = STALE_MS / 2;
const MAX_PAUSE_MS = 25;
const IS_WINDOWS = process.platform === 'win32';
/** A second lock that is this old was left behind by a process that died within its three system calls. */
const ABANDONED_MS = 10_000;

export interface LockPaths {
  readonly lock: string;
  /** Exists while somebody removes a lock that is not his. */
  readonly guard: string;
}

export interface HeldLock {
  /** Whether the lock is still certainly this one's. Ask in the same synchronous step as what it protects. */
  isHeld(): boolean;
}

/** The last of those who wait for, or hold, a lock within this process. */
const queues = new Map<string, Promise<unknown>>();

/**
 * Runs `body` while holding the lock.
 *
 * @param timeout milliseconds to wait for other processes
 * @throws SessionStoreError (`ERR_SESSION_STORE_TIMEOUT`) when others hold it for longer; system errors as they come
 */
export function withFileLock<T>(paths: LockPaths, timeout: number, body: (lock: HeldLock) => Promise<T>): Promise<T> {
  const before = queues.get(paths.lock);
  const deadline = performance.now() + timeout;
  const run = async () => {
    const lock = await acquire(paths, deadline);
    try {
      return await body(lock);
    } finally {
      lock.release();
    }
  };
  const mine = before ? before.then(run, run) : run();
  queues.set(paths.lock, mine);
  const leave = () => {
    if (queues.get(paths.lock) === mine) queues.delete(paths.lock);
  };
  mine.then(leave, leave);
  return mine;
}

class FileLock implements HeldLock {
  readonly #path: string;
  readonly #owner: string;
  /** Before the file was made: nobody can have seen it for longer. */
  readonly #since: number;

  constructor(path: string, owner: string, since: number) {
    this.#path = path;
    this.#owner = owner;
    this.#since = since;
  }

  isHeld(): boolean {
    return performance.now() - this.#since < TRUSTED_MS && this.#isMine();
  }

  release(): void {
    try {
      if (this.#isMine()) unlinkSync(this.#path);
    } catch {
      // What was protected is done. The file is broken by the next who finds it.
    }
  }

  #isMine(): boolean {
    try {
      return readOwner(this.#path) === this.#owner;
    } catch {
      return false;
    }
  }
}

async function acquire(paths: LockPaths, deadline: number): Promise<FileLock> {
  let seen: { lock: string; since: number } | undefined;
  for (let pause = 1; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
    const lock = create(paths.lock);
    if (lock) return lock;
    const now = performance.now();
    const other = inspect(paths.lock);
    if (other) {
      if (seen?.lock !== other.identity) seen = { lock: other.identity, since: now };
      if (isDead(other.owner) || now - seen.since >= STALE_MS) breakLock(paths, other.identity);
    }
    if (now >= deadline) {
      throw new SessionStoreError('filesystem', 'lock', 'session store filesystem: a record stayed locked', {
        timeout: true,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
  }
}

let locksMade = 0;

/** Undefined when there is one. */
function create(path: string): FileLock | undefined {
  const owner = `${thisThread()} ${++locksMade}`;
  const since = performance.now();
  try {
    if (IS_WINDOWS) writeNew(path, owner);
    else linkNew(path, owner);
    return new FileLock(path, owner, since);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
}

function linkNew(path: string, owner: string): void {
  try {
    symlinkSync(owner, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
    // No such links here; whatever else is wrong, a file fails of too.
    writeNew(path, owner);
  }
}

/** Who dies between its two steps leaves a lock that nobody is named in: it goes only after `STALE_MS`. */
function writeNew(path: string, owner: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, owner, null, 'latin1');
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(file);
  }
}

function readOwner(path: string): string {
  try {
    return readlinkSync(path, 'latin1');
  } catch (error) {
    // Not a link: EINVAL, on Windows UNKNOWN.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error;
    return readFileSync(path, 'latin1');
  }
}

interface OtherLock {
  /** Differs between any two locks, by whomever. */
  readonly identity: string;
  /** Empty for the moment between the making of a file and its first byte. */
  readonly owner: string;
}

function inspect(path: string): OtherLock | undefined {
  try {
    const { ino, mtimeNs } = lstatSync(path, { bigint: true });
    const owner = readOwner(path);
    return { identity: `${ino} ${mtimeNs} ${owner}`, owner };
  } catch (error) {
    return absent(error);
  }
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw error;
}

function breakLock({ lock, guard }: LockPaths, identity: string): void {
  try {
    closeSync(openSync(guard, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const made = statSync(guard, { throwIfNoEntry: false })?.mtimeMs;
    if (made !== undefined && Date.now() - made > ABANDONED_MS) unlinkIfThere(guard);
    return;
  }
  try {
    if (inspect(lock)?.identity === identity) unlinkIfThere(lock);
  } finally {
    unlinkIfThere(guard);
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    absent(error);
  }
}

const UNKNOWN = '-';
const ENDED = 'ended';

let table: string | undefined;
let thread: string | undefined;

/**
 * Where a process id means the same process: the machine since its last boot, and the container. Found out at the first lock
 * and not before: Deno asks for the permission to know the host's name.
 */
function processTable(): string {
  table ??= [
    encodeURIComponent(hostname()),
    readOrNothing(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()),
    readOrNothing(() => readlinkSync('/proc/self/ns/pid')),
  ].join('/');
  return table;
}

/** Unlike for every thread, and for every copy of this module within one. */
function thisThread(): string {
  const { pid } = process;
  thread ??= `${processTable()} ${pid} ${startOf(pid)} ${randomBytes(9).toString('base64url')}`;
  return thread;
}

function readOrNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

/** True only where it is certain. */
function isDead(owner: string): boolean {
  const [where, pid, start] = owner.split(' ');
  if (where !== processTable() || !pid || !/^[1-9]\d{0,9}$/.test(pid)) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  // There is a process: maybe another one, or what is left of this one.
  const found = startOf(Number(pid));
  return found !== UNKNOWN && start !== UNKNOWN && found !== start;
}

/**
 * When a process was started, in ticks since the machine was, so that a later one of the same id is told from it. `ended`:
 * its parent has not asked yet how it ended (a zombie). `-` where there is no `/proc`, or it may not be read.
 */
function startOf(pid: number): string {
  const stat = readOrNothing(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  // The second field is the program's name in brackets, which may hold anything; proc_pid_stat(5) numbers from 1.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, threads, start] = [fields[0], fields[20 - 3], fields[22 - 3]];
  if (start === undefined) return UNKNOWN;
  // A main thread that has ended may have others that go on.
  return (state === 'Z' && threads === '1') || state === 'X' ? ENDED : start;
}
