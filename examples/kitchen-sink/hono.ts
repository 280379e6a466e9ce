/** The kitchen sink on Hono. */
import type { RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { sessions } from 'flacon/adapters/hono';
import { type Context, Hono } from 'hono';
import type { OverwritingInterface } from './overwrite.ts';
import { type Route, routes } from './routes.ts';
import { errorFrom, routeOf, serve } from './web.ts';

export function listener(sessionInterface: OverwritingInterface): RequestListener {
  const app = new Hono();
  app.use(sessions(sessionInterface));

  const answer = (route: Route, c: Context) => serve(route, c.req.raw, c.get('session'), sessionInterface);
  for (const { method, path, route } of routes) app.on(method, path, (c) => answer(route, c));
  app.notFound((c) => answer(routeOf(c.req.raw), c));
  app.onError(errorFrom);
  return getRequestListener(app.fetch);
}
