/** What a response carries and what a store holds after it: settings by Flask's names, through the engine, against Flask's. */
import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Codec } from '../../src/codecs/codec.ts';
import { json } from '../../src/codecs/json.ts';
import { msgpack } from '../../src/codecs/msgpack.ts';
import { withVary } from '../../src/core/effects.ts';
import { SessionExchange } from '../../src/core/exchange.ts';
import { createSessionInterface } from '../../src/core/options.ts';
import { ServerSideSessionInterface } from '../../src/core/server-session.ts';
import { SessionConfigError } from '../../src/errors.ts';
import { type FlaskConfig, flaskConfig } from '../../src/flask/index.ts';
import { MemoryStore } from '../../src/stores/memory.ts';
import { differs } from './differences.ts';
import { loadVectors, type Named, type Notation } from './load.ts';
import { toValue } from './notation.ts';
import { perform, type Step } from './view.ts';

interface SetCookieVector extends Named {
  interface: 'flask' | 'flask-session';
  config: Record<string, unknown>;
  now: string;
  ops: Step[];
  stored: Notation;
  request_cookie: string | null;
  response: { status: number; set_cookie: string[]; vary: string[] };
  store_keys_before?: string[];
  store_after?: Record<string, { value_hex: string; ttl: number }>;
}

const FILE = loadVectors<SetCookieVector>('set_cookie');
const NO_CHANGES = { cleared: false, moved: new Set<string>() };

/** Any time that no lifetime leads to: a record that still has it was not touched. */
const UNTOUCHED_MS = 9_876_543_210_123;

function configOf(vector: SetCookieVector): FlaskConfig {
  const config: Record<string, unknown> = { SECRET_KEY: FILE.meta.secret_key, ...vector.config };
  const lifetime = config.PERMANENT_SESSION_LIFETIME as { timedelta_seconds?: number } | undefined;
  if (lifetime?.timedelta_seconds !== undefined) {
    config.PERMANENT_SESSION_LIFETIME = { seconds: lifetime.timedelta_seconds };
  }
  return { ...config, SESSION_TYPE: vector.interface === 'flask' ? null : 'memory' };
}

/** The setting that is refused at start, and the surprise that this ends: Flask finds out when it serves a request. */
function refusedSetting(vector: SetCookieVector): [name: keyof FlaskConfig, quirk: string] | undefined {
  const { SESSION_COOKIE_SAMESITE: sameSite, PERMANENT_SESSION_LIFETIME: lifetime, ...rest } = configOf(vector);
  const serverSide = vector.interface === 'flask-session';
  if (typeof sameSite === 'string' && !/^(strict|lax|none)$/i.test(sameSite)) {
    return ['SESSION_COOKIE_SAMESITE', 'S-SAMESITE'];
  }
  const [prefix] = /^__(host|secure)-/i.exec(rest.SESSION_COOKIE_NAME ?? '') ?? [];
  if (prefix && !rest.SESSION_COOKIE_SECURE && !rest.SESSION_COOKIE_PARTITIONED) {
    return ['SESSION_COOKIE_SECURE', 'cookie prefix'];
  }
  if (prefix?.toLowerCase() === '__host-') {
    if (rest.SESSION_COOKIE_DOMAIN) return ['SESSION_COOKIE_DOMAIN', 'cookie prefix'];
    const path = rest.SESSION_COOKIE_PATH ? 'SESSION_COOKIE_PATH' : 'APPLICATION_ROOT';
    if ((rest[path] ?? '/') !== '/') return [path, 'cookie prefix'];
  }
  const seconds = typeof lifetime === 'object' ? lifetime.seconds : lifetime;
  if (serverSide && seconds !== undefined && seconds < 1) return ['PERMANENT_SESSION_LIFETIME', 'Expiry'];
  if (serverSide && rest.SESSION_USE_SIGNER && !rest.SECRET_KEY) return ['SECRET_KEY', 'signer without a key'];
  return undefined;
}

async function serve(vector: SetCookieVector) {
  const now = Date.parse(vector.now);
  const memory = new MemoryStore({ now: () => now });
  const keys = new Set(vector.store_keys_before);
  const store = {
    name: 'recorded',
    synchronous: true,
    read: memory.read.bind(memory),
    touch: memory.touch.bind(memory),
    delete: memory.delete.bind(memory),
    write(...args: Parameters<MemoryStore['write']>) {
      keys.add(args[0]);
      return memory.write(...args);
    },
  };
  for (const key of keys) memory.write(key, recordOf(vector), now + UNTOUCHED_MS, undefined);

  const options = { ...flaskConfig(configOf(vector)), now: () => now };
  const sessionInterface = createSessionInterface(vector.interface === 'flask' ? options : { ...options, store });
  const ids = freshIds(vector);
  if (sessionInterface instanceof ServerSideSessionInterface) {
    sessionInterface.generateSid = () => ids.shift() ?? 'an-id-that-Python-did-not-make';
  }
  const exchange = new SessionExchange(sessionInterface, { cookie: vector.request_cookie ?? undefined, secure: false });
  await exchange.open();
  const response = perform(exchange, vector.ops);
  const effects = await exchange.save();
  if (effects.setCookie) response.cookies.push(effects.setCookie);
  if (effects.vary) response.vary = withVary(response.vary);

  const stored: NonNullable<SetCookieVector['store_after']> = {};
  for (const key of keys) {
    const record = memory.read(key);
    if (!record) continue;
    const left = record.expiresAt - now;
    stored[key] = {
      value_hex: Buffer.from(record.bytes).toString('hex'),
      ttl: left === UNTOUCHED_MS ? -1 : left / 1000,
    };
  }
  return { response, stored };
}

function codecOf(vector: SetCookieVector): Codec {
  return vector.config.SESSION_SERIALIZATION_FORMAT === 'json' ? json : msgpack;
}

/** The record that the incoming cookie refers to, as it would be in the configured format. */
function recordOf(vector: SetCookieVector, changed: Record<string, unknown> = {}): Uint8Array {
  const pairs = (vector.stored[1] as [string, Notation][]).map(([key, value]) => [key, toValue(value)] as const);
  const entries = new Map([...pairs, ...Object.entries(changed)]);
  return codecOf(vector).write(undefined, { ...NO_CHANGES, entries });
}

/** The ids that Python made and used, in its order: it makes one for every new session, also for those that stay empty. */
function freshIds(vector: SetCookieVector): string[] {
  const { store_after = {}, store_keys_before = [], config } = vector;
  const prefix = String(config.SESSION_KEY_PREFIX ?? 'session:');
  const made = Object.keys(store_after).filter((key) => !store_keys_before.includes(key));
  return made.map((key) => key.slice(prefix.length));
}

const ORDER = ['Domain', 'Expires', 'Max-Age', 'Secure', 'HttpOnly', 'Path', 'SameSite', 'Partitioned'];

function withAttributes(cookie: string, ...added: string[]): string {
  const [pair, ...attributes] = cookie.split('; ') as [string, ...string[]];
  const all = [...new Set([...attributes, ...added])];
  const place = (attribute: string) => ORDER.indexOf(attribute.split('=')[0] as string);
  return [pair, ...all.sort((a, b) => place(a) - place(b))].join('; ');
}

/** Flask-Session's cookies, with what browsers need to take them and to delete them. */
function expectedCookie(vector: SetCookieVector, cookie: string): string {
  const { SESSION_COOKIE_NAME: name = 'session', ...config } = configOf(vector);
  const isOurs = cookie.startsWith(`${Buffer.from(name).toString('latin1')}=`);
  if (vector.interface === 'flask' || !isOurs) return cookie;
  const { SESSION_COOKIE_PARTITIONED: partitioned, SESSION_COOKIE_SECURE: secure } = config;
  const deletes = cookie.includes('Max-Age=0');
  const added: string[] = [];
  if (partitioned) {
    differs('set_cookie', vector.name, 'S-PARTITIONED', 'Partitioned is sent, and Secure with it');
    added.push('Secure', 'Partitioned');
  }
  if (deletes && (secure || isNone(config.SESSION_COOKIE_SAMESITE))) {
    const why = 'the deletion is Secure and SameSite=None, as the cookie was';
    differs('set_cookie', vector.name, 'S-DELETE-ATTRIBUTES', why);
    if (secure) added.push('Secure');
    if (isNone(config.SESSION_COOKIE_SAMESITE)) added.push('SameSite=None');
  }
  return added.length > 0 ? withAttributes(cookie, ...added) : cookie;
}

function isNone(sameSite: unknown): boolean {
  return typeof sameSite === 'string' && sameSite.toLowerCase() === 'none';
}

/** The JSON text of a cookie session, and where in the cookie's text it is. */
function payloadOf(cookie: string): { json: string; text: string } | undefined {
  const [, text = '', dot, payload = ''] = /^[^=]*=((\.?)([\w-]+)\.[\w-]+\.[\w-]+)/.exec(cookie) ?? [];
  const bytes = Buffer.from(payload, 'base64url');
  return text === '' ? undefined : { json: (dot ? inflateSync(bytes) : bytes).toString(), text };
}

/** Compressed bytes depend on the build of zlib; what they hold does not. */
function inflated(cookie: string): string {
  const payload = payloadOf(cookie);
  if (!payload?.text.startsWith('.')) return cookie;
  const timestamp = payload.text.split('.').at(-2);
  return cookie.replace(payload.text, () => `(${payload.json}).${timestamp}`);
}

/** What Flask drops because nothing but values inside of values was changed: those values as they should be. */
function lostInside(vector: SetCookieVector): Record<string, unknown> | undefined {
  const kept = vector.interface === 'flask' ? vector.response.set_cookie.length > 0 : !untouched(vector);
  if (kept || vector.stored === null) return undefined;
  const stored = new Map(vector.stored[1] as [string, Notation][]);
  const changed: Record<string, unknown> = {};
  for (const [op, key, item] of vector.ops) {
    if (op !== 'nested_append' || !stored.has(key)) continue;
    changed[key] = [...((changed[key] ?? toValue(stored.get(key))) as unknown[]), toValue(item)];
  }
  return Object.keys(changed).length > 0 ? changed : undefined;
}

function untouched({ store_after = {}, store_keys_before = [] }: SetCookieVector): boolean {
  return store_keys_before.every((key) => store_after[key]?.ttl === -1);
}

test.each(FILE.vectors)('$name', async (vector) => {
  const refused = refusedSetting(vector);
  if (refused) {
    const [option, quirk] = refused;
    differs('set_cookie', vector.name, quirk, `${option} is refused at start`);
    expect(() => flaskConfig(configOf(vector))).toThrow(SessionConfigError);
    expect(() => flaskConfig(configOf(vector))).toThrow(expect.objectContaining({ option }));
    return;
  }

  const { response, stored } = await serve(vector);
  expect(response.status).toBe(vector.response.status);
  const inside = lostInside(vector);
  if (inside) {
    differs('set_cookie', vector.name, 'S-NESTED', 'a change inside of a value is kept');
    if (vector.interface === 'flask-session') {
      const record = Buffer.from(recordOf(vector, inside)).toString('hex');
      expect(Object.values(stored).map(({ value_hex }) => value_hex)).toEqual([record]);
      expect(untouched({ ...vector, store_after: stored })).toBe(false);
    } else {
      expect(JSON.parse(payloadOf(response.cookies[0] ?? '')?.json ?? 'null')).toMatchObject(inside);
    }
    return;
  }
  expect(response.cookies.map(inflated)).toEqual(
    vector.response.set_cookie.map((cookie) => inflated(expectedCookie(vector, cookie))),
  );
  expect(response.vary === undefined ? [] : [response.vary]).toEqual(vector.response.vary);
  if (vector.store_after) expect(stored).toEqual(vector.store_after);
});
