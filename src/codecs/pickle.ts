/**
 * Python's pickle as data: what Flask-Session's filesystem and cachelib backends store, and what its old releases stored
 * everywhere. Reads plain data of protocols 0 to 5, writes protocol 5 as CPython does, and never looks up or calls a class.
 */
import { SessionDecodeError, SessionEncodeError } from '../errors.ts';
import { type Codec, type OpenRecord, type Patch, REMOVED } from './codec.ts';
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
    const items = patch.cleared ? new Map<unknown, unknown>() : itemsOf(base);
    for (const [key, value] of patch.entries) {
      // Deleted first when it moves to the end: a Map keeps the place of a key that is set again, as a dict does.
      if (value === REMOVED || value === undefined || patch.moved.has(key)) items.delete(key);
      if (value !== REMOVED && value !== undefined) items.set(key, value);
    }
    return encodePickle(items);
  },
};

/** Everything is decoded on opening; values are copied for whoever asks, so that this remains what was read. */
class PickleRecord implements OpenRecord {
  readonly items: ReadonlyMap<unknown, unknown>;
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

  same(key: string, value: unknown): boolean {
    const mine = this.items.get(key);
    if (mine === undefined || value === undefined) return false;
    // Not to be decided by `===` for numbers: 1 would be written as an int where 1.0 was read.
    if (typeof mine !== 'object' || mine === null) return typeof mine === typeof value && Object.is(mine, value);
    if (typeof value !== 'object' || value === null) return false;
    try {
      // Compared as they would be written, the one as the handler got it: what a plain object cannot keep is no change.
      return equal(encodePickle(this.get(key)), encodePickle(value));
    } catch (error) {
      if (error instanceof SessionEncodeError) return false;
      throw error;
    }
  }
}

/** A base of another format only shows its text keys. */
function itemsOf(base: OpenRecord | undefined): Map<unknown, unknown> {
  if (base instanceof PickleRecord) return new Map(base.items);
  const items = new Map<unknown, unknown>();
  for (const key of base?.keys() ?? []) items.set(key, base?.get(key));
  return items;
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
