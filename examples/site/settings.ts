/** Everything that the environment decides. */
import { createSessionInterface, ServerSideSessionInterface, type SessionInterface, type SessionOptions } from 'flacon';
import { flaskConfigFromEnv } from 'flacon/flask';
import { embeddedStore } from 'flacon/stores/embedded';

/** How sessions are kept, for the page that tells visitors. */
export interface SessionKeeping {
  readonly store: string;
  readonly profile: string;
  /** Seconds. */
  readonly idleTimeout: number;
  /** Seconds; undefined: no limit. */
  readonly absoluteTimeout: number | undefined;
}

export interface Settings {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Where users, and sessions if nothing else is said, are kept. */
  readonly dataFolder: string;
  /** How many proxies in front of this server are to be believed. */
  readonly proxies: number;
  readonly sessionInterface: SessionInterface;
  readonly keeping: SessionKeeping;
  closeStore(): Promise<void>;
}

export function settingsFrom(env: NodeJS.ProcessEnv): Settings {
  const dataFolder = env.DATA_DIR || '.flacon';
  const options = sessionOptions(env, dataFolder);
  const sessionInterface = createSessionInterface(options);
  return {
    host: env.HOST || '127.0.0.1',
    port: Number(env.PORT || 3000),
    dataFolder,
    proxies: Number(env.TRUSTED_PROXIES || 0),
    sessionInterface,
    keeping: {
      store: typeof options.store === 'object' ? `the ${options.store.name} store` : 'the cookie itself',
      profile: options.profile === 'flask' ? 'as Flask keeps them' : 'secure defaults',
      idleTimeout: sessionInterface.lifetime,
      absoluteTimeout:
        sessionInterface instanceof ServerSideSessionInterface ? sessionInterface.absoluteTimeout : undefined,
    },
    async closeStore() {
      if (typeof options.store === 'object') await options.store.close?.();
    },
  };
}

/** With SESSION_TYPE, as a Flask application with the same variables would keep them; without, the secure defaults. */
function sessionOptions(env: NodeJS.ProcessEnv, dataFolder: string): SessionOptions {
  if (!env.SESSION_TYPE) return { store: embeddedStore({ directory: dataFolder }) };
  const options = flaskConfigFromEnv(env, '');
  if (options.store === 'cookie' && !options.secretKey) {
    throw new Error('SESSION_TYPE=null keeps sessions in signed cookies: set SECRET_KEY to something long and secret.');
  }
  return options;
}
