/** The kitchen sink as one handler of the Fetch API, on srvx. */
import type { RequestListener } from 'node:http';
import { sessions } from 'flacon/adapters/fetch';
import { toNodeHandler } from 'srvx/node';
import type { OverwritingInterface } from './overwrite.ts';
import { errorFrom, routeOf, serve } from './web.ts';

export function listener(sessionInterface: OverwritingInterface): RequestListener {
  const withSession = sessions(sessionInterface, { onError: errorFrom });
  const handler = withSession((request, session) => serve(routeOf(request), request, session, sessionInterface));
  return toNodeHandler(handler) as RequestListener;
}
