import type { Session } from 'flacon';
import { sessions } from 'flacon/adapters/fetch';
import { embeddedStore } from 'flacon/stores/embedded';
import { createContext, type MiddlewareFunction } from 'react-router';

declare module 'flacon' {
  interface SessionData {
    user: string;
    visits: number;
  }
}

type Middleware = MiddlewareFunction<Response>;
type Args = Parameters<Middleware>[0];
type Next = Parameters<Middleware>[1];

export const sessionContext = createContext<Session>();

const withSession = sessions(
  { store: embeddedStore() },
  {
    onError(error) {
      throw error;
    },
  },
);

const respond = withSession((_request, session, { context }: Args, next: Next) => {
  context.set(sessionContext, session);
  return next();
});

export const sessionMiddleware: Middleware = (args, next) => respond(args.request, args, next);
