/**
 * The session object is made first and bound to an application later, by its factory: Flask-Session's `sess = Session()` and
 * `sess.init_app(app)`.
 */
import { randomBytes } from 'node:crypto';
import express, { type Express } from 'express';
import { createSessionInterface, session } from 'flacon';
import { sessions } from 'flacon/adapters/express';
import { flaskConfig } from 'flacon/flask';
import { run } from './run.ts';

const sess = createSessionInterface(
  flaskConfig({ SECRET_KEY: process.env.SECRET_KEY || randomBytes(32).toString('hex') }),
);

function createApp(): Express {
  const app = express();
  app.use(sessions(sess)); // sess.init_app(app)

  app.get('/set/:value', (req, res) => {
    session.set('value', req.params.value);
    res.send('ok');
  });

  app.get('/get', (_req, res) => {
    res.type('text').send(session.get('value', 'not set'));
  });

  return app;
}

// Bound to two applications, it is one session for both.
const app = express();
app.use('/one', createApp());
app.use('/two', createApp());

run(app);
