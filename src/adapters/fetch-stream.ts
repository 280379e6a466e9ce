/** Bodies that use the session while they are sent. */
import { runWithSession } from '../core/context.ts';
import type { SessionExchange } from '../core/exchange.ts';

/**
 * The same body, produced in the request's context. What it changes in the session is saved before it ends, so that the next
 * request of the visitor finds it; when that fails, the body breaks off. Nothing is read ahead.
 */
export function settlingStream<T>(body: ReadableStream<T>, exchange: SessionExchange): ReadableStream<T> {
  const reader = body.getReader();
  return new ReadableStream<T>(
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
        await runWithSession(exchange, () => reader.cancel(reason));
        await exchange.finish();
      },
    },
    { highWaterMark: 0 },
  );
}
