/** What the tutorials do on an interface of their own. */
import express, { type Express } from 'express';
import { type SessionInterface, session } from 'flacon';
import { sessions } from 'flacon/adapters/express';

declare module 'flacon' {
  interface SessionData {
    username: string;
  }
}

export function ownInterfaceApp(sessionInterface: SessionInterface): Express {
  const app = express();
  app.use(sessions(sessionInterface)); // app.session_interface = …

  app.get('/login/:username', (req, res) => {
    session.regenerate();
    session.permanent = true;
    session.username = req.params.username;
    res.send('ok');
  });

  app.get('/', (_req, res) => {
    res.type('text').send(session.username ?? 'nobody');
  });

  app.get('/logout', (_req, res) => {
    session.clear();
    res.send('ok');
  });

  return app;
}
