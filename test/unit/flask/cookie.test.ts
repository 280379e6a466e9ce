import { SessionConfigError } from 'flacon';
import { type FlaskConfig, flaskConfig } from 'flacon/flask';
import { expect, test } from 'vitest';

test.each<[Record<string, unknown>, Record<string, unknown>]>([
  [{ SESSION_COOKIE_NAME: 'séss' }, { name: 'séss' }],
  [{ SESSION_COOKIE_NAME: 'a b,"c' }, { name: 'a b,"c' }],
  [{ SESSION_COOKIE_DOMAIN: null }, { domain: undefined }],
  [{ SESSION_COOKIE_DOMAIN: false }, { domain: undefined }],
  [{ SESSION_COOKIE_DOMAIN: '' }, { domain: '' }],
  [{ SESSION_COOKIE_DOMAIN: '.example.com:8080' }, { domain: '.example.com:8080' }],
  [{ SESSION_COOKIE_DOMAIN: 'bücher.example' }, { domain: 'bücher.example' }],
  [{ SESSION_COOKIE_DOMAIN: '127.0.0.1' }, { domain: '127.0.0.1' }],
  [{ APPLICATION_ROOT: '/app' }, { path: '/app' }],
  [{ APPLICATION_ROOT: '/app', SESSION_COOKIE_PATH: '' }, { path: '/app' }],
  [{ APPLICATION_ROOT: '/app', SESSION_COOKIE_PATH: null }, { path: '/app' }],
  [{ APPLICATION_ROOT: '/app', SESSION_COOKIE_PATH: '/a b;c' }, { path: '/a b;c' }],
  [{ SESSION_COOKIE_HTTPONLY: false }, { httpOnly: false }],
  [{ SESSION_COOKIE_HTTPONLY: null }, { httpOnly: false }],
  [{ SESSION_COOKIE_SECURE: true }, { secure: true }],
  [{ SESSION_COOKIE_SAMESITE: null }, { sameSite: undefined }],
  [{ SESSION_COOKIE_SAMESITE: 'None' }, { sameSite: 'None', secure: false }],
  [{ SESSION_COOKIE_SAMESITE: 'sTRICT' }, { sameSite: 'sTRICT' }],
  [{ SESSION_COOKIE_PARTITIONED: true }, { partitioned: true, secure: true }],
  [{ SESSION_COOKIE_NAME: '__Secure-s', SESSION_COOKIE_PARTITIONED: true }, { name: '__Secure-s' }],
  [{ SESSION_COOKIE_NAME: '__Host-s', SESSION_COOKIE_SECURE: true, SESSION_COOKIE_DOMAIN: '' }, { path: '/' }],
])('%j', (config, cookie) => {
  expect(flaskConfig(config as FlaskConfig).cookie).toMatchObject(cookie);
});

const HOST = { SESSION_COOKIE_NAME: '__host-s', SESSION_COOKIE_SECURE: true };

test.each<[Record<string, unknown>, string, string]>([
  [{ SESSION_COOKIE_NAME: '' }, 'SESSION_COOKIE_NAME', 'got ""'],
  [{ SESSION_COOKIE_NAME: null }, 'SESSION_COOKIE_NAME', 'got null'],
  [{ SESSION_COOKIE_NAME: ' s' }, 'SESSION_COOKIE_NAME', 'spaces at its ends'],
  [{ SESSION_COOKIE_NAME: 's ' }, 'SESSION_COOKIE_NAME', 'spaces at its ends'],
  [{ SESSION_COOKIE_NAME: 's;x' }, 'SESSION_COOKIE_NAME', 'semicolons'],
  [{ SESSION_COOKIE_NAME: 's=x' }, 'SESSION_COOKIE_NAME', 'equals signs'],
  [{ SESSION_COOKIE_NAME: 's\r\nX: y' }, 'SESSION_COOKIE_NAME', 'control characters'],
  [{ SESSION_COOKIE_DOMAIN: true }, 'SESSION_COOKIE_DOMAIN', 'got true'],
  [{ SESSION_COOKIE_DOMAIN: 'a; Path=/' }, 'SESSION_COOKIE_DOMAIN', 'a domain name'],
  [{ SESSION_COOKIE_DOMAIN: 'a\r\nb' }, 'SESSION_COOKIE_DOMAIN', 'a domain name'],
  [{ SESSION_COOKIE_PATH: 1 }, 'SESSION_COOKIE_PATH', 'got 1'],
  [{ APPLICATION_ROOT: null }, 'APPLICATION_ROOT', 'got null'],
  [{ SESSION_COOKIE_SECURE: 'yes' }, 'SESSION_COOKIE_SECURE', 'got "yes"; expected true or false'],
  [{ SESSION_COOKIE_SAMESITE: 'bogus' }, 'SESSION_COOKIE_SAMESITE', 'got "bogus"; expected Strict, Lax or None'],
  [{ SESSION_COOKIE_SAMESITE: '' }, 'SESSION_COOKIE_SAMESITE', 'got ""'],
  [{ SESSION_COOKIE_SAMESITE: false }, 'SESSION_COOKIE_SAMESITE', 'got false'],
  [{ SESSION_COOKIE_NAME: '__Host-s' }, 'SESSION_COOKIE_SECURE', 'true, because the name begins with __Host-'],
  [{ SESSION_COOKIE_NAME: '__SECURE-s' }, 'SESSION_COOKIE_SECURE', 'true, because the name begins with __SECURE-'],
  [
    { ...HOST, SESSION_COOKIE_DOMAIN: 'a.example' },
    'SESSION_COOKIE_DOMAIN',
    'null, because the name begins with __host-',
  ],
  [{ ...HOST, SESSION_COOKIE_PATH: '/app' }, 'SESSION_COOKIE_PATH', '/, because the name begins with __host-'],
  [{ ...HOST, APPLICATION_ROOT: '/app' }, 'APPLICATION_ROOT', '/, because the name begins with __host-'],
])('refused: %j', (config, option, message) => {
  expect(() => flaskConfig(config as FlaskConfig)).toThrow(SessionConfigError);
  expect(() => flaskConfig(config as FlaskConfig)).toThrow(expect.objectContaining({ option }));
  expect(() => flaskConfig(config as FlaskConfig)).toThrow(message);
});
