/** An id with its signature, as `cookie-signature` and `@fastify/cookie` write it: `<id>.<base64 of HMAC, no padding>`. */
import * as crypto from 'node:crypto';
import type { Key } from '../codecs/signer.ts';
import { MAX_COOKIE_OCTETS } from '../core/cookie.ts';
import { SessionConfigError } from '../errors.ts';

/** As those libraries declare them. Text and bytes can be taken over. */
export type FormerSecret = Key | object;

export class SignedId {
  readonly #secrets: readonly Key[];
  readonly #digest: string;
  readonly #prefix: string;

  /**
   * @param secrets in any order: all of them verify
   * @param prefix what stands before the id in the cookie, unsigned: `s:` with express-session
   */
  constructor(secrets: readonly Key[], prefix: string, digest = 'sha256') {
    this.#secrets = secrets;
    this.#prefix = prefix;
    this.#digest = digest;
  }

  /**
   * @param value the cookie's, as it came
   * @returns the id; undefined when it is not one that was signed with one of the secrets
   */
  read(value: string): string | undefined {
    // What no browser keeps was not issued.
    if (value.length > MAX_COOKIE_OCTETS) return undefined;
    const text = decodePercent(value);
    if (!text.startsWith(this.#prefix)) return undefined;
    const dot = text.lastIndexOf('.');
    const id = text.slice(this.#prefix.length, Math.max(dot, 0));
    if (id === '') return undefined;
    const given = Buffer.from(text.slice(dot + 1), 'utf8');
    for (const secret of this.#secrets) {
      const expected = Buffer.from(sign(id, secret, this.#digest), 'latin1');
      if (expected.length === given.length && crypto.timingSafeEqual(expected, given)) return id;
    }
    return undefined;
  }
}

function sign(id: string, secret: Key, digest: string): string {
  return crypto.createHmac(digest, secret).update(id).digest('base64').replace(/=+$/, '');
}

/** As the `cookie` package: text that is not well encoded stays as it is. */
function decodePercent(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/**
 * @param option its name, as the user wrote it
 * @throws SessionConfigError, never with the value: whatever stands in a secret's place may be one
 */
export function secretsFrom(option: string, given: unknown): readonly Key[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  const isSecret = (value: unknown): value is Key =>
    (typeof value === 'string' || value instanceof Uint8Array) && value.length > 0;
  if (list.length > 0 && list.every(isSecret)) return list;
  const what = given === undefined || list.length === 0 ? 'nothing' : 'something else';
  throw new SessionConfigError(option, what, 'the secret (text or bytes) that signed the cookies, or a list of them');
}
