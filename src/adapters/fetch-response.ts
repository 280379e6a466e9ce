/** Saves a session into a `Response`, before any of it is sent. */
import { type SessionEffects, withPrivate, withVary } from '../core/effects.ts';
import type { SessionExchange } from '../core/exchange.ts';
import { settlingStream } from './fetch-stream.ts';

/**
 * The response with what saving has to say in its headers; the same one where its headers can be changed and nothing can be
 * written late.
 * @throws SessionError when saving fails: nothing has been sent by then, and what the body came from is told to stop
 */
export async function saveInto(response: Response, exchange: SessionExchange): Promise<Response> {
  try {
    return settling(withEffects(response, await exchange.save()), exchange);
  } catch (error) {
    discard(response);
    throw error;
  }
}

/** A body that nobody will read may hold a file open, or a connection. */
export function discard({ body }: Response): void {
  if (body && !body.locked) body.cancel().catch(() => {});
}

/** The response with these effects; a new one where its headers cannot be changed (redirects, fetched ones). */
function withEffects(response: Response, effects: SessionEffects): Response {
  if (!effects.vary && !effects.setCookie && !effects.private) return response;
  try {
    putEffects(response.headers, effects);
    return response;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const changeable = new Response(response.body, response);
    putEffects(changeable.headers, effects);
    return changeable;
  }
}

export function putEffects(headers: Headers, effects: SessionEffects): void {
  if (effects.vary) headers.set('Vary', withVary(headers.get('Vary') ?? undefined));
  if (effects.setCookie) headers.append('Set-Cookie', effects.setCookie);
  for (const cookie of effects.moreCookies ?? []) headers.append('Set-Cookie', cookie);
  if (effects.private) headers.set('Cache-Control', withPrivate(headers.get('Cache-Control') ?? undefined));
}

/** A body may go on using a session that was used before. Whether it is a stream, no `Response` tells. */
function settling(response: Response, exchange: SessionExchange): Response {
  // A switch of protocols has no body, and no Response can be made like it.
  if (!exchange.savesLate || response.status < 200 || !response.body) return response;
  return new Response(settlingStream(response.body, exchange), response);
}
