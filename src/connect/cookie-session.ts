/** Sessions of cookie-session: JSON in base64 in one cookie, its signature (keygrip's) in another. */
import * as crypto from 'node:crypto';
import { json } from '../codecs/json.ts';
import type { Key } from '../codecs/signer.ts';
import { MAX_COOKIE_OCTETS, readCookie } from '../core/cookie.ts';
import { SecureCookieSessionInterface } from '../core/cookie-session.ts';
import { createSessionInterface, describe, type SessionOptions } from '../core/options.ts';
import type { SessionInterface, SessionRequest } from '../core/session-interface.ts';
import type { SessionStore } from '../core/store.ts';
import { SessionConfigError } from '../errors.ts';
import { embeddedStore } from '../stores/embedded.ts';
import type { Former } from './former.ts';
import { cookieWriter } from './former-cookie.ts';
import { MigratingCookieInterface } from './migrating-cookie-interface.ts';
import { migrating, refuseSameName, type TakingOver } from './migrating-interface.ts';
import { secretsFrom } from './signed-id.ts';

/** The options that cookie-session was given, as they are: those that are not named here are of no consequence. */
export interface CookieSessionSource extends TakingOver {
  /** Default `session`: give our cookie another name. */
  readonly name?: string | undefined;
  /** All of them verify. A Keygrip object of one's own is not taken. */
  readonly keys?: readonly Key[] | object | undefined;
  /** In place of `keys`, one key. */
  readonly secret?: Key | undefined;
  /** Milliseconds. */
  readonly maxAge?: number | undefined;
  readonly path?: string | undefined;
  readonly domain?: string | undefined;
  readonly secure?: boolean | undefined;
  readonly httpOnly?: boolean | undefined;
  readonly sameSite?: boolean | string | undefined;
  readonly signed?: boolean | undefined;
}

/**
 * Sessions of ours that take over those of cookie-session: `sessions(fromCookieSession({...}, theirOptions))`.
 * @param options how sessions are kept from now on: in a store, or in our own cookie, encrypted
 * @throws SessionConfigError
 */
export function fromCookieSession<Source extends CookieSessionSource>(
  options: SessionOptions,
  source: Source,
): SessionInterface {
  if (typeof source !== 'object' || source === null) {
    throw new SessionConfigError('source', describe(source), 'the options that cookie-session was given');
  }
  const former = new CookieSessions(source);
  const ours = createSessionInterface(options, embeddedStore);
  if (!(ours instanceof SecureCookieSessionInterface)) return migrating(options, former, source);
  refuseSameName(ours, former);
  if (source.grace !== undefined) {
    throw new SessionConfigError('grace', describe(source.grace), 'nothing, as there is no store that could count it');
  }
  return new MigratingCookieInterface(ours, former, options.onEvent);
}

class CookieSessions implements Former {
  readonly library = 'cookie-session';
  readonly cookieName: string;
  readonly clear: Former['clear'];
  /** The cookie is the record, so that its text is the id. */
  readonly store: SessionStore = {
    name: 'cookie-session cookie',
    read: (id) => ({ bytes: Buffer.from(id, 'base64'), expiresAt: Number.POSITIVE_INFINITY }),
    delete: () => true,
    write: () => 'gone',
    touch: () => true,
  };
  readonly #keys: readonly Key[];
  readonly #maxAge: number | undefined;

  constructor(source: CookieSessionSource) {
    const { name, keys, secret, maxAge } = source;
    if (source.signed === false) {
      throw new SessionConfigError('signed', 'false', 'cookies that are signed: anybody can write the others');
    }
    this.cookieName = String(name ?? 'session');
    this.#keys = keys ? secretsFrom('keys', keys) : secretsFrom('secret', secret);
    this.#maxAge = typeof maxAge === 'number' ? maxAge : undefined;
    const writers = ['', '.sig'].map((suffix) => cookieWriter(this.cookieName + suffix, source, '', 'name'));
    this.clear = ({ secure }) => writers.map((writer) => writer.clear(secure));
  }

  isOffered: Former['isOffered'] = ({ cookie }) => Boolean(readCookie(cookie, this.cookieName));

  idFrom({ cookie }: SessionRequest): string | undefined {
    const value = readCookie(cookie, this.cookieName) ?? '';
    if (value === '' || value.length > MAX_COOKIE_OCTETS) return undefined;
    const given = Buffer.from(readCookie(cookie, `${this.cookieName}.sig`) ?? '', 'utf8');
    const signed = `${this.cookieName}=${value}`;
    const isRight = (key: Key) => {
      const expected = Buffer.from(crypto.createHmac('sha1', key).update(signed).digest('base64url'), 'latin1');
      return expected.length === given.length && crypto.timingSafeEqual(expected, given);
    };
    return this.#keys.some(isRight) ? value : undefined;
  }

  open: Former['open'] = (bytes) => {
    return { record: json.open(bytes), own: [], lasting: this.#maxAge !== undefined, maxAge: this.#maxAge };
  };
}
