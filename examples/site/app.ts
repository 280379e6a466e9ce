/** The site as an Express application: what a request passes, from top to bottom. */
import { fileURLToPath } from 'node:url';
import express, { type Express } from 'express';
import { sessions } from 'flacon/adapters/express';
import { accountRoutes } from './account.ts';
import { cartRoutes } from './cart-routes.ts';
import { checkCsrf } from './csrf.ts';
import { notFound, showError } from './errors.ts';
import { notStored, securityHeaders } from './security-headers.ts';
import type { Settings } from './settings.ts';
import { shopRoutes } from './shop.ts';
import type { Users } from './users.ts';
import { whereRoutes } from './where.ts';
import './session-data.ts';

const PUBLIC = fileURLToPath(new URL('public', import.meta.url));

export function createApp({ sessionInterface, keeping, proxies }: Settings, users: Users): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', proxies);
  app.use(securityHeaders);
  // Above the sessions: the style sheet has no use for one.
  app.use(express.static(PUBLIC, { index: false, maxAge: '1h' }));
  app.use(notStored);
  app.use(express.urlencoded({ extended: false, limit: '10kb', parameterLimit: 20 }));
  app.use(sessions(sessionInterface));
  app.use(checkCsrf);
  app.use(shopRoutes, cartRoutes, accountRoutes(users), whereRoutes(keeping));
  app.use(notFound);
  app.use(showError);
  return app;
}
