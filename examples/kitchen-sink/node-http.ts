/** Between the routes and a Node request and response. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SessionIncomingMessage } from 'flacon/adapters/node';
import { stringifyJson } from './json.ts';
import type { OverwritingInterface } from './overwrite.ts';
import { errorResponse, HttpError, type SinkRequest, type SinkResponse } from './routes.ts';

const MAX_BODY = 1024 * 1024;

/** The path, as routes are found by. */
export function pathOf(req: IncomingMessage): string {
  return new URL(req.url ?? '/', 'http://localhost').pathname;
}

/** @throws HttpError when the body is too long */
export async function requestFrom(
  req: Pick<SessionIncomingMessage, 'session'> & IncomingMessage,
  sessionInterface: OverwritingInterface,
): Promise<SinkRequest> {
  const body = await readBody(req);
  return {
    get session() {
      return req.session;
    },
    query: new URL(req.url ?? '/', 'http://localhost').searchParams,
    body,
    overwriteRecord: (session, record) => sessionInterface.overwriteRecord(session, record),
  };
}

async function readBody(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= MAX_BODY) chunks.push(chunk);
  }
  // Read to its end nevertheless: leaving the loop early would destroy the connection that the answer needs.
  if (length > MAX_BODY) throw new HttpError(413);
  return Buffer.concat(chunks).toString('utf8');
}

export async function send(res: ServerResponse, { status, headers, json, pieces }: SinkResponse): Promise<void> {
  res.statusCode = status;
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (json !== undefined || pieces) res.setHeader('Content-Type', 'application/json');
  if (json !== undefined) {
    res.end(stringifyJson(json));
    return;
  }
  if (pieces) for await (const piece of pieces) res.write(piece);
  res.end();
}

/** What no route expected. When the response has begun, cutting it short is all that is left. */
export function sendError(res: ServerResponse, error: unknown): void {
  if (error instanceof HttpError) {
    void send(res, errorResponse(error.status, error.headers));
    return;
  }
  console.error(error instanceof Error ? `${error.name}: ${error.message}` : error);
  if (res.headersSent) res.destroy();
  else void send(res, errorResponse(500));
}
