/**
 * What a client knows of bytes that the store handed out or wrote: which content of which key they are. It hangs on the object
 * itself, invisibly, and goes with it.
 *
 * A WeakMap would say the same. But for every record that is read it makes an entry which only the full garbage collection
 * takes away again: in a busy server that costs more than the whole command.
 */
import type { Token } from './items.ts';

/** A constructor whose `this` is what it is given, so that the fields of a subclass come to be there. */
const Given = function given(bytes: Uint8Array): Uint8Array {
  return bytes;
} as unknown as new (
  bytes: Uint8Array,
) => object;

class Knowledge extends Given {
  #key: string;
  #token: Token;

  private constructor(bytes: Uint8Array, key: string, token: Token) {
    super(bytes);
    this.#key = key;
    this.#token = token;
  }

  static note(bytes: Uint8Array, key: string, token: Token): void {
    if (#key in bytes) {
      bytes.#key = key;
      bytes.#token = token;
    } else if (Object.isExtensible(bytes)) {
      new Knowledge(bytes, key, token);
    }
  }

  static of(bytes: Uint8Array, key: string): Token | undefined {
    return #key in bytes && bytes.#key === key ? bytes.#token : undefined;
  }
}

/** Remembers that these bytes are what the token stands for, in place of what was remembered of them before. */
export const note = Knowledge.note;

/** What was remembered of these very bytes, if it was for this key. */
export const tokenOf = Knowledge.of;
