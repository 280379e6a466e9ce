/** A record as express-session and @fastify/session keep it: what handlers put in, and `cookie` beside it. */
import type { OpenRecord } from '../codecs/codec.ts';
import { json } from '../codecs/json.ts';
import { SessionDecodeError } from '../errors.ts';

/** The member `cookie`, as both libraries write it. */
export interface FormerCookie {
  /** Milliseconds; null or absent where the cookie ends with the browser's session. */
  readonly originalMaxAge: number | undefined;
  /** Milliseconds since 1970, as of the last time that the record itself was written. */
  readonly expires: number | undefined;
}

/** @throws SessionDecodeError also for a record without `cookie`, which neither library loads */
export function openFormer(bytes: Uint8Array): { record: OpenRecord; cookie: FormerCookie } {
  const record = json.open(bytes);
  const cookie = record.get('cookie');
  if (typeof cookie !== 'object' || cookie === null || Array.isArray(cookie)) {
    throw new SessionDecodeError('the record has no `cookie`: it is no session');
  }
  const { originalMaxAge, expires } = cookie as Record<string, unknown>;
  const time = typeof expires === 'string' ? Date.parse(expires) : Number.NaN;
  return {
    record,
    cookie: {
      originalMaxAge: typeof originalMaxAge === 'number' ? originalMaxAge : undefined,
      expires: Number.isNaN(time) ? undefined : time,
    },
  };
}
