import type { OpenRecord } from '../codecs/codec.ts';

/** A record that no store holds yet: what a new session starts from. */
export class PlainRecord implements OpenRecord {
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(values: Iterable<readonly [string, unknown]> = []) {
    this.#values = new Map(values);
  }
  get size(): number {
    return this.#values.size;
  }
  has(key: string): boolean {
    return this.#values.has(key);
  }
  get(key: string): unknown {
    return this.#values.get(key);
  }
  keys(): string[] {
    return [...this.#values.keys()];
  }
  /** The objects in here belong to the caller: whether they were changed cannot be told, so they count as changed. */
  same(key: string, value: unknown): boolean {
    return (
      this.#values.has(key) && Object.is(this.#values.get(key), value) && (typeof value !== 'object' || value === null)
    );
  }
}

export const EMPTY: OpenRecord = new PlainRecord();
