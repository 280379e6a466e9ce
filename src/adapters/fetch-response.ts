/** Saves a session into a `Response`, before any of it is sent. */
import { type SessionEffects, withPrivate, withVary } from '../core/effects.ts';
import type { SessionExchange } from '../core/exchange.ts';
import { settlingStream } from './fetch-stream.ts';

/**
 * The response with what saving has to say in its headers, and a body that may go on using the session: whether a body is a
 * stream, no `Response` tells (4 µs on Node 24). The same one where the session was not used.
 * @throws SessionError when saving fails: nothing has been sent by then, and what the body came from is told to stop
 */
export async function saveInto(response: Response, exchange: SessionExchange): Promise<Response> {
  try {
    const effects = await exchange.save();
    if (!effects.vary && !effects.setCookie && !effects.private && !exchange.savesLate) return response;
    return answerWith(effects, response, exchange);
  } catch (error) {
    discard(response);
    throw error;
  }
}

/** A body that nobody will read may hold a file open, or a connection. */
export function discard({ body }: Response): void {
  if (body && !body.locked) body.cancel().catch(() => {});
}

/**
 * Another response, always: one without a body may be a constant of the program, answered to everybody; and the headers of
 * some (redirects, fetched ones) cannot be changed.
 */
export function answerWith(effects: SessionEffects, response: Response, exchange: SessionExchange): Response {
  // A switch of protocols: no Response can be made like it, and none of these is a constant.
  if (response.status < 200) {
    putEffects(response.headers, effects);
    return response;
  }
  const { body } = response;
  const answer = new Response(body && exchange.savesLate ? settlingStream(body, exchange) : body, response);
  putEffects(answer.headers, effects);
  return answer;
}

export function putEffects(headers: Headers, effects: SessionEffects): void {
  if (effects.vary) headers.set('Vary', withVary(headers.get('Vary') ?? undefined));
  if (effects.setCookie) headers.append('Set-Cookie', effects.setCookie);
  for (const cookie of effects.moreCookies ?? []) headers.append('Set-Cookie', cookie);
  if (effects.private) headers.set('Cache-Control', withPrivate(headers.get('Cache-Control') ?? undefined));
}
