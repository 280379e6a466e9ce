/**
 * A client of the package memjs. It speaks the binary protocol, so that records are safe with it, and offers no CAS: content
 * is compared in this process, which changes a key for one caller after the other. Another process can come in between.
 * It cannot tell deadlines either.
 */
import { itemSize, tooLarge } from './item-size.ts';
import type { Item, Items, Token } from './items.ts';
import { plainKey } from './key.ts';

/** What is used of memjs 1. */
export interface MemjsClient {
  get(key: string): Promise<{ value: Uint8Array | null }>;
  add(key: string, value: Buffer, options: { expires: number }): Promise<boolean>;
  replace(key: string, value: Buffer, options: { expires: number }): Promise<boolean>;
  delete(key: string): Promise<boolean>;
  touch(key: string, expires: number): Promise<boolean>;
}

/** Nothing that the server could compare. */
const NO_TOKEN: Token = {};

export class MemjsItems implements Items {
  readonly atomic = false;
  readonly #client: MemjsClient;
  readonly #itemLimit: number;

  constructor(client: MemjsClient, itemLimit: number) {
    this.#client = client;
    this.#itemLimit = itemLimit;
  }

  read<T>(key: string, make: (item: Item) => T): Promise<T | undefined> {
    return this.#client
      .get(plainKey(key))
      .then(({ value }) =>
        value ? make({ bytes: new Uint8Array(value), left: undefined, token: NO_TOKEN }) : undefined,
      );
  }

  async add(key: string, bytes: Uint8Array, expires: number): Promise<undefined | false> {
    const added = await this.#client.add(plainKey(key), this.#fitting(key, bytes), { expires });
    return added ? undefined : false;
  }

  async replace(key: string, bytes: Uint8Array, expires: number): Promise<undefined | false> {
    const replaced = await this.#client.replace(plainKey(key), this.#fitting(key, bytes), { expires });
    return replaced ? undefined : false;
  }

  removeIf(key: string): Promise<boolean> {
    return this.remove(key);
  }

  async remove(key: string): Promise<boolean> {
    return (await this.#client.delete(plainKey(key))) === true;
  }

  async touch(key: string, expires: number): Promise<boolean> {
    return (await this.#client.touch(plainKey(key), expires)) === true;
  }

  #fitting(key: string, bytes: Uint8Array): Buffer {
    const size = itemSize(key, bytes.length);
    if (size > this.#itemLimit) throw tooLarge(size);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}
