export { type ExpressSessionSource, fromExpressSession } from './connect/express-session.ts';
export { type FastifySessionSource, fromFastifySession } from './connect/fastify-session.ts';
