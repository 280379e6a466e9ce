/** The kitchen sink on Koa. */
import type { RequestListener } from 'node:http';
import { Readable } from 'node:stream';
import { sessions } from 'flacon/adapters/koa';
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
      ctx.app.emit('error', error, ctx);
      if (ctx.headerSent) ctx.res.destroy();
      else send(ctx, errorResponse(500));
    }
  });
  app.use(sessions(sessionInterface));
  app.use(async (ctx) => {
    const session = { get: () => ctx.session };
    const request = await requestFrom(Object.defineProperty(ctx.req, 'session', session) as never, sessionInterface);
    send(ctx, await run(findRoute(ctx.method, ctx.path), request));
  });
  return app.callback();
}
