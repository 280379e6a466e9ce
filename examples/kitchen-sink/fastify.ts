/** The kitchen sink on Fastify. */
import type { RequestListener } from 'node:http';
import { Readable } from 'node:stream';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { sessions } from 'flacon/adapters/fastify';
import { stringifyJson } from './json.ts';
import type { OverwritingInterface } from './overwrite.ts';
import { errorResponse, findRoute, type Route, routes, run, type SinkRequest, type SinkResponse } from './routes.ts';

export async function listener(sessionInterface: OverwritingInterface): Promise<RequestListener> {
  const app = fastify({ bodyLimit: 1024 * 1024 });
  // Every body is text here, whatever it says of itself.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, async (_request: FastifyRequest, body: string) => body);
  app.register(sessions(sessionInterface));

  const urlOf = (request: FastifyRequest) => new URL(request.url, 'http://localhost');
  const serve = (route: Route) => async (request: FastifyRequest, reply: FastifyReply) => {
    const sinkRequest: SinkRequest = {
      get session() {
        return request.session;
      },
      query: urlOf(request).searchParams,
      body: typeof request.body === 'string' ? request.body : '',
      overwriteRecord: (session, record) => sessionInterface.overwriteRecord(session, record),
    };
    return send(reply, await run(route, sinkRequest));
  };
  for (const { method, path, route } of routes) app.route({ method, url: path, handler: serve(route) });
  app.setNotFoundHandler((request, reply) => serve(findRoute(request.method, urlOf(request).pathname))(request, reply));
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error.statusCode === undefined) console.error(`${error.name}: ${error.message}`);
    return send(reply, errorResponse(error.statusCode ?? 500));
  });

  await app.ready();
  return (req, res) => app.routing(req, res);
}

function send(reply: FastifyReply, { status, headers, json, pieces }: SinkResponse): FastifyReply {
  reply.code(status).headers(headers);
  if (json === undefined && !pieces) return reply.send();
  // As bytes: to a text, Fastify would add a charset that JSON does not have.
  const body = pieces ? Readable.from(pieces) : Buffer.from(stringifyJson(json));
  return reply.header('content-type', 'application/json').send(body);
}
