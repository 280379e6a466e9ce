/**
 * Python's pickle as data: what Flask-Session's filesystem and cachelib backends store, and what its old releases stored
 * everywhere. Reads plain data of protocols 0 to 5, writes protocol 5 as CPython does, and never looks up or calls a class.
 */
import { SessionDecodeError, SessionEncodeError } from '../errors.ts';
import type { Codec, OpenRecord, Patch } from './codec.ts';
import { applyPatch, type MixedKeyRecord } from './decoded-record.ts';
import { handOut } from './pickle-copy.ts';
import { unpickle } from './pickle-read.ts';
import { encodePickle } from './pickle-write.ts';

export const pickle: Codec = {
  name: 'pickle',

  open(record: Uint8Array): OpenRecord {
    const { value, shared } = unpickle(record);
    if (!(value instanceof Map)) throw new SessionDecodeError('pickle: the record is not a dict');
    return new PickleRecord(value, shared);
  },

  write(base: OpenRecord | undefined, patch: Patch): Uint8Array {
    return encodePickle(applyPatch(base, patch));
  },
};

/** Everything is decoded on opening; values are copied for whoever asks, so that this remains what was read. */
class PickleRecord implements MixedKeyRecord {
  private readonly items: ReadonlyMap<unknown, unknown>;
  private readonly shared: boolean;

  constructor(items: ReadonlyMap<unknown, unknown>, shared: boolean) {
    this.items = items;
    this.shared = shared;
  }

  get size(): number {
    return this.items.size;
  }

  has(key: string): boolean {
    return this.items.has(key);
  }

  get(key: string): unknown {
    return handOut(this.items.get(key), this.shared);
  }

  keys(): string[] {
    return [...this.items.keys()].filter((key) => typeof key === 'string');
  }

  /** In the form in which this codec keeps them, which is one that every codec can write. */
  entries(): Iterable<readonly [unknown, unknown]> {
    return this.items;
  }

  same(key: string, value: unknown): boolean {
    const mine = this.items.get(key);
    if (mine === undefined || value === undefined) return false;
    if (Object.is(mine, value)) return true;
    if (typeof mine === 'string' && typeof value === 'string') return false;
    try {
      // Compared as they would be written, the one as the handler got it: what a plain object cannot keep is no change.
      return equal(encodePickle(this.get(key)), encodePickle(value));
    } catch (error) {
      if (error instanceof SessionEncodeError) return false;
      throw error;
    }
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The longest pickle of a safe int: PROTO, FRAME and a line of 16 digits with sign, opcode, `L`, line end and STOP. */
const LONGEST_INT = 2 + 9 + 22;

/**
 * The pickled int at the start of a file (cachelib ≤ 0.6: the expiry in seconds since 1970; any: the count file), and how many
 * bytes it takes; undefined when there is none, or none that is safe.
 */
export function readPickledInt(bytes: Uint8Array): { value: number; length: number } | undefined {
  try {
    const { value, length } = unpickle(bytes.subarray(0, LONGEST_INT));
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? { value: value as number, length } : undefined;
  } catch (error) {
    if (error instanceof SessionDecodeError) return undefined;
    throw error;
  }
}

/**
 * What CPython's `pickle.dumps(value, 5)` gives for an int.
 * @throws SessionEncodeError when it is not a safe integer
 */
export function pickleInt(value: number): Uint8Array {
  if (!Number.isSafeInteger(value)) throw new SessionEncodeError('pickle: not an integer');
  return encodePickle(value);
}
