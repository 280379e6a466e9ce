/** What an h3 handler returned, where its body is a stream that may use the session while it is sent. */
import { runWithSession } from '../core/context.ts';
import type { SessionExchange } from '../core/exchange.ts';
import { discard } from './fetch-response.ts';
import { settlingStream } from './fetch-stream.ts';

type NodeStream = AsyncIterable<unknown> & { destroy?(): unknown };

/** The headers of its own that a value has, beside those of `event.res`: a `Response`, h3's `HTTPResponse` and `HTTPError`. */
export function headersOf(value: unknown): Headers | undefined {
  const headers = typeof value === 'object' && value !== null && 'headers' in value ? value.headers : undefined;
  return headers instanceof Headers ? headers : undefined;
}

/** The same value, its body in the request's context. Where it is no stream there is nothing to do. */
export async function settling(value: unknown, exchange: SessionExchange): Promise<unknown> {
  if (!exchange.savesLate || typeof value !== 'object' || value === null) return value;
  if (value instanceof ReadableStream) return settlingStream(value, exchange);
  if (value instanceof Response) {
    const { body, status } = value;
    return body && status >= 200 ? new Response(settlingStream(body, exchange), value) : value;
  }
  if (isNodeStream(value)) return settlingStream(await begun(value, exchange), exchange);
  if (headersOf(value) && 'body' in value && value.body instanceof ReadableStream) {
    value.body = settlingStream(value.body, exchange);
  }
  return value;
}

/** Ends what the body of an answer that is not sent comes from. */
export function discardBody(value: unknown): void {
  if (value instanceof Response) discard(value);
  else if (value instanceof ReadableStream) discard({ body: value } as Response);
  else if (typeof value === 'object' && value !== null && isNodeStream(value)) value.destroy?.();
}

function isNodeStream(value: object): value is NodeStream {
  return 'pipe' in value && typeof value.pipe === 'function' && Symbol.asyncIterator in value;
}

const encoder = new TextEncoder();

/** Waits for the first piece as h3 does: what fails at once is answered by an error page. */
async function begun(stream: NodeStream, exchange: SessionExchange): Promise<ReadableStream<Uint8Array>> {
  const pieces = stream[Symbol.asyncIterator]();
  let first: IteratorResult<unknown> | undefined = await runWithSession(exchange, () => pieces.next());
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = first ?? (await pieces.next());
        first = undefined;
        if (done) controller.close();
        else controller.enqueue(typeof value === 'string' ? encoder.encode(value) : (value as Uint8Array));
      },
      async cancel() {
        await pieces.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
