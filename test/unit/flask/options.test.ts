import {
  createSessionInterface,
  SecureCookieSessionInterface,
  ServerSideSessionInterface,
  SessionConfigError,
} from 'flacon';
import { type FlaskConfig, flaskConfig } from 'flacon/flask';
import { FilesystemStore } from 'flacon/stores/filesystem';
import { MemoryStore } from 'flacon/stores/memory';
import { describe, expect, test } from 'vitest';

/** What a JavaScript program may pass, whatever the types say. */
const wrong = (config: Record<string, unknown>) => config as FlaskConfig;

describe('defaults', () => {
  test("are Flask's: a signed cookie, 31 days, refreshed by every request", () => {
    expect(flaskConfig({ SECRET_KEY: 'dev' })).toEqual({
      profile: 'flask',
      store: 'cookie',
      secretKey: 'dev',
      cookie: {
        name: 'session',
        domain: undefined,
        path: '/',
        secure: false,
        httpOnly: true,
        sameSite: undefined,
        partitioned: false,
      },
      idleTimeout: 2_678_400,
      refresh: 'always',
    });
  });

  test("are Flask-Session's with a store", () => {
    expect(flaskConfig({ SESSION_TYPE: 'memory' })).toMatchObject({
      permanent: true,
      signIds: false,
      keyPrefix: 'session:',
      idLength: 32,
      format: 'msgpack',
    });
  });

  test('make an interface of each kind', () => {
    expect(createSessionInterface(flaskConfig({}))).toBeInstanceOf(SecureCookieSessionInterface);
    expect(createSessionInterface(flaskConfig({ SESSION_TYPE: 'memory' }))).toBeInstanceOf(ServerSideSessionInterface);
  });

  test('take further options beside them', () => {
    const now = () => 0;
    expect(createSessionInterface({ ...flaskConfig({ SECRET_KEY: 'dev' }), now }).now).toBe(now);
  });
});

test('every setting arrives', () => {
  const options = flaskConfig({
    SECRET_KEY: new Uint8Array([1, 2]),
    SECRET_KEY_FALLBACKS: ['older', new Uint8Array([3])],
    PERMANENT_SESSION_LIFETIME: { hours: 2 },
    SESSION_REFRESH_EACH_REQUEST: false,
    SESSION_TYPE: 'MEMORY',
    SESSION_PERMANENT: false,
    SESSION_USE_SIGNER: true,
    SESSION_KEY_PREFIX: 'app:',
    SESSION_ID_LENGTH: 16,
    SESSION_SERIALIZATION_FORMAT: 'json',
    SESSION_CLEANUP_N_REQUESTS: 100,
  });
  expect(options).toMatchObject({
    secretKey: new Uint8Array([1, 2]),
    secretKeyFallbacks: ['older', new Uint8Array([3])],
    idleTimeout: 7200,
    refresh: 'never',
    permanent: false,
    signIds: true,
    keyPrefix: 'app:',
    idLength: 16,
    format: 'json',
  });
  expect(options.store).toBeInstanceOf(MemoryStore);
});

test("other settings of the application, and those of stores that are not used, are nobody's business", () => {
  const config = {
    DEBUG: true,
    SQLALCHEMY_DATABASE_URI: 'sqlite://',
    SESSION_REDIS: {} as never,
    SESSION_MONGODB_DB: 'x',
  };
  expect(flaskConfig(config)).toEqual(flaskConfig({}));
});

test.each([[null], [undefined], ['']])('SECRET_KEY %j is none, and its fallbacks are none either', (SECRET_KEY) => {
  const options = flaskConfig(wrong({ SECRET_KEY, SECRET_KEY_FALLBACKS: ['old'] }));
  expect(options).not.toHaveProperty('secretKey');
  expect(options).not.toHaveProperty('secretKeyFallbacks');
});

describe('refused', () => {
  const refused: [config: Record<string, unknown>, option: string, message: string][] = [
    [{ SECRET_KEY: 12345678 }, 'SECRET_KEY', 'got a number; expected text or bytes'],
    [{ SECRET_KEY: ['hush-hush'] }, 'SECRET_KEY', 'got a object; expected text or bytes'],
    [{ SECRET_KEY_FALLBACKS: 'hush-hush' }, 'SECRET_KEY_FALLBACKS', 'each character of which would be a key'],
    [{ SECRET_KEY_FALLBACKS: ['hush-hush', ''] }, 'SECRET_KEY_FALLBACKS', 'a list of non-empty keys'],
    [{ SECRET_KEY_FALLBACKS: [12345678] }, 'SECRET_KEY_FALLBACKS', 'a list of non-empty keys'],
    [{ SECRET_KEY_FALLBACKS: { 0: 'hush-hush' } }, 'SECRET_KEY_FALLBACKS', 'a list of non-empty keys'],
    [{ PERMANENT_SESSION_LIFETIME: '60' }, 'PERMANENT_SESSION_LIFETIME', 'got "60"; expected a number of seconds'],
    [{ PERMANENT_SESSION_LIFETIME: null }, 'PERMANENT_SESSION_LIFETIME', 'got null; expected a number of seconds'],
    [{ PERMANENT_SESSION_LIFETIME: -1 }, 'PERMANENT_SESSION_LIFETIME', 'got -1 seconds; expected from 0'],
    [{ PERMANENT_SESSION_LIFETIME: 1e12 }, 'PERMANENT_SESSION_LIFETIME', 'expected from 0 to 250000000000'],
    [
      { PERMANENT_SESSION_LIFETIME: { milliseconds: 999 }, SESSION_TYPE: 'memory' },
      'PERMANENT_SESSION_LIFETIME',
      'got 0.999 seconds; expected from 1',
    ],
    [
      { PERMANENT_SESSION_LIFETIME: 2 ** 32, SESSION_TYPE: 'filesystem' },
      'PERMANENT_SESSION_LIFETIME',
      'got 4294967296 seconds; expected from 1 to ',
    ],
    [{ SESSION_REFRESH_EACH_REQUEST: 'false' }, 'SESSION_REFRESH_EACH_REQUEST', 'got "false"; expected true or false'],
    [{ SESSION_PERMANENT: 'False' }, 'SESSION_PERMANENT', 'got "False"; expected true or false'],
    [{ SESSION_PERMANENT: 2 }, 'SESSION_PERMANENT', 'got 2; expected true or false'],
    [{ SESSION_USE_SIGNER: true, SESSION_TYPE: 'memory' }, 'SECRET_KEY', 'because SESSION_USE_SIGNER is on'],
    [{ SESSION_KEY_PREFIX: 'with space' }, 'SESSION_KEY_PREFIX', 'visible ASCII'],
    [{ SESSION_KEY_PREFIX: 'x'.repeat(41) }, 'SESSION_KEY_PREFIX', 'at most 40'],
    [{ SESSION_ID_LENGTH: 15 }, 'SESSION_ID_LENGTH', 'got 15; expected a whole number from 16 to 128'],
    [{ SESSION_ID_LENGTH: 32.5 }, 'SESSION_ID_LENGTH', 'got 32.5'],
    [{ SESSION_ID_LENGTH: '32' }, 'SESSION_ID_LENGTH', 'got "32"'],
    [{ SESSION_SERIALIZATION_FORMAT: 'yaml' }, 'SESSION_SERIALIZATION_FORMAT', 'expected msgpack, json or pickle'],
    [{ SESSION_CLEANUP_N_REQUESTS: 'often' }, 'SESSION_CLEANUP_N_REQUESTS', 'a whole number of at least 0'],
    [{ SESSION_COKIE_NAME: 'x' }, 'SESSION_COKIE_NAME', 'expected SESSION_COOKIE_NAME, maybe'],
    [{ SESSION_LIFETIME: 1 }, 'SESSION_LIFETIME', 'got an unknown setting; expected SESSION_'],
  ];

  test.each(refused)('%j', (config, option, message) => {
    expect(() => flaskConfig(wrong(config))).toThrow(SessionConfigError);
    expect(() => flaskConfig(wrong(config))).toThrow(expect.objectContaining({ option, code: 'ERR_SESSION_CONFIG' }));
    expect(() => flaskConfig(wrong(config))).toThrow(message);
    expect(() => flaskConfig(wrong(config))).not.toThrow(/hush|12345678/);
  });

  test.each([[undefined], [null], ['SECRET_KEY=dev']])('in place of settings: %j', (config) => {
    expect(() => flaskConfig(config as unknown as FlaskConfig)).toThrow('config: got ');
  });
});

test('a lifetime of nothing is allowed where the cookie holds the session, as in Flask', () => {
  expect(flaskConfig({ PERMANENT_SESSION_LIFETIME: 0 }).idleTimeout).toBe(0);
});

test('truth is as in Python where it leaves no doubt', () => {
  expect(flaskConfig({ SESSION_REFRESH_EACH_REQUEST: null }).refresh).toBe('never');
  expect(flaskConfig(wrong({ SESSION_REFRESH_EACH_REQUEST: 0 })).refresh).toBe('never');
  expect(flaskConfig(wrong({ SESSION_REFRESH_EACH_REQUEST: 1 })).refresh).toBe('always');
});

test('signing ids needs no key where there are no ids', () => {
  expect(flaskConfig({ SESSION_USE_SIGNER: true })).not.toHaveProperty('signIds');
});

test('files hold pickles, whatever the format', () => {
  const { store, format } = flaskConfig({ SESSION_TYPE: 'filesystem', SESSION_SERIALIZATION_FORMAT: 'json' });
  expect([store, format]).toEqual([expect.any(FilesystemStore), 'pickle']);
});
