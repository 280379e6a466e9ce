/** Flask's session cookie: itsdangerous `URLSafeTimedSerializer` around a payload that another codec makes. */
import { deflateSync, inflateSync } from 'node:zlib';
import { SessionDecodeError } from '../errors.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import type { CookieSerializer, LoadedCookie, LoadOptions } from './cookie-serializer.ts';
import { MAX_INFLATED } from './limits.ts';
import type { Key, SignerOptions } from './signer.ts';
import { TimestampSigner } from './timed.ts';

/** Signed, not secret: whoever holds the cookie can read the payload. */
export class URLSafeTimedSerializer implements CookieSerializer {
  readonly #signer: TimestampSigner;

  /**
   * @param keys one, or oldest to newest: the last one signs
   * @param options as Flask's `SecureCookieSessionInterface` unless given: salt `cookie-session`, SHA-1, `hmac`
   * @throws SessionConfigError
   */
  constructor(keys: Key | readonly Key[], options: SignerOptions = {}) {
    this.#signer = new TimestampSigner(keys, { salt: 'cookie-session', ...options });
  }

  dumps(payload: Uint8Array, now: number): string {
    return this.#signer.sign(pack(payload), now);
  }

  loads(text: string, options: LoadOptions): LoadedCookie {
    const { value, timestamp, current } = this.#signer.unsign(text, options);
    return { payload: unpack(value), issuedAt: timestamp, current };
  }
}

/** Compressed only where that saves two bytes or more; a leading dot says so. */
function pack(payload: Uint8Array): string {
  if (!cannotShrink(payload)) {
    const compressed = deflateSync(payload);
    if (compressed.length < payload.length - 1) return `.${encodeBase64(compressed)}`;
  }
  return encodeBase64(payload);
}

function unpack(text: string): Uint8Array {
  const compressed = text.startsWith('.');
  const bytes = decodeBase64(compressed ? text.slice(1) : text);
  if (!bytes) throw new SessionDecodeError('the payload is not canonical base64');
  if (!compressed) return bytes;
  try {
    return inflateSync(bytes, { maxOutputLength: MAX_INFLATED });
  } catch (cause) {
    throw new SessionDecodeError(`the payload does not inflate to at most ${MAX_INFLATED} bytes`, { cause });
  }
}

/** Above this many bytes the bound below proves nothing. */
const SMALL = 48;
const seen = new Uint32Array(256);
let round = 0;

/**
 * Whether zlib surely saves less than two bytes: small payloads are then spared the attempt, which costs more than signing
 * them. A lower bound on its output: 6 bytes of container (RFC 1950) around one block (RFC 1951) in which every distinct
 * byte is a literal at least once. With fixed codes that is 8 bits each. With codes of their own, n literals and the end of
 * the block take (n + 1) · log2(n + 1) bits or more, and describing the codes 35 bits and half a bit for each of them.
 */
function cannotShrink(payload: Uint8Array): boolean {
  if (payload.length > SMALL) return false;
  round = (round + 1) >>> 0 || 1;
  let distinct = 0;
  for (let i = 0; i < payload.length; i++) {
    const byte = payload[i] as number;
    if (seen[byte] === round) continue;
    seen[byte] = round;
    distinct++;
  }
  const codes = distinct + 1;
  const bits = Math.min(10 + 8 * distinct, 35 + codes / 2 + codes * Math.log2(codes));
  return 6 + Math.ceil(bits / 8) >= payload.length - 1;
}
