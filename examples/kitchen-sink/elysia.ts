/** The kitchen sink on Elysia, served by srvx. */
import type { RequestListener } from 'node:http';
import { Elysia } from 'elysia';
import { sessions } from 'flacon/adapters/elysia';
import { toNodeHandler } from 'srvx/node';
import type { OverwritingInterface } from './overwrite.ts';
import { routes } from './routes.ts';
import { errorFrom, routeOf, serve } from './web.ts';

export function listener(sessionInterface: OverwritingInterface): RequestListener {
  const app = new Elysia().onError(({ error }) => errorFrom(error)).use(sessions(sessionInterface));
  // The routes read the body themselves.
  const options = { parse: 'none' } as const;
  for (const { method, path, route } of routes) {
    app.route(method, path, ({ request, session }) => serve(route, request, session, sessionInterface), options);
  }
  app.all('/*', ({ request, session }) => serve(routeOf(request), request, session, sessionInterface), options);
  return toNodeHandler((request) => app.fetch(request)) as RequestListener;
}
