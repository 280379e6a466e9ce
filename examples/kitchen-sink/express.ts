/** The kitchen sink on Express. */
import type { RequestListener } from 'node:http';
import express, { type NextFunction, type Request, type Response } from 'express';
import { sessions } from 'flacon/adapters/express';
import { requestFrom, send, sendError } from './node-http.ts';
import type { OverwritingInterface } from './overwrite.ts';
import { findRoute, type Route, routes, run } from './routes.ts';

export function listener(sessionInterface: OverwritingInterface): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(sessions(sessionInterface));

  const serve = (route: Route) => async (req: Request, res: Response) => {
    await send(res, await run(route, await requestFrom(req, sessionInterface)));
  };
  // Otherwise Express would answer for the routes, in its own words.
  app.options('/*path', (req, res) => serve(findRoute(req.method, req.path))(req, res));
  for (const { method, path, route } of routes) app[method === 'GET' ? 'get' : 'post'](path, serve(route));
  app.use((req, res) => serve(findRoute(req.method, req.path))(req, res));
  app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => sendError(res, error));
  return app;
}
