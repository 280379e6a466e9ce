/** The cookie's attributes by the names of the `cookie` package, which all these libraries share, and how it is deleted. */
import { CookieWriter, validateCookieOptions } from '../core/cookie.ts';
import { describe } from '../core/options.ts';
import { SessionConfigError } from '../errors.ts';

/** Those that decide which cookie a browser deletes. Others (`maxAge`, `expires`, `signed`, …) may stand beside them. */
export interface FormerCookieOptions {
  readonly path?: string | undefined;
  readonly domain?: string | undefined;
  readonly secure?: boolean | 'auto' | undefined;
  readonly httpOnly?: boolean | undefined;
  readonly sameSite?: boolean | string | undefined;
  readonly partitioned?: boolean | undefined;
}

/**
 * @param given what stands at `prefix` in the user's options: `cookie`, or all of the options where `prefix` is empty
 * @param nameOption the option that gives the name
 * @throws SessionConfigError
 */
export function cookieWriter(name: string, given: unknown, prefix: string, nameOption: string): CookieWriter {
  if (given !== undefined && (typeof given !== 'object' || given === null)) {
    const expected = 'an object of the attributes that the cookies were set with';
    throw new SessionConfigError(
      prefix.slice(0, -1),
      typeof given === 'function' ? 'a function' : describe(given),
      expected,
    );
  }
  const options = (given ?? {}) as FormerCookieOptions;
  const { path, domain, secure, httpOnly, sameSite, partitioned } = options;
  const attributes = {
    name,
    path: text(`${prefix}path`, path) ?? '/',
    domain: text(`${prefix}domain`, domain),
    secure: secure === 'auto' ? ('auto' as const) : Boolean(secure),
    httpOnly: httpOnly !== false,
    sameSite: SAME_SITE[String(sameSite).toLowerCase()],
    partitioned: Boolean(partitioned),
  };
  // Browsers keep a cookie that says `SameSite=None` or `Partitioned` without `Secure`, so they would not delete it either.
  if (attributes.sameSite === 'None' || attributes.partitioned) attributes.secure ||= 'auto';
  validateCookieOptions({ ...attributes, secure: attributes.secure === 'auto' || attributes.secure }, (field) =>
    field === 'name' ? nameOption : prefix + field,
  );
  return new CookieWriter(attributes);
}

const SAME_SITE: Readonly<Record<string, string>> = { true: 'Strict', strict: 'Strict', lax: 'Lax', none: 'None' };

function text(option: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw new SessionConfigError(option, describe(value), 'text');
}
