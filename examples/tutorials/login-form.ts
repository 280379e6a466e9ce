/** The session of Flask's quickstart: a name that is asked for once, and remembered. */
import { randomBytes } from 'node:crypto';
import express from 'express';
import { session } from 'flacon';
import { sessions } from 'flacon/adapters/express';
import { flaskConfig } from 'flacon/flask';
import { escapeHtml } from './escape-html.ts';
import { run } from './run.ts';

declare module 'flacon' {
  interface SessionData {
    username: string;
  }
}

const app = express();
app.use(express.urlencoded({ extended: false }));

// The tutorials write a key into the program. Whoever has read the tutorial can then sign in as anybody: take it from the
// environment. Without one, this makes a key that lasts until the program ends.
const SECRET_KEY = process.env.SECRET_KEY || randomBytes(32).toString('hex');
app.use(sessions(flaskConfig({ SECRET_KEY })));

app.get('/', (_req, res) => {
  if ('username' in session) {
    res.send(`Logged in as ${escapeHtml(session.username)}`);
    return;
  }
  res.send('You are not logged in');
});

app.get('/login', (_req, res) => {
  res.send(`
    <form method="post">
      <p><input type="text" name="username" aria-label="Name">
      <p><input type="submit" value="Login">
    </form>
  `);
});

app.post('/login', (req, res) => {
  session.username = String(req.body?.username ?? '');
  res.redirect('/');
});

// As in the tutorial. A link of another site could log a visitor out this way; the site in examples/site uses a form.
app.get('/logout', (_req, res) => {
  // remove the username from the session if it's there
  session.pop('username', undefined);
  res.redirect('/');
});

run(app);
