/** The options of the libraries that are left, as they were. */
import type { FastifySessionOptions } from '@fastify/session';
import type {} from 'cookie-session';
import type expressSession from 'express-session';
import { fromCookieSession, fromExpressSession, fromFastifySession } from 'flacon/connect';

declare const cookie: CookieSessionInterfaces.CookieSessionOptions;
declare const express: expressSession.SessionOptions;
declare const fastify: FastifySessionOptions;

fromExpressSession({}, express);
fromFastifySession({}, fastify);
fromCookieSession({}, cookie);
fromExpressSession({}, { secret: 'keyboard cat', store: express.store, resave: false });
fromCookieSession({}, { keys: ['a'], maxAge: 60_000, overwrite: true });
// @ts-expect-error without a secret nothing can be verified
fromExpressSession({}, { name: 'connect.sid' });
