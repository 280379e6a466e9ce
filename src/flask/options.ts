/** Flask's settings as options of `sessions({...})`: on the wire as Flask 3.1 and Flask-Session 0.8. */

import { LIFETIME_FORMS, lifetimeSeconds, MAX_LIFETIME } from '../core/lifetime.ts';
import type { SessionOptions } from '../core/options.ts';
import type { SessionStore } from '../core/store.ts';
import type { FlaskConfig } from './config.ts';
import { cookieFrom } from './cookie.ts';
import { ConfigReader } from './reader.ts';
import { formatFrom, storageFrom } from './session-type.ts';

/**
 * Options that behave as a Flask application with the same settings, from the same names with the same defaults:
 * `sessions(flaskConfig({ SECRET_KEY, SESSION_TYPE: 'filesystem' }))`. Further options can be added to the result.
 * @throws SessionConfigError that names the setting, what was given and what would be right; never a secret
 */
export function flaskConfig(config: FlaskConfig): SessionOptions {
  return optionsFrom(new ConfigReader(config));
}

/** @throws SessionConfigError */
export function optionsFrom(config: ConfigReader): SessionOptions {
  const cookie = cookieFrom(config);
  const keys = keysFrom(config);
  const { store, format } = storageFrom(config);
  const common: SessionOptions = {
    ...keys,
    profile: 'flask',
    store,
    cookie,
    idleTimeout: lifetimeFrom(config, store),
    refresh: config.boolean('SESSION_REFRESH_EACH_REQUEST', true) ? 'always' : 'never',
  };
  const serverSide = serverSideFrom(config);
  if (store === 'cookie') return common;
  if (serverSide.signIds && keys.secretKey === undefined) {
    config.refuse('SECRET_KEY', 'a secret, because SESSION_USE_SIGNER is on', 'none');
  }
  return { ...common, ...serverSide, format };
}

/** Checked also where the cookie holds the session, so that a wrong setting does not wait for another SESSION_TYPE. */
function serverSideFrom(config: ConfigReader) {
  formatFrom(config);
  if (config.get('SESSION_CLEANUP_N_REQUESTS') !== null) {
    config.integer('SESSION_CLEANUP_N_REQUESTS', 0, Number.POSITIVE_INFINITY, 0);
  }
  return {
    permanent: config.boolean('SESSION_PERMANENT', true),
    signIds: config.boolean('SESSION_USE_SIGNER', false),
    keyPrefix: config.text(
      'SESSION_KEY_PREFIX',
      'session:',
      'at most 40 visible ASCII characters',
      /^[\x21-\x7e]{0,40}$/,
    ),
    // Less than 128 bits can be guessed; more than 128 bytes make keys that not every store takes.
    idLength: config.integer('SESSION_ID_LENGTH', 16, 128, 32),
  };
}

/** A record that is over at once cannot be kept; a cookie can be, and is over a second later. */
function lifetimeFrom(config: ConfigReader, store: SessionStore | 'cookie'): number {
  const name = 'PERMANENT_SESSION_LIFETIME';
  const given = config.get(name);
  const seconds = given === undefined ? 31 * 86_400 : lifetimeSeconds(given);
  if (seconds === undefined) return config.refuse(name, LIFETIME_FORMS);
  const least = store === 'cookie' ? 0 : 1;
  const most = typeof store === 'object' && store.name === 'filesystem' ? secondsLeftForFiles() : MAX_LIFETIME;
  if (seconds >= least && seconds <= most) return seconds;
  return config.refuse(name, `from ${least} to ${most} seconds`, `${seconds} seconds`);
}

/** The deadlines that files can hold end in 2106. */
function secondsLeftForFiles(): number {
  return 2 ** 32 - 1 - Math.ceil(Date.now() / 1000);
}

function keysFrom(config: ConfigReader): Pick<SessionOptions, 'secretKey' | 'secretKeyFallbacks'> {
  const secretKey = config.get('SECRET_KEY') ?? '';
  if (!isKey(secretKey)) config.refuse('SECRET_KEY', 'text or bytes', `a ${typeof secretKey}`);
  const fallbacks = config.get('SECRET_KEY_FALLBACKS') ?? [];
  if (!Array.isArray(fallbacks) || !fallbacks.every((key) => isKey(key) && key.length > 0)) {
    const given = typeof fallbacks === 'string' ? 'one text, each character of which would be a key' : 'something else';
    return config.refuse('SECRET_KEY_FALLBACKS', 'a list of non-empty keys (text or bytes), oldest first', given);
  }
  if (secretKey.length === 0) return {};
  return { secretKey, ...(fallbacks.length > 0 ? { secretKeyFallbacks: fallbacks } : {}) };
}

function isKey(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array;
}
