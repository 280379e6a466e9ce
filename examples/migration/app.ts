/** An application that knows its visitors' names. It does not know which library keeps them. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type RequestHandler } from 'express';

/** What both libraries give a handler. */
interface VisitorSession {
  user?: string;
  visits?: number;
  destroy(callback: (error?: unknown) => void): void;
}

export function run(sessions: RequestHandler): void {
  const app = express();
  app.use(sessions);
  const sessionOf = (req: express.Request) => req.session as unknown as VisitorSession;

  app.get('/', (req, res) => {
    const session = sessionOf(req);
    if (!session.user) {
      res.type('text').send('nobody');
      return;
    }
    session.visits = (session.visits ?? 0) + 1;
    res.type('text').send(`${session.user}, visit ${session.visits}`);
  });

  app.get('/login/:user', (req, res) => {
    sessionOf(req).user = req.params.user;
    res.redirect('/');
  });

  app.get('/logout', (req, res, next) => {
    sessionOf(req).destroy((error) => (error ? next(error) : res.redirect('/')));
  });

  const server = createServer(app);
  server.listen(Number(process.env.PORT || 3000), '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  process.once('SIGTERM', () => process.exit());
}
