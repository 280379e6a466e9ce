/** Flask-Session's `filesystem`: the data is in files of this server, the cookie holds an id. */
import express from 'express';
import { session } from 'flacon';
import { sessions } from 'flacon/adapters/express';
import { flaskConfig } from 'flacon/flask';
import { run } from './run.ts';

const app = express();
app.use(
  sessions(
    flaskConfig({
      SESSION_TYPE: 'filesystem',
      SESSION_FILE_DIR: process.env.SESSION_FILE_DIR || './flask_session',
      // When there are more files, some go: the expired ones, then those that would expire first.
      SESSION_FILE_THRESHOLD: 300,
      // Permissions are octal. A tutorial that says 600 means 0o600, which is 384; a decimal 600 is --w--wx--T.
      SESSION_FILE_MODE: 384,
      // No SECRET_KEY, unlike in the tutorials: an id is random, and nothing here is signed.
    }),
  ),
);

app.get('/set/:value', (req, res) => {
  session.set('value', req.params.value);
  res.send('ok');
});

app.get('/get', (_req, res) => {
  res.type('text').send(session.get('value', 'not set'));
});

run(app);
