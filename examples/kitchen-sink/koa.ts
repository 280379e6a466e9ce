/** The kitchen sink on Koa. */
import type { RequestListener } from 'node:http';
import { Readable } from 'node:stream';
import { sessions } from 'flacon/adapters/koa';
import type { SessionIncomingMessage } from 'flacon/adapters/node';
import Koa from 'koa';
import { stringifyJson } from './json.ts';
import { requestFrom } from './node-http.ts';
import type { OverwritingInterface } from './overwrite.ts';
import { errorResponse, findRoute, HttpError, run, type SinkResponse } from './routes.ts';

export function listener(sessionInterface: OverwritingInterface): RequestListener {
  const app = new Koa();
  app.on('error', (error: Error) => console.error(`${error.name}: ${error.message}`));
  app.use(async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      if (error instanceof HttpError) {
        send(ctx, errorResponse(error.status, error.headers));
        return;
      }
      ctx.app.emit('error', error, ctx);
      send(ctx, errorResponse(500));
    }
  });
  app.use(sessions(sessionInterface));
  app.use(async (ctx) => {
    const request = await requestFrom(ctx.req as SessionIncomingMessage, sessionInterface);
    send(ctx, await run(findRoute(ctx.method, ctx.path), request));
  });
  return app.callback();
}

function send(ctx: Koa.Context, { status, headers, json, pieces }: SinkResponse): void {
  for (const [name, value] of Object.entries(headers)) ctx.set(name, value);
  // Not `ctx.type`, which adds a charset that JSON does not have.
  if (json !== undefined || pieces) ctx.set('Content-Type', 'application/json');
  if (pieces) ctx.body = Readable.from(pieces);
  else ctx.body = json === undefined ? null : stringifyJson(json);
  // Koa makes 204 of an empty body.
  ctx.status = status;
}
