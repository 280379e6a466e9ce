/**
 * Which pages may open a socket. Browsers send the visitor's cookie with an upgrade whatever page asks for it, apply no CORS
 * to it, and name the page in `Origin` (RFC 6455, section 10.2). SameSite does not tell two hosts of one site apart.
 */
import type { IncomingMessage } from 'node:http';
import { describe } from '../core/options.ts';
import { SessionConfigError, SessionOriginError } from '../errors.ts';

/** `same`: pages of the host that is asked. `any`: no check. A list: exactly these, as `https://example.com`. */
export type Origins = 'same' | 'any' | readonly string[];

/**
 * A request without `Origin` passes: no browser made it, so nobody else's cookie is in it.
 * @throws SessionConfigError when the option is not one of its kind
 */
export function originCheck(origins: Origins): (req: IncomingMessage) => void {
  if (origins === 'any') return () => {};
  const isAllowed = origins === 'same' ? isSameHost : isListed(origins);
  return (req) => {
    const { origin } = req.headers;
    if (origin !== undefined && !isAllowed(origin, req)) throw new SessionOriginError();
  };
}

function isListed(origins: readonly string[]): (origin: string) => boolean {
  if (!Array.isArray(origins)) throw new SessionConfigError('origins', describe(origins), EXPECTED);
  for (const origin of origins as unknown[]) {
    if (typeof origin !== 'string' || !URL.canParse(origin) || new URL(origin).origin !== origin)
      throw new SessionConfigError('origins', describe(origin), EXPECTED);
  }
  const allowed = new Set(origins);
  return (origin) => allowed.has(origin);
}

const EXPECTED = "'same', 'any', or a list of origins such as 'https://example.com', without a path";

/** Ports that are the scheme's own are left out by browsers in one of the two headers, so both are read as URLs. */
function isSameHost(origin: string, req: IncomingMessage): boolean {
  const { host } = req.headers;
  if (host === undefined || !URL.canParse(origin)) return false;
  const page = new URL(origin);
  const asked = `${page.protocol}//${host}`;
  if (page.origin !== origin || !URL.canParse(asked) || new URL(asked).origin !== page.origin) return false;
  // Anybody between the visitor and a server can write a page that came over http.
  return !(req.socket as { readonly encrypted?: boolean } | null)?.encrypted || page.protocol === 'https:';
}
