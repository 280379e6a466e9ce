/** The adapter suite's application as a handler of the Fetch API, on srvx: there, everything is done by hand. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { sessions } from 'flacon/adapters/fetch';
import type { AdapterAnswer, AdapterApp, AdapterServer } from 'flacon/testing/adapter-suite';
import { type ServerRequest, serve } from 'srvx';
import type { Session, SessionInterface } from '../../../src/index.ts';

export async function serveFetch(app: AdapterApp): Promise<AdapterServer> {
  const onError = () => new Response('failed', { status: 500, headers: { 'Content-Type': 'text/plain' } });
  const options = { onError, trustProxy: app.trustProxy };
  const [first, second] = app.sessions as readonly [SessionInterface, SessionInterface?];
  const handle = async (request: ServerRequest, both: { session: Session; second?: Session }): Promise<Response> => {
    const answer = await app.handle({
      method: request.method,
      path: pathOf(request).slice(app.mount.length),
      session: (name = 'session') => both[name] as Session,
      body: () => request.text(),
      earlyHints: (link) => request.runtime?.node?.res?.writeEarlyHints({ link }),
    });
    return responseOf(answer, request, app.compress);
  };
  const withFirst = sessions(first, options);
  const handler = second
    ? withFirst((request: ServerRequest, session) =>
        sessions(second, options)((_request, other) => handle(request, { session, second: other }))(request),
      )
    : withFirst((request: ServerRequest, session) => handle(request, { session }));
  return serveWeb((request) =>
    pathOf(request).startsWith(app.mount) ? handler(request) : new Response(null, { status: 404 }),
  );
}

type Body = ConstructorParameters<typeof Response>[0];

/** A server of srvx on a free loopback port. */
export async function serveWeb(
  fetch: (request: ServerRequest) => Response | Promise<Response>,
): Promise<AdapterServer> {
  const server = serve({ fetch, port: 0, hostname: '127.0.0.1', silent: true, gracefulShutdown: false });
  await server.ready();
  return { url: String(server.url).replace(/\/$/, ''), close: () => server.close(true) };
}

/** Where the Host header is no host, the URL cannot be parsed. */
export function pathOf({ url }: Request): string {
  return url.replace(/^https?:\/\/[^/]*/, '').replace(/\?.*/, '');
}

export function responseOf(answer: AdapterAnswer, request: Request, compress: boolean): Response {
  const headers = new Headers(answer.headers as [string, string][]);
  if (answer.redirect) return new Response(null, { status: 302, headers: { Location: answer.redirect } });
  const body = answer.file ? Readable.toWeb(createReadStream(answer.file)) : streamed(answer.body);
  const init = { status: answer.status ?? 200, headers };
  if (!compress || !/\bgzip\b/.test(request.headers.get('accept-encoding') ?? '')) {
    return new Response(body as Body, init);
  }
  headers.set('Content-Encoding', 'gzip');
  headers.append('Vary', 'Accept-Encoding');
  const { body: plain } = new Response(body as Body);
  return new Response(plain?.pipeThrough(new CompressionStream('gzip')), init);
}

/** Texts and bytes as they are, an iterable as a stream of bytes. */
export function streamed(body: AdapterAnswer['body']): unknown {
  if (body === undefined) return null;
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  return NodeReadableStream.from(body).pipeThrough(new TextEncoderStream() as never);
}
