/** A `Set-Cookie` value in the form in which frameworks take cookies: `cookies().set(name, value, options)`. */
import type { SessionEffects } from '../core/effects.ts';

export interface CookieToSet {
  readonly name: string;
  /**
   * As it stands in the header. What this package makes is letters, digits, `-`, `_` and `.`, which percent-encoding by the
   * framework leaves as it is.
   */
  readonly value: string;
  readonly options: CookieToSetOptions;
}

/** The names and types that Next.js, Astro, SvelteKit, the `cookie` package and others agree on. */
export interface CookieToSetOptions {
  readonly domain?: string;
  readonly path?: string;
  readonly expires?: Date;
  /** Seconds. */
  readonly maxAge?: number;
  readonly httpOnly?: boolean;
  readonly secure?: boolean;
  readonly sameSite?: 'lax' | 'strict' | 'none';
  readonly partitioned?: boolean;
}

export function cookiesOf({ setCookie, moreCookies = [] }: SessionEffects): readonly CookieToSet[] {
  return setCookie === undefined ? [] : [setCookie, ...moreCookies].map(takeApart);
}

type Changeable = { -readonly [K in keyof CookieToSetOptions]: CookieToSetOptions[K] };

/** Of `SameSite` and the others: what they are called in a header and what becomes of their value. */
const ATTRIBUTES: Readonly<Record<string, (options: Changeable, value: string) => void>> = {
  domain: (options, value) => Object.assign(options, { domain: value }),
  path: (options, value) => Object.assign(options, { path: value }),
  expires: (options, value) => Object.assign(options, { expires: new Date(value) }),
  'max-age': (options, value) => Object.assign(options, { maxAge: Number(value) }),
  httponly: (options) => Object.assign(options, { httpOnly: true }),
  secure: (options) => Object.assign(options, { secure: true }),
  samesite: (options, value) => Object.assign(options, { sameSite: value.toLowerCase() }),
  partitioned: (options) => Object.assign(options, { partitioned: true }),
};

/** @param setCookie written by this package or its users, not by a stranger */
function takeApart(setCookie: string): CookieToSet {
  const [pair = '', ...attributes] = setCookie.split(/; */);
  const equals = pair.indexOf('=');
  const options: Changeable = {};
  for (const attribute of attributes) {
    const [name = '', ...value] = attribute.split('=');
    ATTRIBUTES[name.toLowerCase()]?.(options, value.join('='));
  }
  return { name: pair.slice(0, equals), value: pair.slice(equals + 1), options };
}
