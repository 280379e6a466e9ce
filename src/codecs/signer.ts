/** Text with an HMAC behind it, in the format of itsdangerous `Signer`. */
import * as crypto from 'node:crypto';
import { BadSignatureError, SessionConfigError, SessionEncodeError } from '../errors.ts';
import { view } from './base64.ts';

/** A secret: text (its UTF-8 bytes) or bytes. */
export type Key = string | Uint8Array;

export type KeyDerivation = 'hmac' | 'concat' | 'django-concat' | 'none';

export type Digest = 'sha1' | 'sha256' | 'sha384' | 'sha512';

export interface SignerOptions {
  /** Tells signatures of different purposes apart. Default `itsdangerous.Signer`. */
  salt?: Key;
  /** One ASCII character that base64 does not use. Default `.`. */
  separator?: string;
  /** How the signing key comes out of a secret and the salt. Default `hmac`. */
  keyDerivation?: KeyDerivation;
  /** Default `sha1`, as in itsdangerous. HMAC does not rest on its collision resistance. */
  digest?: Digest;
}

/** What a signed text says, once a key has vouched for it. */
export interface Verified<T> {
  value: T;
  /** The place of the key in the list given: oldest 0. */
  keyIndex: number;
  /** Whether that is the newest key, the one that signs. */
  current: boolean;
}

/**
 * Several keys rotate: the last one signs, all of them verify, newest first. Text is signed as its UTF-8 bytes.
 * Signatures are accepted in canonical base64 only.
 */
export class Signer {
  readonly separator: string;
  readonly #macs: readonly Mac[];
  readonly #signatureLength: number;
  // UTF-16 holds every character of whatever arrives: in a narrower encoding two texts could become the same bytes.
  readonly #expected: Buffer;
  readonly #given: Buffer;

  /**
   * @param keys one, or oldest to newest
   * @throws SessionConfigError without a key, with an empty one, or with an option that cannot work
   */
  constructor(keys: Key | readonly Key[], options: SignerOptions = {}) {
    const { salt = 'itsdangerous.Signer', separator = '.', keyDerivation = 'hmac', digest = 'sha1' } = options;
    if (!/^[\0-\x7f]$/.test(separator) || /[\w-]/.test(separator)) {
      throw new SessionConfigError('separator', 'another text', 'one ASCII character that base64 does not use');
    }
    if (!Object.hasOwn(BLOCK_BYTES, digest)) {
      throw new SessionConfigError('digest', 'an unknown name', Object.keys(BLOCK_BYTES).join(', '));
    }
    const list = typeof keys === 'string' || keys instanceof Uint8Array ? [keys] : keys;
    if (list.length === 0) throw new SessionConfigError('secretKey', 'an empty list', 'at least one key');
    this.separator = separator;
    this.#macs = list.map((key) => new Mac(digest, deriveKey(toBytes(key), toBytes(salt), keyDerivation, digest)));
    this.#signatureLength = this.#newest.sign('', 'utf8').length;
    this.#expected = Buffer.alloc(this.#signatureLength * 2);
    this.#given = Buffer.alloc(this.#signatureLength * 2);
  }

  /**
   * The value, the separator and the signature.
   * @throws SessionEncodeError for text with a lone surrogate, which has no UTF-8 bytes
   */
  sign(value: string): string;
  sign(value: Uint8Array): Uint8Array;
  sign(value: string | Uint8Array): string | Uint8Array {
    if (typeof value !== 'string') {
      const text = view(value).toString('latin1');
      return Buffer.from(text + this.separator + this.#newest.sign(text, 'latin1'), 'latin1');
    }
    if (!isWellFormed(value)) throw new SessionEncodeError('text with a lone surrogate cannot be signed');
    return value + this.separator + this.#newest.sign(value, 'utf8');
  }

  /**
   * The value in front of the last separator.
   * @throws BadSignatureError
   */
  unsign(signed: string): string;
  unsign(signed: Uint8Array): Uint8Array;
  unsign(signed: string | Uint8Array): string | Uint8Array {
    const verified = typeof signed === 'string' ? this.verify(signed) : this.verify(signed);
    if (!verified) throw new BadSignatureError('no signature of any of the keys');
    return verified.value;
  }

  /** As {@link unsign}, but answers undefined for a bad signature, and says which key made a good one. */
  verify(signed: string): Verified<string> | undefined;
  verify(signed: Uint8Array): Verified<Uint8Array> | undefined;
  verify(signed: string | Uint8Array): Verified<string | Uint8Array> | undefined {
    const isText = typeof signed === 'string';
    const text = isText ? signed : view(signed).toString('latin1');
    const end = text.length - this.#signatureLength - 1;
    // Neither the separator nor anything like it occurs in base64: at this place, it is the last one.
    if (end < 0 || text[end] !== this.separator) return undefined;
    const value = text.slice(0, end);
    if (isText && !isWellFormed(value)) return undefined;
    const keyIndex = this.#whoSigned(value, text.slice(end + 1), isText ? 'utf8' : 'latin1');
    if (keyIndex < 0) return undefined;
    return {
      value: isText ? value : view(signed).subarray(0, end),
      keyIndex,
      current: keyIndex === this.#macs.length - 1,
    };
  }

  /**
   * An expected signature is canonical base64, so comparing the texts refuses every other spelling. Which key matched, or
   * how many were tried, may show in the time taken; how much of a signature was right may not.
   */
  #whoSigned(value: string, signature: string, encoding: TextEncoding): number {
    this.#given.write(signature, 'utf16le');
    for (let index = this.#macs.length - 1; index >= 0; index--) {
      this.#expected.write((this.#macs[index] as Mac).sign(value, encoding), 'utf16le');
      if (crypto.timingSafeEqual(this.#expected, this.#given)) return index;
    }
    return -1;
  }

  get #newest(): Mac {
    return this.#macs[this.#macs.length - 1] as Mac;
  }
}

type TextEncoding = 'utf8' | 'latin1';

const BLOCK_BYTES: Record<Digest, number> = { sha1: 64, sha256: 64, sha384: 128, sha512: 128 };

/** Bytes of a message that are hashed without asking for new memory: more than any cookie that a browser keeps. */
const ROOM = 4096;

/**
 * HMAC (RFC 2104) of texts under one key. Where the runtime has the one-shot `crypto.hash`, two of those cost half of one
 * `createHmac`; longer messages and other runtimes take the latter.
 */
class Mac {
  readonly #digest: Digest;
  readonly #key: crypto.KeyObject;
  readonly #block: number;
  readonly #inner: Buffer;
  readonly #outer: Buffer;

  constructor(digest: Digest, key: Uint8Array) {
    this.#digest = digest;
    this.#key = crypto.createSecretKey(key);
    this.#block = BLOCK_BYTES[digest];
    const hash = () => crypto.createHash(digest);
    const short = key.length > this.#block ? hash().update(key).digest() : key;
    this.#inner = Buffer.alloc(this.#block + ROOM).fill(0x36, 0, this.#block);
    this.#outer = Buffer.alloc(this.#block + hash().digest().length).fill(0x5c, 0, this.#block);
    for (const [i, byte] of short.entries()) {
      this.#inner[i] = 0x36 ^ byte;
      this.#outer[i] = 0x5c ^ byte;
    }
  }

  /** The HMAC in base64. */
  sign(message: string, encoding: TextEncoding): string {
    const bytesAtMost = encoding === 'utf8' ? message.length * 3 : message.length;
    if (!HAS_ONE_SHOT_HASH || bytesAtMost > ROOM) {
      return crypto.createHmac(this.#digest, this.#key).update(message, encoding).digest('base64url');
    }
    const end = this.#block + this.#inner.write(message, this.#block, encoding);
    this.#outer.write(crypto.hash(this.#digest, this.#inner.subarray(0, end), 'binary'), this.#block, 'binary');
    return crypto.hash(this.#digest, this.#outer, 'base64url');
  }
}

/** Node has it since 20.12; elsewhere it may be missing, or not know the `binary` output. */
const HAS_ONE_SHOT_HASH = ((): boolean => {
  try {
    return crypto.hash('sha1', '', 'binary') === crypto.createHash('sha1').digest('binary');
  } catch {
    return false;
  }
})();

function deriveKey(secret: Uint8Array, salt: Uint8Array, derivation: KeyDerivation, digest: Digest): Uint8Array {
  if (secret.length === 0) throw new SessionConfigError('secretKey', 'an empty key', 'a secret that nobody can guess');
  switch (derivation) {
    case 'hmac':
      return crypto.createHmac(digest, secret).update(salt).digest();
    case 'concat':
      return crypto.createHash(digest).update(salt).update(secret).digest();
    case 'django-concat':
      return crypto.createHash(digest).update(salt).update('signer').update(secret).digest();
    case 'none':
      return secret;
    default:
      throw new SessionConfigError('keyDerivation', 'an unknown name', 'hmac, concat, django-concat or none');
  }
}

function toBytes(key: Key): Uint8Array {
  return typeof key === 'string' ? Buffer.from(key, 'utf8') : key;
}

const NOT_ASCII = /[^\0-\x7f]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

function isWellFormed(text: string): boolean {
  return !NOT_ASCII.test(text) || !LONE_SURROGATE.test(text);
}
