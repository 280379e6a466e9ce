/** The options of `sessions({...})`, and what is made of them. Everything that cannot work is refused here, at start. */

import { openAny } from '../codecs/any.ts';
import type { Codec } from '../codecs/codec.ts';
import { json } from '../codecs/json.ts';
import { msgpack } from '../codecs/msgpack.ts';
import { pickle } from '../codecs/pickle.ts';
import { SealedSerializer } from '../codecs/sealed.ts';
import { type Key, Signer } from '../codecs/signer.ts';
import { taggedJson } from '../codecs/tagged-json.ts';
import { URLSafeTimedSerializer } from '../codecs/url-safe.ts';
import { SessionConfigError } from '../errors.ts';
import { type CookieAttributes, validateCookieOptions } from './cookie.ts';
import { SecureCookieSessionInterface } from './cookie-session.ts';
import type { SessionEventListener } from './events.ts';
import type { Refresh } from './policy.ts';
import { ServerSideSessionInterface } from './server-session.ts';
import { SessionInterface } from './session-interface.ts';
import type { SessionStore } from './store.ts';

export type RecordFormat = 'msgpack' | 'json' | 'pickle';

export interface SessionOptions {
  /** Where records live; `'cookie'`: in the cookie itself. Default: the embedded store of the adapter, where it has one. */
  readonly store?: SessionStore | 'cookie';
  /** Signs or seals cookies: needed with `store: 'cookie'`. At least 32 bytes in the secure profile. */
  readonly secretKey?: Key;
  /** Former keys, oldest first: they verify, and never sign. */
  readonly secretKeyFallbacks?: readonly Key[];
  /** The cookie's attributes. Defaults: `session`, `/`, HttpOnly, `SameSite=Lax`, `secure: 'auto'` (as the request is). */
  readonly cookie?: Partial<CookieAttributes>;
  /** Seconds without use after which a session ends. Default: one day; in the Flask profile, 31 days. */
  readonly idleTimeout?: number;
  /** Seconds after which a session ends however much it is used. Default: 30 days; `false`, and in the Flask profile: never. */
  readonly absoluteTimeout?: number | false;
  /** When a session that is only read has its end moved. Default: after a tenth of `idleTimeout`. See {@link Refresh}. */
  readonly refresh?: Refresh;
  /** Whether a new session outlives the browser's session. Default true. */
  readonly permanent?: boolean;
  /** What stands before the id in a store's keys. Default `session:`. */
  readonly keyPrefix?: string;
  /** Bytes of randomness in an id, 16 to 128. Default 32. */
  readonly idLength?: number;
  /** Whether a store's key holds a hash of the id in place of the id. Default true; false in the Flask profile. */
  readonly hashIds?: boolean;
  /** Whether the cookie's id is signed (Flask-Session's SESSION_USE_SIGNER). Default false. */
  readonly signIds?: boolean;
  /** What records are written as; all formats are read. Default `msgpack`. */
  readonly format?: RecordFormat;
  /** Seconds that one store operation may take. Default 5; 0: without limit. */
  readonly storeTimeout?: number;
  /** When the store fails: `fail` the request (default), or go on with an empty, read-only session. */
  readonly onStoreError?: 'fail' | 'null-session';
  /** Read the record only at `await session.load()`. Default false. Stores that answer at once are read when first used. */
  readonly lazy?: boolean;
  /** Seconds that a cookie session may be dated ahead of this host's clock. Default 60; 0 in the Flask profile. */
  readonly clockLeeway?: number;
  /** `secure` (default), or `flask`: on the wire as Flask and Flask-Session; see `flaskConfig`. */
  readonly profile?: 'secure' | 'flask';
  /** Hears what happened to sessions: why one was not resumed, failures of the store, and so on. */
  readonly onEvent?: SessionEventListener;
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

const DAY = 86_400;
const KNOWN = new Set([
  'store',
  'secretKey',
  'secretKeyFallbacks',
  'cookie',
  'idleTimeout',
  'absoluteTimeout',
  'refresh',
  'permanent',
  'keyPrefix',
  'idLength',
  'hashIds',
  'signIds',
  'format',
  'storeTimeout',
  'onStoreError',
  'lazy',
  'clockLeeway',
  'profile',
  'onEvent',
  'now',
]);
const CODECS: Record<RecordFormat, Codec> = { msgpack, json, pickle };

/**
 * The interface that the options describe; an interface passes through, so that users can bring their own.
 * @param defaultStore makes the store when the options name none
 * @throws SessionConfigError that names the option, what was given and what would be right
 */
export function createSessionInterface(
  options: SessionOptions | SessionInterface,
  defaultStore?: () => SessionStore,
): SessionInterface {
  if (options instanceof SessionInterface) return options;
  check(options);
  const flask = options.profile === 'flask';
  const inCookie = options.store === 'cookie';
  const lifetime = options.idleTimeout ?? (flask ? 31 * DAY : DAY);
  const refresh = options.refresh ?? (flask ? 'always' : 0.1);
  const cookie: CookieAttributes = {
    name: 'session',
    path: '/',
    httpOnly: true,
    ...(flask ? {} : { sameSite: 'Lax', secure: 'auto' }),
    ...given(options.cookie),
  };
  if (!flask) validateCookieOptions(cookie);
  const common = {
    cookie,
    lifetime,
    refreshEachRequest: refresh === 'always',
    now: options.now ?? Date.now,
    absoluteTimeout: absoluteTimeout(options, flask),
    permanent: options.permanent ?? true,
    deletionAttributes: flask && !inCookie ? ('needed' as const) : ('all' as const),
    rules: { refresh, flask, inCookie, rolling: absoluteTimeout(options, flask) === undefined },
    onEvent: options.onEvent,
  };
  const keys = secretKeys(options);
  if (inCookie) {
    return new SecureCookieSessionInterface({
      ...common,
      serializer: cookieSerializer(keys, cookie.name, flask),
      codec: flask ? taggedJson : msgpack,
      permanent: flask ? false : common.permanent,
      leeway: options.clockLeeway ?? (flask ? 0 : 60),
    });
  }
  const store = typeof options.store === 'object' ? options.store : defaultStore?.();
  if (!store) throw new SessionConfigError('store', 'nothing', "a session store, or 'cookie'");
  if (options.signIds && keys.length === 0) {
    throw new SessionConfigError('secretKey', 'nothing', 'a secret, since signIds (SESSION_USE_SIGNER) is on');
  }
  const codec = CODECS[options.format ?? 'msgpack'];
  const readers = [codec, ...[msgpack, json, pickle].filter((other) => other !== codec)];
  return new ServerSideSessionInterface({
    ...common,
    store,
    codecs: readers,
    open: (record) => openAny(record, readers),
    keyPrefix: options.keyPrefix ?? 'session:',
    hashIds: options.hashIds ?? !flask,
    signer: options.signIds ? new Signer(keys, { salt: 'flask-session' }) : undefined,
    idLength: options.idLength ?? 32,
    storeTimeout: options.storeTimeout ?? 5,
    onStoreError: options.onStoreError ?? 'fail',
    lazy: options.lazy ?? false,
  });
}

/** A member that is undefined is as good as none: it does not switch a default off. */
function given(cookie: Partial<CookieAttributes> = {}): Partial<CookieAttributes> {
  return Object.fromEntries(Object.entries(cookie).filter(([, value]) => value !== undefined));
}

function absoluteTimeout(options: SessionOptions, flask: boolean): number | undefined {
  if (options.absoluteTimeout === false) return undefined;
  return options.absoluteTimeout ?? (flask ? undefined : 30 * DAY);
}

/** Oldest first, as the signers want them. */
function secretKeys(options: SessionOptions): Key[] {
  const newest = options.secretKey;
  if (newest === undefined || newest.length === 0) return [];
  return [...(options.secretKeyFallbacks ?? []), newest];
}

function cookieSerializer(keys: Key[], name: string, flask: boolean) {
  if (flask) return keys.length > 0 ? new URLSafeTimedSerializer(keys) : undefined;
  if (keys.length === 0)
    throw new SessionConfigError('secretKey', 'nothing', "a secret of at least 32 bytes, since store is 'cookie'");
  return new SealedSerializer(keys, { name });
}

function check(options: SessionOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new SessionConfigError('options', describe(options), 'an object of options, or a SessionInterface');
  }
  for (const name of Object.keys(options)) {
    if (!KNOWN.has(name)) throw new SessionConfigError(name, 'an unknown option', `one of ${[...KNOWN].join(', ')}`);
  }
  const seconds = (name: 'idleTimeout' | 'absoluteTimeout' | 'storeTimeout' | 'clockLeeway', least: number) => {
    const value: unknown = options[name];
    if (value === undefined || (name === 'absoluteTimeout' && value === false)) return;
    if (typeof value !== 'number' || !(value >= least) || !Number.isFinite(value)) {
      throw new SessionConfigError(name, describe(value), `a number of seconds, at least ${least}`);
    }
  };
  seconds('idleTimeout', options.profile === 'flask' && options.store === 'cookie' ? 0 : 1);
  seconds('absoluteTimeout', 1);
  seconds('storeTimeout', 0);
  seconds('clockLeeway', 0);
  for (const name of ['permanent', 'hashIds', 'signIds', 'lazy'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== 'boolean')
      throw new SessionConfigError(name, describe(value), 'true or false');
  }
  for (const name of ['onEvent', 'now'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== 'function')
      throw new SessionConfigError(name, describe(value), 'a function');
  }
  const oneOf = (name: 'format' | 'onStoreError' | 'profile', allowed: readonly string[]) => {
    const value: unknown = options[name];
    if (value !== undefined && !allowed.includes(value as string))
      throw new SessionConfigError(name, describe(value), allowed.join(' or '));
  };
  oneOf('format', ['msgpack', 'json', 'pickle']);
  oneOf('onStoreError', ['fail', 'null-session']);
  oneOf('profile', ['secure', 'flask']);
  const { refresh, idLength, keyPrefix, store } = options;
  if (
    refresh !== undefined &&
    refresh !== 'always' &&
    refresh !== 'never' &&
    !(typeof refresh === 'number' && refresh >= 0 && refresh <= 1)
  ) {
    throw new SessionConfigError('refresh', describe(refresh), "'always', 'never' or a share from 0 to 1");
  }
  const shortest = options.profile === 'flask' ? 6 : 16;
  if (idLength !== undefined && !(Number.isInteger(idLength) && idLength >= shortest && idLength <= 128)) {
    throw new SessionConfigError('idLength', describe(idLength), `a whole number of bytes from ${shortest} to 128`);
  }
  if (keyPrefix !== undefined && (typeof keyPrefix !== 'string' || !/^[\x21-\x7e]{0,40}$/.test(keyPrefix))) {
    throw new SessionConfigError('keyPrefix', describe(keyPrefix), 'at most 40 visible ASCII characters');
  }
  if (store !== undefined && store !== 'cookie' && !isStore(store)) {
    throw new SessionConfigError('store', describe(store), "a session store (read, write, touch, delete), or 'cookie'");
  }
  checkKeys(options);
  checkCookie(options.cookie);
}

function checkKeys(options: SessionOptions): void {
  const isKey = (key: unknown) => typeof key === 'string' || key instanceof Uint8Array;
  const { secretKey, secretKeyFallbacks } = options;
  // Never the value: whatever stands in a secret's place may be one.
  if (secretKey !== undefined && !isKey(secretKey)) {
    throw new SessionConfigError('secretKey', `a ${typeof secretKey}`, 'text or bytes');
  }
  if (secretKeyFallbacks === undefined) return;
  if (!Array.isArray(secretKeyFallbacks) || !secretKeyFallbacks.every((key) => isKey(key) && key.length > 0)) {
    const given =
      typeof secretKeyFallbacks === 'string' ? 'one text (each of its characters would be a key)' : 'something else';
    throw new SessionConfigError('secretKeyFallbacks', given, 'a list of non-empty keys, oldest first');
  }
}

function isStore(value: unknown): value is SessionStore {
  const store = value as Record<string, unknown> | null;
  return (
    typeof store === 'object' &&
    store !== null &&
    ['read', 'write', 'touch', 'delete'].every((verb) => typeof store[verb] === 'function')
  );
}

/** A value in an error message: short, and never an object's content. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (value === null || typeof value !== 'object') return String(value);
  return Array.isArray(value) ? 'a list' : `an object (${value.constructor?.name ?? 'without prototype'})`;
}

const COOKIE_MEMBERS: Readonly<Record<string, string>> = {
  name: 'string',
  domain: 'string',
  path: 'string',
  secure: 'boolean',
  httpOnly: 'boolean',
  sameSite: 'string',
  partitioned: 'boolean',
};

function checkCookie(cookie: unknown): void {
  if (cookie === undefined) return;
  if (typeof cookie !== 'object' || cookie === null) {
    throw new SessionConfigError('cookie', describe(cookie), 'an object of cookie attributes');
  }
  for (const [name, value] of Object.entries(cookie)) {
    const type = Object.hasOwn(COOKIE_MEMBERS, name) ? COOKIE_MEMBERS[name] : undefined;
    if (type === undefined) {
      const expected = `one of ${Object.keys(COOKIE_MEMBERS).join(', ')}`;
      throw new SessionConfigError(`cookie.${name}`, 'an unknown attribute', expected);
    }
    if (value === undefined || (name === 'secure' && value === 'auto')) continue;
    const expected = type === 'string' ? 'text' : name === 'secure' ? "true, false or 'auto'" : 'true or false';
    if (typeof value !== type) throw new SessionConfigError(`cookie.${name}`, describe(value), expected);
  }
}
