/** Records that are decoded as a whole, and the dict arithmetic that every codec needs for `write`. */
import { SessionDecodeError, SessionEncodeError } from '../errors.ts';
import { type OpenRecord, type Patch, REMOVED } from './codec.ts';
import { Float, floatMarks, isMarked, Markup, Tuple } from './values.ts';

/** A record that can name the keys that are not text too. `applyPatch` keeps those of any base that has this method. */
export interface MixedKeyRecord extends OpenRecord {
  /** What is in the record: changes made to what `get` handed out do not show. For reading only. */
  entries(): Iterable<readonly [unknown, unknown]>;
}

/**
 * A record of a format that has to be decoded at once (pickle), or that is of an unusual shape. Nothing is copied: `get`
 * lends out the values of one decoding, each once; a second `get` of an object, or a comparison with the original, pays for
 * another decoding.
 */
export class DecodedRecord implements MixedKeyRecord {
  readonly #decode: () => Map<unknown, unknown>;
  readonly #encode: (value: unknown) => Uint8Array | string;
  #values: Map<unknown, unknown>;
  readonly #lent = new Set<string>();
  /** A decoding of which nothing is ever lent. */
  #original: ReadonlyMap<unknown, unknown> | undefined;

  /**
   * @param decode answers new objects each time; a whole float at the top level as a `Float`
   * @param encode the form by which two values are compared; a SessionEncodeError makes them different
   * @throws what `decode` throws
   */
  constructor(decode: () => Map<unknown, unknown>, encode: (value: unknown) => Uint8Array | string) {
    this.#decode = decode;
    this.#encode = encode;
    this.#values = decode();
  }

  get size(): number {
    return this.#values.size;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  get(key: string): unknown {
    if (!isObject(this.#values.get(key))) return this.#values.get(key);
    if (this.#lent.has(key)) {
      this.#values = this.#decode();
      this.#lent.clear();
    }
    this.#lent.add(key);
    return this.#values.get(key);
  }

  keys(): string[] {
    const keys: string[] = [];
    for (const key of this.#values.keys()) if (typeof key === 'string') keys.push(key);
    return keys;
  }

  same(key: string, value: unknown): boolean {
    return this.#values.has(key) && sameEncoded(this.#encode, value, this.#unlent().get(key));
  }

  entries(): Iterable<readonly [unknown, unknown]> {
    return this.#unlent();
  }

  #unlent(): ReadonlyMap<unknown, unknown> {
    if (this.#lent.size === 0 && !this.#original) return this.#values;
    this.#original ??= this.#decode();
    return this.#original;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !(value instanceof Float);
}

/** Whether two values have one encoding. A value that has none is like no other. */
function sameEncoded(encode: (value: unknown) => Uint8Array | string, a: unknown, b: unknown): boolean {
  try {
    const [left, right] = [encode(a), encode(b)];
    if (typeof left === 'string' || typeof right === 'string') return left === right;
    return left.length === right.length && left.every((byte, i) => byte === right[i]);
  } catch (error) {
    if (error instanceof SessionEncodeError) return false;
    throw error;
  }
}

/** In the result of {@link patchKeys}: the base's own value stays. */
export const KEPT: unique symbol = Symbol('kept');

/**
 * The keys of the next record in the order of a Python dict, each with its new value or `KEPT`: keys of the base keep their
 * place, those that were deleted in between (`patch.moved`) and new ones follow at the end.
 */
export function patchKeys(keys: Iterable<unknown>, patch: Patch): Map<unknown, unknown> {
  const next = new Map<unknown, unknown>();
  const { entries, moved } = patch;
  if (!patch.cleared) {
    for (const key of keys) {
      if (!entries.has(key as string)) next.set(key, KEPT);
      else if (!moved.has(key as string) && entries.get(key as string) !== REMOVED) next.set(key, KEPT);
    }
  }
  // A Map keeps the place of a key that it has.
  for (const [key, value] of entries) if (value !== REMOVED) next.set(key, value);
  return next;
}

/**
 * The next record as a dictionary of values, whatever codec opened the base. Values of a base that has no `entries()` are
 * fetched with `get`; its keys that are not text are then lost.
 * @throws SessionDecodeError when a value of the base cannot be read
 */
export function applyPatch(base: OpenRecord | undefined, patch: Patch): Map<unknown, unknown> {
  if (!base || patch.cleared) return patchKeys([], patch);
  const values = 'entries' in base ? new Map((base as MixedKeyRecord).entries()) : undefined;
  const next = patchKeys(values ? values.keys() : base.keys(), patch);
  for (const [key, value] of next) {
    if (value === KEPT) next.set(key, values ? values.get(key) : base.get(key as string));
  }
  return next;
}

/**
 * What Python's `dict(value)` makes of a decoded value, which is what Flask and Flask-Session do with a record: a mapping
 * as it is, None as empty, and any iterable of pairs.
 * @throws SessionDecodeError where Python raises
 */
export function mappingFrom(value: unknown): Map<unknown, unknown> {
  if (value === null || value === undefined) return new Map();
  if (value instanceof Map) return value;
  if (isMapping(value)) {
    const marks = floatMarks(value);
    return new Map(Object.entries(value).map(([key, member]) => [key, unmarked(marks, key, member)]));
  }
  const mapping = new Map<unknown, unknown>();
  for (const item of iterate(value)) {
    const pair = iterate(item);
    if (pair.length !== 2) throw new SessionDecodeError('the record is not a mapping');
    const marks = floatMarks(pair);
    const key = unmarked(marks, 0, pair[0]);
    if (!isHashable(key)) throw new SessionDecodeError('the record is not a mapping');
    mapping.set(key, unmarked(marks, 1, pair[1]));
  }
  return mapping;
}

/** Whether Python takes it as the key of a dict. */
function isHashable(key: unknown): boolean {
  if (Array.isArray(key)) return key instanceof Tuple && key.every(isHashable);
  return !isMapping(key) && !(key instanceof Map);
}

function unmarked(marks: ReturnType<typeof floatMarks>, key: string | number, value: unknown): unknown {
  return isMarked(marks, key, value) ? new Float(value as number) : value;
}

/**
 * The items that iterating over a decoded value gives in Python: characters of text, keys of a dict.
 * @throws SessionDecodeError when it cannot be iterated over
 */
export function iterate(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value === 'string') return Array.from(value);
  if (value instanceof Markup) return Array.from(value.html);
  if (value instanceof Uint8Array || value instanceof Set) return Array.from(value as Iterable<unknown>);
  if (value instanceof Map) return [...value.keys()];
  if (isMapping(value)) return Object.keys(value);
  throw new SessionDecodeError('a value that has no items stands where some are needed');
}

/** Whether a decoder made it for a dict: an object of no class. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
