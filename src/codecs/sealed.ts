/**
 * A cookie that its holder can neither read nor change: AES-256-GCM under keys that belong to one purpose and one cookie
 * name. Unlike Flask's; only this package reads it.
 *
 * token  = base64url( version 1 · nonce 12 · ciphertext · tag 16 )
 * inside = seconds since 1970, 6 bytes big-endian · payload
 */
import * as crypto from 'node:crypto';
import { BadSignatureError, SessionConfigError } from '../errors.ts';
import { decodeBase64, encodeBase64, view } from './base64.ts';
import type { CookieSerializer, LoadedCookie, LoadOptions } from './cookie-serializer.ts';
import type { Key } from './signer.ts';
import { checkAge, MAX_TIMESTAMP, wholeSeconds } from './timed.ts';

/** Octets of a secret. What is shorter can be searched for. */
export const MIN_SECRET_BYTES = 32;

export interface SealedOptions {
  /** The cookie's name. A value moved to another name does not open. */
  name: string;
  /** What the value is for. One made for something else does not open, same secret and name or not. Default `session`. */
  purpose?: string;
}

const VERSION = 1;
const NONCE = 12;
const TAG = 16;
const TIMESTAMP = 6;
const HEAD = 1 + NONCE;

/**
 * The payload is never compressed: the length of what is sent would then tell how much of a text that an attacker chose
 * also occurs in the rest of the session (CRIME, BREACH).
 *
 * Nonces are random (NIST SP 800-38D section 8.2.2): rotate the secret before one of them has sealed 2^32 cookies.
 */
export class SealedSerializer implements CookieSerializer {
  /** Oldest to newest. */
  readonly #keys: readonly crypto.KeyObject[];
  readonly #context: Buffer;

  /**
   * @param secrets one, or oldest to newest: the last one seals, all of them open
   * @throws SessionConfigError without a secret, or with one of less than {@link MIN_SECRET_BYTES}
   */
  constructor(secrets: Key | readonly Key[], options: SealedOptions) {
    const { name, purpose = 'session' } = options;
    const list = typeof secrets === 'string' || secrets instanceof Uint8Array ? [secrets] : secrets;
    if (list.length === 0) throw new SessionConfigError('secretKey', 'an empty list', 'at least one secret');
    // JSON keeps the parts apart: no other name and purpose make the same text.
    this.#context = Buffer.from(JSON.stringify(['flacon sealed cookie', VERSION, purpose, name]), 'utf8');
    if (this.#context.length > 1024) {
      throw new SessionConfigError('cookie.name', `${name.length} characters`, 'a shorter name');
    }
    this.#keys = list.map((secret, i) =>
      deriveKey(secret, this.#context, i === list.length - 1 ? 'secretKey' : 'secretKeyFallbacks'),
    );
  }

  dumps(payload: Uint8Array, now: number): string {
    const inside = Buffer.allocUnsafe(TIMESTAMP + payload.length);
    inside.writeUIntBE(wholeSeconds(now), 0, TIMESTAMP);
    inside.set(payload, TIMESTAMP);
    const nonce = crypto.randomBytes(NONCE);
    const key = this.#keys[this.#keys.length - 1] as crypto.KeyObject;
    const cipher = crypto.createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG });
    cipher.setAAD(this.#context);
    const token = Buffer.allocUnsafe(HEAD + inside.length + TAG);
    token[0] = VERSION;
    token.set(nonce, 1);
    token.set(cipher.update(inside), HEAD);
    cipher.final();
    token.set(cipher.getAuthTag(), HEAD + inside.length);
    return encodeBase64(token);
  }

  loads(text: string, options: LoadOptions): LoadedCookie {
    const token = decodeBase64(text);
    // Lengths first: GCM as such would take a shorter tag, and one byte of tag is guessed in 256 tries.
    if (!token || token.length < HEAD + TIMESTAMP + TAG || token[0] !== VERSION) {
      throw new BadSignatureError('not a sealed value');
    }
    for (let i = this.#keys.length - 1; i >= 0; i--) {
      const inside = this.#open(view(token), this.#keys[i] as crypto.KeyObject);
      if (!inside) continue;
      const issuedAt = inside.readUIntBE(0, TIMESTAMP);
      if (issuedAt > MAX_TIMESTAMP) throw new BadSignatureError('the timestamp is out of range');
      checkAge(issuedAt, options.maxAge, options.now, options.leeway);
      return { payload: inside.subarray(TIMESTAMP), issuedAt, current: i === this.#keys.length - 1 };
    }
    throw new BadSignatureError('none of the keys opens it');
  }

  #open(token: Buffer, key: crypto.KeyObject): Buffer | undefined {
    const decipher = crypto.createDecipheriv('aes-256-gcm', key, token.subarray(1, HEAD), { authTagLength: TAG });
    decipher.setAAD(this.#context);
    decipher.setAuthTag(token.subarray(token.length - TAG));
    const inside = decipher.update(token.subarray(HEAD, token.length - TAG));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return inside;
  }
}

function deriveKey(secret: Key, context: Uint8Array, option: string): crypto.KeyObject {
  const bytes = typeof secret === 'string' ? Buffer.from(secret, 'utf8') : secret;
  if (bytes.length < MIN_SECRET_BYTES) {
    throw new SessionConfigError(option, `${bytes.length} bytes`, `at least ${MIN_SECRET_BYTES} random bytes`);
  }
  return crypto.createSecretKey(Buffer.from(crypto.hkdfSync('sha256', bytes, new Uint8Array(0), context, 32)));
}
