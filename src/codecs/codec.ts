/** The contract between the engine and a record format: bytes in, a dictionary out, and back with changes applied. */

/** Marks a key that a patch removes. */
export const REMOVED: unique symbol = Symbol('removed');

/** What is to be different in the next record. */
export interface Patch {
  /** Every key of the base is dropped first. */
  readonly cleared: boolean;
  /** Key to new value, or `REMOVED`; in the order in which the keys were first written. */
  readonly entries: ReadonlyMap<string, unknown>;
  /** Keys that were deleted before they were set again: they move to the end, as in a Python dict. */
  readonly moved: ReadonlySet<string>;
}

/** A record whose top-level keys are known. Values are decoded when asked for. */
export interface OpenRecord {
  /** The number of keys, those that are not text included. */
  readonly size: number;
  has(key: string): boolean;
  /**
   * A fresh copy of the value, undefined when absent. A whole float (Python `1.0`) at the top level comes as a `Float`, so
   * that it can be written back as one.
   * @throws SessionDecodeError when the bytes of this value are malformed
   */
  get(key: string): unknown;
  /** The text keys, in the record's order. Keys that are not text have no name here; they survive in what is written. */
  keys(): string[];
  /** Whether writing `value` under `key` would leave the record's meaning as it is. False when the key is absent. */
  same(key: string, value: unknown): boolean;
}

export interface Codec {
  readonly name: string;
  /**
   * Bounded work, whatever the bytes. The mapping at the top is checked here; a value may be checked only when it is read.
   * @throws SessionDecodeError
   */
  open(record: Uint8Array): OpenRecord;
  /**
   * The record `base` (opened by any codec; undefined: empty) with the patch applied. Values that the patch does not name
   * keep their meaning, and their bytes when `base` was opened by this codec and the format allows it.
   * @throws SessionEncodeError
   */
  write(base: OpenRecord | undefined, patch: Patch): Uint8Array;
}
