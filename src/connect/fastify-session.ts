/** Sessions of @fastify/session. */
import * as crypto from 'node:crypto';
import { readCookie } from '../core/cookie.ts';
import { describe, type SessionOptions } from '../core/options.ts';
import type { ServerSideSessionInterface } from '../core/server-session.ts';
import { SessionConfigError } from '../errors.ts';
import type { Former } from './former.ts';
import { cookieWriter, type FormerCookieOptions } from './former-cookie.ts';
import { openFormer } from './former-record.ts';
import { FormerStore, type FormerStoreLike } from './former-store.ts';
import { migrating, type TakingOver } from './migrating-interface.ts';
import { type FormerSecret, SignedId, secretsFrom } from './signed-id.ts';

/** The options that @fastify/session was given, as they are: those that are not named here are of no consequence. */
export interface FastifySessionSource extends TakingOver {
  /** All of them verify. A signer object of one's own is not taken. */
  readonly secret: FormerSecret | readonly FormerSecret[];
  /** The store object, or one like it. It stays yours. Needed, though those libraries have a default. */
  readonly store?: FormerStoreLike | undefined;
  /** Default `sessionId`. */
  readonly cookieName?: string | undefined;
  /** Default: none. `s:` makes cookies as express-session's. */
  readonly cookiePrefix?: string | undefined;
  /** The signature's hash. Default `sha256`. */
  readonly algorithm?: string | undefined;
  /** What the cookies were set with; decides how they are deleted. `secure` is true unless it says something else. */
  readonly cookie?: FormerCookieOptions | object | undefined;
}

/**
 * Sessions of ours that take over those of @fastify/session: `sessions(fromFastifySession({...}, theirOptions))`.
 * @param options how sessions are kept from now on: in a store
 * @throws SessionConfigError
 */
export function fromFastifySession<Source extends FastifySessionSource>(
  options: SessionOptions,
  source: Source,
): ServerSideSessionInterface {
  if (typeof source !== 'object' || source === null) {
    throw new SessionConfigError('source', describe(source), 'the options that @fastify/session was given');
  }
  return migrating(options, new FastifySessions(source), source);
}

class FastifySessions implements Former {
  readonly library = '@fastify/session';
  readonly cookieName: string;
  readonly store: FormerStore;
  readonly clear: Former['clear'];
  readonly #ids: SignedId;

  constructor({ secret, store, cookieName, cookiePrefix, algorithm = 'sha256', cookie }: FastifySessionSource) {
    this.cookieName = String(cookieName ?? 'sessionId');
    if (!crypto.getHashes().includes(algorithm)) {
      throw new SessionConfigError('algorithm', describe(algorithm), 'the name of a hash that Node knows');
    }
    this.#ids = new SignedId(secretsFrom('secret', secret), cookiePrefix ?? '', algorithm);
    this.store = new FormerStore(this.library, store);
    const attributes =
      typeof cookie === 'object' && cookie !== null ? { secure: true, ...cookie } : (cookie ?? { secure: true });
    const writer = cookieWriter(this.cookieName, attributes, 'cookie.', 'cookieName');
    this.clear = ({ secure }) => [writer.clear(secure)];
  }

  isOffered: Former['isOffered'] = ({ cookie }) => Boolean(readCookie(cookie, this.cookieName));
  idFrom: Former['idFrom'] = ({ cookie }) => this.#ids.read(readCookie(cookie, this.cookieName) ?? '');

  /** Its records are written whole whenever their end moves, and it does not load one whose end has passed. */
  open: Former['open'] = (bytes, now) => {
    const { record, cookie } = openFormer(bytes);
    if (cookie.expires !== undefined && cookie.expires <= now) return undefined;
    const { originalMaxAge, expires } = cookie;
    return {
      record,
      // The ids stood in the records of its versions up to 9.
      own: ['cookie', 'sessionId', 'encryptedSessionId'],
      lasting: expires !== undefined,
      maxAge: originalMaxAge ?? (expires === undefined ? undefined : expires - now),
    };
  };
}
