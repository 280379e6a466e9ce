/**
 * Records in the memory of this process: for development, tests, and servers of one process that may forget at a restart.
 *
 * Bounded. Over a bound, expired records go first, then those that were neither read nor written for longest (the CLOCK
 * approximation of least recently used: a read costs one flag). A flood of new visitors, whose records nobody reads
 * again, therefore pushes out itself before it pushes out anybody who is active.
 *
 * Bytes are not copied where they need not be: whoever hands bytes to this store, or gets some from it, does not change
 * them afterwards. A view of a larger buffer (a pooled `Buffer`, a part of a request body) is copied, so that a small
 * record never keeps a large buffer alive.
 */
import type { SessionStore, StoredRecord, WriteResult } from '../core/store.ts';
import { SessionConfigError, SessionStoreError } from '../errors.ts';
import { refuseUnknown } from './known-options.ts';

export interface MemoryStoreOptions {
  /** Records that are kept at most. Default 100,000. */
  maxRecords?: number;
  /** Bytes of keys and records that are kept at most, not counting what the runtime needs for them. Default 256 MiB. */
  maxBytes?: number;
  /**
   * Seconds between two sweeps of an idle store; 0: none. Default 60. Writing sweeps as well, a little at a time. The timer
   * exists only while there are records and does not keep the process alive.
   */
  sweepInterval?: number;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}

const KNOWN = { maxRecords: true, maxBytes: true, sweepInterval: true, now: true } as const;

/** Records that one write looks at for expired ones: more than it can add, so that sweeping keeps up with any load. */
const SWEPT_PER_WRITE = 2;
/** Recently used records that one eviction passes over before it takes whatever comes next. */
const SPARED_PER_EVICTION = 64;
/** Records that one tick of the timer deletes, so that it holds up nothing else for long. */
const SWEPT_PER_TICK = 10_000;

/** Never changed once it was handed out, but for the flag. */
class Entry implements StoredRecord {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly expiresAt: number;
  used: boolean;

  constructor(key: string, bytes: Uint8Array, expiresAt: number, used: boolean) {
    this.key = key;
    this.bytes = bytes;
    this.expiresAt = expiresAt;
    this.used = used;
  }
}

type Cursor = MapIterator<Entry>;

export class MemoryStore implements SessionStore {
  readonly name = 'memory';
  readonly synchronous = true;
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #sweepInterval: number;
  readonly #now: () => number;
  readonly #records = new Map<string, Entry>();
  #bytes = 0;
  /** Both go round and round. An iterator of its own each, because a fresh one would walk over all that was deleted. */
  #sweeper: Cursor;
  #hand: Cursor;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @throws SessionConfigError */
  constructor(options: MemoryStoreOptions = {}) {
    refuseUnknown(options, KNOWN);
    this.#maxRecords = atLeast('maxRecords', options.maxRecords ?? 100_000, 1);
    this.#maxBytes = atLeast('maxBytes', options.maxBytes ?? 256 * 1024 * 1024, 1);
    this.#sweepInterval = atLeast('sweepInterval', options.sweepInterval ?? 60, 0);
    this.#now = options.now ?? Date.now;
    this.#sweeper = this.#records.values();
    this.#hand = this.#records.values();
  }

  /** The number of records, those included that have expired and were not swept yet. */
  get size(): number {
    return this.#records.size;
  }

  read(key: string): StoredRecord | undefined {
    const entry = this.#records.get(key);
    if (entry === undefined || entry.expiresAt <= this.#now()) return undefined;
    entry.used = true;
    return entry;
  }

  /** @throws SessionStoreError when the record alone is larger than `maxBytes` */
  write(key: string, record: Uint8Array | null, expiresAt: number, expected: Uint8Array | undefined): WriteResult {
    const now = this.#now();
    const there = this.#records.get(key);
    const live = there !== undefined && there.expiresAt > now ? there : undefined;
    if (expected === undefined) {
      if (live) return { conflict: live };
    } else {
      if (!live) return 'gone';
      if (!equal(live.bytes, expected)) return { conflict: live };
    }
    if (record === null || expiresAt <= now) {
      if (there) this.#drop(there);
    } else {
      this.#put(key, record, expiresAt, there, live !== undefined);
      this.#sweep(now, SWEPT_PER_WRITE, SWEPT_PER_WRITE);
      this.#evict(key, now);
    }
    return 'written';
  }

  touch(key: string, expiresAt: number): boolean {
    const entry = this.#records.get(key);
    if (entry === undefined || entry.expiresAt <= this.#now()) return false;
    this.#records.set(key, new Entry(key, entry.bytes, expiresAt, true));
    return true;
  }

  delete(key: string): boolean {
    const entry = this.#records.get(key);
    if (entry === undefined) return false;
    this.#drop(entry);
    return entry.expiresAt > this.#now();
  }

  sweep(limit: number): number {
    return this.#sweep(this.#now(), this.#records.size, limit);
  }

  /** Forgets everything. */
  close(): void {
    this.#records.clear();
    this.#bytes = 0;
    this.#stopTimer();
  }

  #put(key: string, record: Uint8Array, expiresAt: number, replaced: Entry | undefined, used: boolean): void {
    const size = key.length + record.length;
    if (size > this.#maxBytes) {
      throw new SessionStoreError(
        this.name,
        'write',
        `session store memory: a record of ${size} bytes is over maxBytes`,
      );
    }
    if (replaced) this.#bytes -= replaced.bytes.length + key.length;
    this.#bytes += size;
    this.#records.set(key, new Entry(key, own(record), expiresAt, used));
    if (this.#timer === undefined) this.#startTimer();
  }

  #drop(entry: Entry): void {
    this.#records.delete(entry.key);
    this.#bytes -= entry.bytes.length + entry.key.length;
    if (this.#records.size === 0) this.#stopTimer();
  }

  /** Looks at up to `steps` records and deletes up to `limit` expired ones. */
  #sweep(now: number, steps: number, limit: number): number {
    let deleted = 0;
    for (let left = steps; left > 0 && deleted < limit; left--) {
      let next = this.#sweeper.next();
      if (next.done) {
        this.#sweeper = this.#records.values();
        next = this.#sweeper.next();
        if (next.done) break;
      }
      const entry = next.value;
      if (entry.expiresAt > now) continue;
      this.#drop(entry);
      deleted++;
    }
    return deleted;
  }

  #evict(spare: string, now: number): void {
    let passes = SPARED_PER_EVICTION;
    while (this.#records.size > this.#maxRecords || this.#bytes > this.#maxBytes) {
      let next = this.#hand.next();
      if (next.done) {
        this.#hand = this.#records.values();
        next = this.#hand.next();
        if (next.done) return;
      }
      const entry = next.value;
      if (entry.key === spare) continue;
      if (entry.used && entry.expiresAt > now && passes-- > 0) {
        entry.used = false;
      } else {
        this.#drop(entry);
        passes = SPARED_PER_EVICTION;
      }
    }
  }

  #startTimer(): void {
    if (this.#sweepInterval === 0) return;
    const timer = setInterval(
      () => this.#sweep(this.#now(), this.#records.size, SWEPT_PER_TICK),
      this.#sweepInterval * 1000,
    );
    // Absent where timers are numbers.
    (timer as { unref?: () => void }).unref?.();
    this.#timer = timer;
  }

  #stopTimer(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** The same bytes, in a buffer of exactly their length. */
function own(record: Uint8Array): Uint8Array {
  const exact = record.constructor === Uint8Array && record.buffer.byteLength === record.byteLength;
  return exact ? record : new Uint8Array(record);
}

/** Identity first: what was read here and comes back as `expected` is the same object. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  const { length } = a;
  if (length !== b.length) return false;
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function atLeast(option: string, value: number, least: number): number {
  if (typeof value === 'number' && value >= least) return value;
  throw new SessionConfigError(option, String(value), `a number of at least ${least}`);
}
