/** The kitchen sink on plain `node:http`. */
import type { RequestListener } from 'node:http';
import { sessions } from 'flacon/adapters/node';
import { pathOf, requestFrom, send, sendError } from './node-http.ts';
import type { OverwritingInterface } from './overwrite.ts';
import { findRoute, run } from './routes.ts';

export function listener(sessionInterface: OverwritingInterface): RequestListener {
  const withSession = sessions(sessionInterface, { onError: (error, _req, res) => sendError(res, error) });
  return withSession(async (req, res) => {
    const route = findRoute(req.method ?? 'GET', pathOf(req));
    await send(res, await run(route, await requestFrom(req, sessionInterface)));
  });
}
