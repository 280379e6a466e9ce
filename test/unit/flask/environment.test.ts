import { SessionConfigError } from 'flacon';
import { flaskConfig, flaskConfigFromEnv } from 'flacon/flask';
import { expect, test, vi } from 'vitest';

test('values are JSON where they parse, else text', () => {
  const options = flaskConfigFromEnv({
    FLASK_SECRET_KEY: 'dev',
    FLASK_SECRET_KEY_FALLBACKS: '["older", "old"]',
    FLASK_PERMANENT_SESSION_LIFETIME: '90.5',
    FLASK_SESSION_COOKIE_SECURE: 'true',
    FLASK_SESSION_COOKIE_HTTPONLY: 'none',
    FLASK_SESSION_COOKIE_DOMAIN: 'false',
    FLASK_SESSION_COOKIE_SAMESITE: 'None',
    FLASK_SESSION_REFRESH_EACH_REQUEST: '0',
  });
  expect(options).toEqual(
    flaskConfig({
      SECRET_KEY: 'dev',
      SECRET_KEY_FALLBACKS: ['older', 'old'],
      PERMANENT_SESSION_LIFETIME: 90.5,
      SESSION_COOKIE_SECURE: true,
      SESSION_COOKIE_HTTPONLY: false,
      SESSION_COOKIE_DOMAIN: false,
      SESSION_COOKIE_SAMESITE: 'None',
      SESSION_REFRESH_EACH_REQUEST: false,
    }),
  );
});

test.each([
  ['12345', '12345'],
  ['true', 'true'],
  ['{"a":1}', '{"a":1}'],
  ['"in quotes"', 'in quotes'],
  ['"open', '"open'],
  ['null', undefined],
  ['', undefined],
])('a secret is text, whatever it looks like: %s', (given, secretKey) => {
  expect(flaskConfigFromEnv({ FLASK_SECRET_KEY: given }).secretKey).toBe(secretKey);
});

test('parts are set with two underscores, upon a whole value if there is one', () => {
  const lifetime = (env: Record<string, string>) => flaskConfigFromEnv(env).idleTimeout;
  expect(lifetime({ FLASK_PERMANENT_SESSION_LIFETIME__days: '3' })).toBe(259_200);
  const whole = { FLASK_PERMANENT_SESSION_LIFETIME: '{"days": 1, "hours": 1}' };
  expect(lifetime({ FLASK_PERMANENT_SESSION_LIFETIME__hours: '2', ...whole })).toBe(93_600);
});

test('a part beside a value that has none is refused', () => {
  const env = { FLASK_PERMANENT_SESSION_LIFETIME: '60', FLASK_PERMANENT_SESSION_LIFETIME__days: '3' };
  expect(() => flaskConfigFromEnv(env)).toThrow('FLASK_PERMANENT_SESSION_LIFETIME__days: got a part');
});

test('names that could reach a prototype are names like any other', () => {
  const env = { FLASK___proto____polluted: 'true', FLASK_PERMANENT_SESSION_LIFETIME____proto____polluted: 'true' };
  expect(() => flaskConfigFromEnv(env)).toThrow('FLASK_PERMANENT_SESSION_LIFETIME: got an object');
  expect({}).not.toHaveProperty('polluted');
});

test('errors name the variable', () => {
  const make = (env: Record<string, string>, prefix?: string) => () => flaskConfigFromEnv(env, prefix);
  expect(make({ FLASK_SESSION_TYPE: 'reddis' })).toThrow('FLASK_SESSION_TYPE: got "reddis"');
  expect(make({ APP_SESSION_TYPE: 'reddis' }, 'APP')).toThrow('APP_SESSION_TYPE: got "reddis"');
  expect(make({ SESSION_TYPE: 'reddis' }, '')).toThrow(/^SESSION_TYPE: got "reddis"/);
  expect(make({ FLASK_SESSION_TIPE: 'redis' })).toThrow(
    'FLASK_SESSION_TIPE: got an unknown setting; expected FLASK_SESSION_TYPE, maybe',
  );
  expect(make({ FLASK_SESSION_TIPE: 'redis' })).toThrow(SessionConfigError);
});

test('fallbacks are a list, not text', () => {
  const make = () => flaskConfigFromEnv({ FLASK_SECRET_KEY: 'dev', FLASK_SECRET_KEY_FALLBACKS: 'hush,hush' });
  expect(make).toThrow('FLASK_SECRET_KEY_FALLBACKS: got one text');
  expect(make).not.toThrow(/hush/);
});

test('variables of other names and other programs are left alone', () => {
  const env = { SESSION_TYPE: 'redis', FLASK_DEBUG: '1', FLASK_APP: 'x', FLASK_SESSION_COOKIE_NAME: undefined };
  expect(flaskConfigFromEnv(env)).toEqual(flaskConfig({}));
  const desktop = { SESSION_MANAGER: 'local/host:@/tmp/.ICE-unix/1', DESKTOP_SESSION: 'gnome', DEBUG: '*' };
  expect(flaskConfigFromEnv(desktop, '')).toEqual(flaskConfig({}));
  expect(() => flaskConfigFromEnv({ FLASK_SESSION_MANAGER: 'x' })).toThrow('an unknown setting');
});

test('the environment of the process is the default', () => {
  vi.stubEnv('FLASK_SESSION_COOKIE_NAME', 'from-env');
  expect(flaskConfigFromEnv().cookie?.name).toBe('from-env');
  vi.unstubAllEnvs();
});
