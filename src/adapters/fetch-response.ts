/** Saves a session into a `Response`, before any of it is sent. */
import { runWithSession } from '../core/context.ts';
import { type SessionEffects, withPrivate, withVary } from '../core/effects.ts';
import type { SessionExchange } from '../core/exchange.ts';

/**
 * @throws SessionError when saving fails: nothing has been sent by then
 */
export async function saveInto(response: Response, exchange: SessionExchange): Promise<Response> {
  const answer = withEffects(response, await exchange.save());
  return exchange.savesLate ? settling(answer, exchange) : answer;
}

/** The response with what saving has to say in its headers; a new one where they cannot be changed (redirects, fetched ones). */
export function withEffects(response: Response, effects: SessionEffects): Response {
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

/**
 * A body may go on using the session while it is sent: that happens in the request's context, and what it changes is saved
 * before the body ends, so that the next request finds it.
 */
function settling(response: Response, exchange: SessionExchange): Response {
  const { body } = response;
  // A switch of protocols has no body, and no Response can be made like it.
  if (!body || response.status < 200) return response;
  const reader = body.getReader();
  const settled = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await runWithSession(exchange, () => reader.read());
        if (!done) {
          controller.enqueue(value);
          return;
        }
        await exchange.finish();
        controller.close();
      },
      async cancel(reason) {
        await reader.cancel(reason);
        await exchange.finish();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(settled, response);
}
