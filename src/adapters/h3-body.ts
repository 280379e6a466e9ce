/** What an h3 handler returned, where its body is a stream that may use the session while it is sent. */
import type { SessionExchange } from '../core/exchange.ts';
import { runWithSession } from '../core/context.ts';
import { settlingStream } from './fetch-stream.ts';

/** A `Response`, an `HTTPResponse` of h3, or an error that is to be answered. */
interface Answer {
  readonly headers?: unknown;
  readonly status?: unknown;
  body?: unknown;
}

/** The headers of its own that a returned or thrown value has, other than those of `event.res`. */
export function headersOf(value: unknown): Headers | undefined {
  const headers = typeof value === 'object' && value !== null ? (value as Answer).headers : undefined;
  return headers instanceof Headers ? headers : undefined;
}

/** Where the body is no stream, there is nothing to do: h3 tells what is one, a `Response` does not. */
export async function settled(value: unknown, exchange: SessionExchange): Promise<unknown> {
  if (!exchange.savesLate || typeof value !== 'object' || value === null) return value;
  if (value instanceof ReadableStream) return settlingStream(value, exchange);
  if (value instanceof Response) {
    return value.body && value.status >= 200 ? new Response(settlingStream(value.body, exchange), value) : value;
  }
  if (isNodeStream(value)) return settlingStream(await begun(value, exchange), exchange);
  const answer = value as Answer;
  if (answer.headers instanceof Headers && answer.body instanceof ReadableStream) {
    answer.body = settlingStream(answer.body, exchange);
  }
  return value;
}

type NodeStream = AsyncIterable<unknown> & { pipe: unknown };

function isNodeStream(value: object): value is NodeStream {
  return 'pipe' in value && typeof value.pipe === 'function' && Symbol.asyncIterator in value;
}

const encoder = new TextEncoder();
