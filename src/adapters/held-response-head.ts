/** Status and headers of a response that is held: checked as Node checks them, and the session's effects put in. */
import { IncomingMessage, type OutgoingHttpHeader, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { type SessionEffects, withPrivate, withVary } from '../core/effects.ts';
import { BODY_HEADERS } from './held-response-body.ts';

/** As a response begins anew: the error handler finds no trace of the answer that was stopped. */
export function clearBody(res: ServerResponse): void {
  for (const name of BODY_HEADERS) res.removeHeader(name);
  res.statusCode = 200;
  setMessage(res, undefined);
}

/** HTTP/2 knows no status message: Node warns when it is asked for one, and throws when it is given one. */
export function messageOf(res: ServerResponse): string | undefined {
  return res.req?.httpVersionMajor === 2 ? undefined : res.statusMessage;
}

export function setMessage(res: ServerResponse, message: string | undefined): void {
  if (res.req?.httpVersionMajor !== 2) res.statusMessage = message as never;
}

/** @throws what Node throws for this status and message */
export function checkStatus(res: ServerResponse, args: readonly unknown[]): void {
  const [status, message] = args;
  const reason = typeof message === 'string' ? message : messageOf(res);
  if (Number.isInteger(status) && (status as number) >= 100 && (status as number) <= 999 && !reason) return;
  // Rare enough to let Node itself decide, on a response that goes nowhere.
  new ServerResponse(new IncomingMessage(new Socket())).writeHead(status as number, reason || undefined);
}

/** @throws what Node throws for a chunk that is neither text nor bytes */
export function checkChunk(method: 'write' | 'end', [chunk]: readonly unknown[]): void {
  if (typeof chunk === 'string' || chunk instanceof Uint8Array) return;
  if (method === 'end' && (chunk === undefined || chunk === null || typeof chunk === 'function')) return;
  const code = chunk === null ? 'ERR_STREAM_NULL_VALUES' : 'ERR_INVALID_ARG_TYPE';
  throw Object.assign(
    new TypeError(`The "chunk" argument must be of type string or an instance of Buffer or Uint8Array`),
    { code },
  );
}

/**
 * Sets what `writeHead` was given, its headers in any of their three forms; they replace those of the same name.
 * @returns the arguments that are left for it
 * @throws what Node throws for a header that cannot be sent
 */
export function takeOver(res: ServerResponse, args: readonly unknown[]): unknown[] {
  const headers = args.find((arg, i) => i > 0 && typeof arg === 'object' && arg !== null) as object | undefined;
  const seen = new Set<string>();
  for (const [name, value] of headers ? pairsOf(headers) : []) {
    if (value === undefined) continue;
    const key = String(name).toLowerCase();
    if (seen.has(key)) res.appendHeader(name, value as string);
    else res.setHeader(name, value);
    seen.add(key);
  }
  res.statusCode = args[0] as number;
  if (typeof args[1] === 'string') setMessage(res, args[1]);
  return args.slice(0, typeof args[1] === 'string' ? 2 : 1);
}

function pairsOf(headers: object): [string, OutgoingHttpHeader | undefined][] {
  if (!Array.isArray(headers)) return Object.entries(headers);
  if (Array.isArray(headers[0])) return headers as [string, OutgoingHttpHeader][];
  return headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1]] as [string, OutgoingHttpHeader]] : []));
}

export function putEffects(res: ServerResponse, all: readonly SessionEffects[]): void {
  if (res.headersSent) return;
  for (const effects of all) {
    if (effects.vary) res.setHeader('Vary', withVary(textOf(res.getHeader('Vary'))));
    if (effects.setCookie) res.appendHeader('Set-Cookie', effects.setCookie);
    for (const cookie of effects.moreCookies ?? []) res.appendHeader('Set-Cookie', cookie);
    if (effects.private) res.setHeader('Cache-Control', withPrivate(textOf(res.getHeader('Cache-Control'))));
  }
}

function textOf(header: OutgoingHttpHeader | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header === undefined ? undefined : String(header);
}
