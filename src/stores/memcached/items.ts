/** What the store asks of a client, whichever it is. */

/** An item as it was read. */
export interface Item {
  readonly bytes: Uint8Array;
  /** Seconds until it ends, the running one included; undefined where the client cannot tell. */
  readonly left: number | undefined;
  /** Stands for exactly this content, for `replace` and `removeIf`. */
  readonly token: Token;
}

/** Opaque to the store. */
export type Token = object;

/** Every verb is one round trip. Keys may be any text. */
export interface Items {
  /** Whether `replace` and `removeIf` compare on the server. */
  readonly atomic: boolean;
  /** @param make makes the result out of what is there */
  read<T>(key: string, make: (item: Item) => T): Promise<T | undefined>;
  /** Only where nothing is: else false. A token of the new content, or undefined where the client is told none. */
  add(key: string, bytes: Uint8Array, exptime: number): Promise<Token | undefined | false>;
  /** Only what the token stands for: else false, also where nothing is. */
  replace(key: string, bytes: Uint8Array, exptime: number, token: Token): Promise<Token | undefined | false>;
  /** Only what the token stands for: else false, also where nothing is. */
  removeIf(key: string, token: Token): Promise<boolean>;
  remove(key: string): Promise<boolean>;
  touch(key: string, exptime: number): Promise<boolean>;
  /** For clients that the store made. */
  close?(): void;
}
