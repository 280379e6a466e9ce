/** The Set-Cookie response header, written as Werkzeug's `dump_cookie` does, and what a cookie may not be (RFC 6265bis). */
import { SessionConfigError, SessionCookieTooLargeError, SessionEncodeError } from '../errors.ts';

/** Octets of name and value together that browsers keep (RFC 6265bis section 5.6). */
export const MAX_COOKIE_OCTETS = 4096;

/** Octets of one attribute's value that browsers look at (RFC 6265bis section 5.6). */
const MAX_ATTRIBUTE_OCTETS = 1024;

/** What stays the same from one response to the next. */
export interface CookieAttributes {
  name: string;
  /** Absent: the host that answers, and no other. A port and leading dots are cut off. */
  domain?: string | undefined;
  path?: string | undefined;
  /** `auto`: where the request was made over https. */
  secure?: boolean | 'auto' | undefined;
  httpOnly?: boolean | undefined;
  /** `Strict`, `Lax` or `None` in any case. Absent: no attribute. */
  sameSite?: string | undefined;
  /** Implies `secure`. */
  partitioned?: boolean | undefined;
}

/** Set-Cookie texts of one cookie. What does not change is encoded once. */
export class CookieWriter {
  readonly name: string;
  readonly #head: string;
  readonly #domain: string;
  readonly #tail: string;
  readonly #deletionTail: string;
  readonly #secure: boolean | 'auto';

  /**
   * @param deletion `needed`: a deletion carries what decides which cookie goes, and whether a browser obeys: Domain,
   * Path, Secure, Partitioned and `SameSite=None` (Flask-Session sends only the first two); `all`: every attribute, as Flask's own
   * @throws SessionConfigError for what no header can carry; the rest is for {@link validateCookieOptions}
   */
  constructor(attributes: CookieAttributes, deletion: 'all' | 'needed' = 'all') {
    const { domain, path, httpOnly, partitioned } = attributes;
    const sameSite = attributes.sameSite === undefined ? undefined : titleSameSite(attributes.sameSite);
    this.name = attributes.name;
    this.#head = `${encodeName(attributes.name)}=`;
    this.#domain = domain === undefined ? '' : `; Domain=${encodeDomain(domain)}`;
    const where = path === undefined ? '' : `; Path=${encodePath(path)}`;
    const apart = partitioned ? '; Partitioned' : '';
    this.#tail = (httpOnly ? '; HttpOnly' : '') + where + (sameSite ? `; SameSite=${sameSite}` : '') + apart;
    const crossSite = sameSite === 'None' ? '; SameSite=None' : '';
    this.#deletionTail = deletion === 'all' ? this.#tail : where + crossSite + apart;
    this.#secure = partitioned ? true : (attributes.secure ?? false);
  }

  /**
   * @param expiresAt milliseconds since 1970; undefined: until the browser is closed
   * @param https whether the request was made over https; it counts with `secure: 'auto'` only
   * @throws SessionCookieTooLargeError when name and value exceed {@link MAX_COOKIE_OCTETS}
   */
  set(value: string, expiresAt?: number, https = false): string {
    const pair = this.#head + quoteValue(value);
    const size = pair.length - 1;
    if (size > MAX_COOKIE_OCTETS) throw new SessionCookieTooLargeError(size, MAX_COOKIE_OCTETS);
    const expires = expiresAt === undefined ? '' : `; Expires=${formatExpires(expiresAt)}`;
    return pair + this.#domain + expires + this.#secureIf(https) + this.#tail;
  }

  /** Deletes the cookie, with the attributes without which browsers keep it. */
  clear(https = false): string {
    const past = '; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0';
    return this.#head + this.#domain + past + this.#secureIf(https) + this.#deletionTail;
  }

  #secureIf(https: boolean): string {
    return (this.#secure === 'auto' ? https : this.#secure) ? '; Secure' : '';
  }
}

/**
 * One Set-Cookie text. For many of the same cookie, keep a {@link CookieWriter}.
 * @throws SessionConfigError, SessionCookieTooLargeError
 */
export function serializeSetCookie(
  cookie: CookieAttributes & { value: string; expiresAt?: number | undefined },
): string {
  return new CookieWriter(cookie).set(cookie.value, cookie.expiresAt);
}

const UNQUOTED = /^[\w!#$%&'()*+\-./:<=>?@[\]^`{|}~]*$/;

/** All octets that would end or split the header, and those that need quoting. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const ESCAPED = /[\0-\x1f",;\\\x7f-\xff]/g;

/** As is where the octets allow it, which is so for all that this package makes; else in quotes, as UTF-8. */
function quoteValue(value: string): string {
  if (UNQUOTED.test(value)) return value;
  const octets = Buffer.from(value, 'utf8').toString('latin1');
  const inside = octets.replace(ESCAPED, (character) =>
    character === '"' || character === '\\'
      ? `\\${character}`
      : `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return `"${inside}"`;
}

const LAST_DATE = Date.UTC(9999, 11, 31, 23, 59, 59);
let expiresSecond = -1;
let expiresText = '';

/** An IMF-fixdate (RFC 9110 section 5.6.7) of milliseconds since 1970, fraction cut off. Sessions end in the same few seconds. */
function formatExpires(time: number): string {
  if (!(time >= 0)) throw new SessionEncodeError('a cookie cannot expire before 1970');
  const second = Math.floor(Math.min(time, LAST_DATE) / 1000);
  if (second !== expiresSecond) {
    expiresText = new Date(second * 1000).toUTCString();
    expiresSecond = second;
  }
  return expiresText;
}

/** Header text is Latin-1: the name's UTF-8, an octet for each character. */
function encodeName(name: string): string {
  if (name === '' || hasControl(name) || /[;=]/.test(name)) {
    throw new SessionConfigError('cookie.name', show(name), 'a cookie name');
  }
  return Buffer.from(name, 'utf8').toString('latin1');
}

function encodePath(path: string): string {
  const octets = Buffer.from(path, 'utf8').toString('latin1');
  return octets.replace(/[^\w.\-~%!$&'()*+,/:=@]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

/** ASCII labels keep their case; others become `xn--` labels. */
function encodeDomain(domain: string): string {
  const host = (domain.split(':', 1)[0] as string).replace(/^\.+/, '');
  return host
    .split(/[.\u3002\uff0e\uff61]/)
    .map((label) => encodeLabel(label))
    .join('.');
}

/** IDNA 2003 as in Python differs from today's only in these four characters. */
const DEVIATIONS: Record<string, string> = { '\u00df': 'ss', '\u03c2': '\u03c3', '\u200c': '', '\u200d': '' };

function encodeLabel(label: string): string {
  if (/^[^\0-\x20;,\x7f-\uffff]*$/.test(label)) return label;
  const plain = label.replace(/[\u00df\u03c2\u200c\u200d]/g, (character) => DEVIATIONS[character] as string);
  // The platform's own conversion is in its URLs. What delimits parts of a URL must not get there.
  if (plain !== '' && !/[\0-\x20"#%,/:;<>?@[\\\]^`{|}\x7f]/.test(plain)) {
    try {
      // The second label keeps digits from being read as an IPv4 address.
      return new URL(`http://${plain}.a`).hostname.slice(0, -2);
    } catch {
      // Not a domain.
    }
  }
  throw new SessionConfigError('cookie.domain', show(label), 'a domain name');
}

function titleSameSite(sameSite: string): string {
  const title = sameSite.charAt(0).toUpperCase() + sameSite.slice(1).toLowerCase();
  if (title === 'Strict' || title === 'Lax' || title === 'None') return title;
  throw new SessionConfigError('cookie.sameSite', show(sameSite), 'Strict, Lax or None');
}

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const DOMAIN = /^\.?(?=.{1,253}$)[a-z\d]([a-z\d-]{0,61}[a-z\d])?(\.[a-z\d]([a-z\d-]{0,61}[a-z\d])?)*$/i;

/**
 * Refuses what browsers would drop, or read as something else than was meant (RFC 6265bis sections 4.1 and 5.6, CHIPS).
 * @param nameOf the option's name as the user wrote it, for the error
 * @throws SessionConfigError
 */
export function validateCookieOptions(
  options: CookieAttributes,
  nameOf: (field: keyof CookieAttributes) => string = (field) => `cookie.${field}`,
): void {
  const { name, domain, path, secure, sameSite, partitioned } = options;
  const refuse = (field: keyof CookieAttributes, expected: string): never => {
    throw new SessionConfigError(nameOf(field), show(options[field]), expected);
  };
  if (typeof name !== 'string' || !TOKEN.test(name)) {
    refuse('name', "a token (RFC 6265): letters, digits and !#$%&'*+-.^_`|~");
  }
  if (name.length > MAX_ATTRIBUTE_OCTETS) refuse('name', `at most ${MAX_ATTRIBUTE_OCTETS} characters`);
  if (domain !== undefined && (typeof domain !== 'string' || !isDomain(domain))) {
    refuse('domain', 'a domain name without port');
  }
  if (
    path !== undefined &&
    (typeof path !== 'string' || !path.startsWith('/') || hasControl(path) || /[;,]/.test(path))
  ) {
    refuse('path', 'a path that begins with / and has no control character, semicolon or comma');
  }
  if (path !== undefined && encodePath(path).length > MAX_ATTRIBUTE_OCTETS) {
    refuse('path', `at most ${MAX_ATTRIBUTE_OCTETS} octets`);
  }
  if (sameSite !== undefined && !/^(strict|lax|none)$/i.test(sameSite)) refuse('sameSite', 'Strict, Lax or None');

  // Browsers match the prefixes without regard to case.
  const prefix = /^__(host|secure)-/i.exec(name)?.[1]?.toLowerCase();
  if (secure !== true) {
    const why = prefix
      ? `the name begins with __${prefix === 'host' ? 'Host' : 'Secure'}-`
      : partitioned
        ? 'the cookie is partitioned'
        : sameSite?.toLowerCase() === 'none'
          ? 'SameSite is None'
          : undefined;
    if (why) refuse('secure', `true, because ${why}`);
  }
  if (prefix === 'host') {
    if (path !== '/') refuse('path', '/, because the name begins with __Host-');
    if (domain !== undefined) refuse('domain', 'none, because the name begins with __Host-');
  }
}

function isDomain(domain: string): boolean {
  if (domain.includes(':') || hasControl(domain)) return false;
  try {
    return DOMAIN.test(encodeDomain(domain));
  } catch {
    return false;
  }
}

function hasControl(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return /[\0-\x1f\x7f]/.test(text);
}

/** A configured value for an error: short, and without characters that a log would act on. */
function show(value: unknown): string {
  return value === undefined ? 'nothing' : (JSON.stringify(value) ?? typeof value).slice(0, 60);
}
