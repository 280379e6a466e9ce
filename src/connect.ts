export { type CookieSessionSource, fromCookieSession } from './connect/cookie-session.ts';
export { type ExpressSessionSource, fromExpressSession } from './connect/express-session.ts';
export { type FastifySessionSource, fromFastifySession } from './connect/fastify-session.ts';
