/** Between the routes and a Request and Response of the Fetch API. */
import type { Session } from 'flacon';
import { stringifyJson } from './json.ts';
import type { OverwritingInterface } from './overwrite.ts';
import { errorResponse, findRoute, HttpError, type Route, run, type SinkRequest, type SinkResponse } from './routes.ts';

const MAX_BODY = 1024 * 1024;

/** For frameworks with a router: serves one route of it. */
export async function serve(
  route: Route,
  request: Request,
  session: Session,
  sessionInterface: OverwritingInterface,
): Promise<Response> {
  return responseFrom(await run(route, await requestFrom(request, session, sessionInterface)));
}

/** For what no route of a framework's router was found for, and for those without one. */
export function routeOf(request: Request): Route {
  return findRoute(request.method, new URL(request.url).pathname);
}

/** @throws HttpError when the body is too long */
async function requestFrom(
  request: Request,
  session: Session,
  sessionInterface: OverwritingInterface,
): Promise<SinkRequest> {
  return {
    session,
    query: new URL(request.url).searchParams,
    body: await readBody(request),
    // What stands for a session in these frameworks is not the object that the interface saves: its valueOf is.
    overwriteRecord: (used, record) => sessionInterface.overwriteRecord(used.valueOf() as Session, record),
  };
}

async function readBody({ body }: Request): Promise<string> {
  if (!body) return '';
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length <= MAX_BODY) chunks.push(chunk);
  }
  if (length > MAX_BODY) throw new HttpError(413);
  return Buffer.concat(chunks).toString('utf8');
}

function responseFrom({ status, headers, json, pieces }: SinkResponse): Response {
  if (json === undefined && !pieces) return new Response(null, { status, headers });
  const body = pieces ? streamOf(pieces) : stringifyJson(json);
  return new Response(body, { status, headers: { ...headers, 'Content-Type': 'application/json' } });
}

function streamOf(pieces: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

/** What no route expected. */
export function errorFrom(error: unknown): Response {
  if (error instanceof HttpError) return responseFrom(errorResponse(error.status, error.headers));
  console.error(error instanceof Error ? `${error.name}: ${error.message}` : error);
  return responseFrom(errorResponse(500));
}
