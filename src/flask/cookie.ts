/**
 * The cookie that a Flask application's settings describe. What Flask sends and browsers take is allowed, however odd;
 * refused is what fails in Flask at each request, and what no browser would ever send back.
 */
import { type CookieAttributes, CookieWriter } from '../core/cookie.ts';
import type { ConfigReader } from './reader.ts';

/** @throws SessionConfigError */
export function cookieFrom(config: ConfigReader): CookieAttributes {
  const partitioned = config.boolean('SESSION_COOKIE_PARTITIONED', false);
  const attributes: CookieAttributes = {
    name: nameFrom(config),
    domain: domainFrom(config),
    path: pathFrom(config),
    secure: config.boolean('SESSION_COOKIE_SECURE', false) || partitioned,
    httpOnly: config.boolean('SESSION_COOKIE_HTTPONLY', true),
    sameSite: sameSiteFrom(config),
    partitioned,
  };
  checkPrefix(config, attributes);
  return attributes;
}

/** Spaces at the ends are lost on the way back; the other characters end the name early, or the whole header. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they cannot be sent
const NAME = /^(?! )[^\0-\x1f\x7f;=]+(?<! )$/;

function nameFrom(config: ConfigReader): string {
  const expected = 'a name without control characters, semicolons, equals signs, and spaces at its ends';
  return config.text('SESSION_COOKIE_NAME', 'session', expected, NAME);
}

function domainFrom(config: ConfigReader): string | undefined {
  const domain = config.get('SESSION_COOKIE_DOMAIN');
  if (domain === undefined || domain === null || domain === false) return undefined;
  const expected = 'a domain name; null or false for none';
  if (typeof domain !== 'string') return config.refuse('SESSION_COOKIE_DOMAIN', expected);
  try {
    new CookieWriter({ name: 'session', domain });
  } catch {
    return config.refuse('SESSION_COOKIE_DOMAIN', expected);
  }
  return domain;
}

function pathFrom(config: ConfigReader): string {
  const path = config.get('SESSION_COOKIE_PATH') ?? '';
  if (typeof path !== 'string') return config.refuse('SESSION_COOKIE_PATH', 'text; null for APPLICATION_ROOT');
  return path || config.text('APPLICATION_ROOT', '/');
}

function sameSiteFrom(config: ConfigReader): string | undefined {
  const sameSite = config.get('SESSION_COOKIE_SAMESITE');
  if (sameSite === undefined || sameSite === null) return undefined;
  if (typeof sameSite === 'string' && /^(strict|lax|none)$/i.test(sameSite)) return sameSite;
  return config.refuse('SESSION_COOKIE_SAMESITE', 'Strict, Lax or None; null for no attribute');
}

/** Browsers drop a cookie with such a name, and tell nobody, unless its attributes are as follows (RFC 6265bis 5.6). */
function checkPrefix(config: ConfigReader, { name, domain, path, secure }: CookieAttributes): void {
  const prefix = /^__(?:host|secure)-/i.exec(name)?.[0];
  if (!prefix) return;
  const because = `because the name begins with ${prefix}`;
  if (!secure) config.refuse('SESSION_COOKIE_SECURE', `true, ${because}`, 'false');
  if (prefix.toLowerCase() !== '__host-') return;
  if (domain) config.refuse('SESSION_COOKIE_DOMAIN', `null, ${because}`);
  if (path !== '/') {
    const name = config.get('SESSION_COOKIE_PATH') ? 'SESSION_COOKIE_PATH' : 'APPLICATION_ROOT';
    config.refuse(name, `/, ${because}`);
  }
}
