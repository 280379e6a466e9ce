/** The kitchen sink on h3. */
import type { RequestListener } from 'node:http';
import { sessions } from 'flacon/adapters/h3';
import { H3, type H3Event, type HTTPMethod, toNodeHandler } from 'h3';
import type { OverwritingInterface } from './overwrite.ts';
import { type Route, routes } from './routes.ts';
import { errorFrom, routeOf, serve } from './web.ts';

export function listener(sessionInterface: OverwritingInterface): RequestListener {
  // What h3 does not know of is the cause of its own error.
  const app = new H3({ silent: true, onError: (error) => errorFrom(error.cause ?? error) });
  app.use(sessions(sessionInterface));

  const answer = (route: Route, event: H3Event) => serve(route, event.req, event.context.session, sessionInterface);
  for (const { method, path, route } of routes) app.on(method as HTTPMethod, path, (event) => answer(route, event));
  app.all('/**', (event) => answer(routeOf(event.req), event));
  return toNodeHandler(app) as RequestListener;
}
