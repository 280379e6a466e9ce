/** The options of the libraries that are left, as they were. */
import type { FastifySessionOptions } from '@fastify/session';
import type expressSession from 'express-session';
import { fromExpressSession, fromFastifySession } from 'flacon/connect';

declare const express: expressSession.SessionOptions;
declare const fastify: FastifySessionOptions;

fromExpressSession({}, express);
fromFastifySession({}, fastify);
// @ts-expect-error without a secret nothing can be verified
fromExpressSession({}, { name: 'connect.sid' });
