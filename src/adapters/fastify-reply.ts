/** What a session does to a Fastify reply. */
import type { FastifyReply } from 'fastify';
import { type SessionEffects, withPrivate, withVary } from '../core/effects.ts';
import { BODY_HEADERS } from './held-response-body.ts';

/** @returns the payload, to be sent in place of what it was */
export function putEffects(reply: FastifyReply, payload: unknown, effects: SessionEffects): unknown {
  if (effects.vary) reply.header('vary', withVary(textOf(reply, 'vary')));
  if (effects.setCookie) reply.header('set-cookie', effects.setCookie);
  for (const cookie of effects.moreCookies ?? []) reply.header('set-cookie', cookie);
  if (effects.private) reply.header('cache-control', withPrivate(textOf(reply, 'cache-control')));
  // Node sends a head and a text after it as one text, in UTF-8: a cookie's name outside of ASCII would change. Bytes go apart.
  const goApart =
    typeof payload === 'string' && effects.setCookie !== undefined && /[^\0-\x7f]/.test(effects.setCookie);
  return goApart ? Buffer.from(payload) : payload;
}

function textOf(reply: FastifyReply, name: string): string | undefined {
  const value = reply.getHeader(name);
  return Array.isArray(value) ? value.join(', ') : value === undefined ? undefined : String(value);
}

/** As the reply begins anew: the error handler finds no trace of the answer that was stopped. */
export function clearAnswer(reply: FastifyReply, payload: unknown): void {
  for (const name of BODY_HEADERS) reply.removeHeader(name);
  if (reply.statusCode < 400) reply.code(500);
  // Nobody will read it; a file would stay open.
  const stream = payload as { destroy?(): void; cancel?(): Promise<void> } | null | undefined;
  if (typeof stream?.destroy === 'function') stream.destroy();
  else if (typeof stream?.cancel === 'function') stream.cancel().catch(() => {});
}

/**
 * The save failed of a response that was begun on `reply.raw`. Fastify's error handler answers, except for a reply that was
 * hijacked: Fastify sends nothing there any more.
 */
export function answerFailure(error: unknown, reply: FastifyReply): void {
  clearAnswer(reply, undefined);
  if (!reply.sent) {
    reply.send(error);
    return;
  }
  reply.log.error({ err: error }, 'the session could not be saved');
  reply.raw.writeHead(500, { 'Content-Type': 'text/plain; charset=utf-8' });
  reply.raw.end('Internal Server Error\n');
}
