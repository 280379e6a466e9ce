/** Every option of the session cookie. */
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
      SESSION_COOKIE_NAME: 'session_id',
      // Without it, the cookie belongs to the one host that set it, which is nearly always what you want.
      SESSION_COOKIE_DOMAIN: '127.0.0.1',
      SESSION_COOKIE_PATH: '/',
      SESSION_COOKIE_HTTPONLY: true,
      // The tutorials set this to True and try it with http://: a browser then keeps the cookie to itself, and every request
      // begins a new session (Chrome and Firefox make an exception for localhost). True belongs behind https.
      SESSION_COOKIE_SECURE: process.env.SECURE === 'true',
      SESSION_COOKIE_SAMESITE: 'Lax',
      // False: the cookie is sent when the session has changed, and its end does not move.
      SESSION_REFRESH_EACH_REQUEST: process.env.REFRESH === 'true',
    }),
  ),
);

app.get('/set/:value', (req, res) => {
  session.permanent = true;
  session.set('value', req.params.value);
  res.send('ok');
});

app.get('/get', (_req, res) => {
  res.type('text').send(session.get('value', 'not set'));
});

app.get('/clear', (_req, res) => {
  session.clear();
  res.send('ok');
});

run(app);
