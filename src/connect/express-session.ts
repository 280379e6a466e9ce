/** Sessions of express-session, whatever store they are in. */
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

/** The options that express-session was given, as they are: those that are not named here are of no consequence. */
export interface ExpressSessionSource extends TakingOver {
  /** All of them verify. */
  readonly secret: FormerSecret | readonly FormerSecret[];
  /** The store object, or one like it. It stays yours. Needed, though those libraries have a default. */
  readonly store?: FormerStoreLike | undefined;
  /** Default `connect.sid`. */
  readonly name?: string | undefined;
  /** Its former name. */
  readonly key?: string | undefined;
  /** What the cookies were set with; decides how they are deleted. */
  readonly cookie?: FormerCookieOptions | object | undefined;
}

/**
 * Sessions of ours that take over those of express-session: `sessions(fromExpressSession({...}, theirOptions))`.
 * @param options how sessions are kept from now on: in a store
 * @throws SessionConfigError
 */
export function fromExpressSession<Source extends ExpressSessionSource>(
  options: SessionOptions,
  source: Source,
): ServerSideSessionInterface {
  if (typeof source !== 'object' || source === null) {
    throw new SessionConfigError('source', describe(source), 'the options that express-session was given');
  }
  return migrating(options, new ExpressSessions(source), source);
}

/** `__lastAccess` is what session-file-store adds. */
const OWN = ['cookie', '__lastAccess'];

class ExpressSessions implements Former {
  readonly library = 'express-session';
  readonly cookieName: string;
  readonly store: FormerStore;
  readonly clear: Former['clear'];
  readonly #ids: SignedId;

  constructor({ secret, store, name, key, cookie }: ExpressSessionSource) {
    // `key` is what express-session called the name before.
    this.cookieName = String(name ?? key ?? 'connect.sid');
    this.#ids = new SignedId(secretsFrom('secret', secret), 's:');
    this.store = new FormerStore(this.library, store);
    const writer = cookieWriter(this.cookieName, cookie, 'cookie.', 'name');
    this.clear = ({ secure }) => [writer.clear(secure)];
  }

  isOffered: Former['isOffered'] = ({ cookie }) => Boolean(readCookie(cookie, this.cookieName));
  idFrom: Former['idFrom'] = ({ cookie }) => this.#ids.read(readCookie(cookie, this.cookieName) ?? '');

  open: Former['open'] = (bytes) => {
    const { record, cookie } = openFormer(bytes);
    const { originalMaxAge } = cookie;
    return { record, own: OWN, lasting: originalMaxAge !== undefined, maxAge: originalMaxAge };
  };
}
