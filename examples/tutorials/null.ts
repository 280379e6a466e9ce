/**
 * SESSION_TYPE 'null', the default of Flask-Session: Flask's own session, in a signed cookie. Its versions from 0.7 on refuse
 * to start with it ("Unrecognized value for SESSION_TYPE"), although the tutorials still show it; here it does what they say.
 */
import { randomBytes } from 'node:crypto';
import express from 'express';
import { session } from 'flacon';
import { sessions } from 'flacon/adapters/express';
import { flaskConfig } from 'flacon/flask';
import { run } from './run.ts';

const app = express();
app.use(
  sessions(
    flaskConfig({
      SECRET_KEY: process.env.SECRET_KEY || randomBytes(32).toString('hex'),
      SESSION_TYPE: 'null',
    }),
  ),
);

app.get('/set/:value', (req, res) => {
  // Signed, not encrypted: visitors can read this. With sessions({ store: 'cookie', secretKey }) they cannot.
  session.set('value', req.params.value);
  res.send('ok');
});

app.get('/get', (_req, res) => {
  res.type('text').send(session.get('value', 'not set'));
});

run(app);
