import type { APIContext, MiddlewareHandler, MiddlewareNext } from 'astro';
import { sessions } from 'flacon/adapters/fetch';
import { embeddedStore } from 'flacon/stores/embedded';

const withSession = sessions(
  { store: embeddedStore() },
  {
    onError(error) {
      throw error;
    },
  },
);

const respond = withSession((_request, session, context: APIContext, next: MiddlewareNext) => {
  context.locals.session = session;
  return next();
});

export const onRequest: MiddlewareHandler = (context, next) =>
  context.isPrerendered ? next() : respond(context.request, context, next);
