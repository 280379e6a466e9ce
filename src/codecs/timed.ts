/** A signed text that carries when it was signed, in the format of itsdangerous `TimestampSigner`. */
import { BadSignatureError, SessionEncodeError, SignatureExpiredError } from '../errors.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { type Key, Signer, type SignerOptions } from './signer.ts';

/** 9999-12-31T23:59:59Z in seconds since 1970: Python's dates end there. */
export const MAX_TIMESTAMP = 253_402_300_799;

export interface UnsignOptions {
  /** Seconds since 1970; a fraction is dropped, as in itsdangerous. */
  now: number;
  /** Seconds. Absent: the age is not checked, in either direction. */
  maxAge?: number | undefined;
  /** Seconds that the timestamp may lie ahead of `now`. Default 0. */
  leeway?: number | undefined;
}

export interface Timestamped {
  value: string;
  /** Seconds since 1970. */
  timestamp: number;
  /** The place of the key that signed in the list given: oldest 0. */
  keyIndex: number;
  /** Whether that is the newest key. */
  current: boolean;
}

export class TimestampSigner {
  readonly #signer: Signer;
  #lastSecond = -1;
  #lastText = '';

  /** @throws SessionConfigError as {@link Signer} */
  constructor(keys: Key | readonly Key[], options: SignerOptions = {}) {
    this.#signer = new Signer(keys, options);
  }

  /**
   * The value, the timestamp and the signature of both.
   * @param now seconds since 1970; a fraction is dropped
   * @throws SessionEncodeError when `now` is not between 1970 and 9999, or the value has a lone surrogate
   */
  sign(value: string, now: number): string {
    const second = wholeSeconds(now);
    if (second !== this.#lastSecond) {
      this.#lastText = encodeTimestamp(second);
      this.#lastSecond = second;
    }
    return this.#signer.sign(value + this.#signer.separator + this.#lastText);
  }

  /**
   * @throws BadSignatureError when no key signed it, or what was signed has no readable timestamp
   * @throws SignatureExpiredError when it is older than `maxAge`, or dated more than `leeway` ahead
   */
  unsign(signed: string, options: UnsignOptions): Timestamped {
    const verified = this.#signer.verify(signed);
    if (!verified) throw new BadSignatureError('no signature of any of the keys');
    const at = verified.value.lastIndexOf(this.#signer.separator);
    if (at < 0) throw new BadSignatureError('the timestamp is missing');
    const timestamp = decodeTimestamp(verified.value.slice(at + 1));
    if (timestamp === undefined) throw new BadSignatureError('the timestamp is malformed');
    if (options.maxAge !== undefined) checkAge(timestamp, options.maxAge, options.now, options.leeway);
    return {
      value: verified.value.slice(0, at),
      timestamp,
      keyIndex: verified.keyIndex,
      current: verified.current,
    };
  }
}

/**
 * Floor of the clock, in seconds.
 * @throws SessionEncodeError when it is not between 1970 and 9999
 */
export function wholeSeconds(now: number): number {
  const second = Math.floor(now);
  if (!(second >= 0 && second <= MAX_TIMESTAMP)) {
    throw new SessionEncodeError('the clock is not between the years 1970 and 9999');
  }
  return second;
}

/**
 * All in seconds; `now` may have a fraction.
 * @throws SignatureExpiredError when the age is above `maxAge`, or below `-leeway`
 */
export function checkAge(timestamp: number, maxAge: number, now: number, leeway = 0): void {
  const age = Math.floor(now) - timestamp;
  // Written so that a NaN among them refuses.
  if (!(age <= maxAge)) throw new SignatureExpiredError('the signature is older than allowed', timestamp);
  if (!(age >= -leeway)) throw new SignatureExpiredError('the signature is dated in the future', timestamp);
}

/** Base64 of the big-endian number without leading zero bytes; empty for 0. */
function encodeTimestamp(second: number): string {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(second, 0, 6);
  const start = bytes.findIndex((byte) => byte !== 0);
  return start < 0 ? '' : encodeBase64(bytes.subarray(start));
}

/** Leading zero bytes are read, as in Python, up to its eight bytes in all. */
function decodeTimestamp(text: string): number | undefined {
  const bytes = text.length <= 11 ? decodeBase64(text) : undefined;
  if (!bytes || bytes.length > 8) return undefined;
  let second = 0;
  for (const byte of bytes) second = second * 256 + byte;
  return second <= MAX_TIMESTAMP ? second : undefined;
}
