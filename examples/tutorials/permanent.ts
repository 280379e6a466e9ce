/**
 * Permanent sessions outlive the browser. LIFETIME is in seconds: the tutorials take 7 days (the default here), and 20
 * seconds to see a session expire; `none` leaves PERMANENT_SESSION_LIFETIME as Flask has it, 31 days.
 */
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

const SEVEN_DAYS = 7 * 24 * 60 * 60; // timedelta(days=7)
const { LIFETIME = String(SEVEN_DAYS) } = process.env;

const app = express();
app.use(
  sessions(
    flaskConfig({
      SECRET_KEY: process.env.SECRET_KEY || randomBytes(32).toString('hex'),
      ...(LIFETIME === 'none' ? {} : { PERMANENT_SESSION_LIFETIME: Number(LIFETIME) }),
    }),
  ),
);

app.get('/login', (req, res) => {
  // Tutorials say that the lifetime has no effect without this. It decides about the cookie only: without it, the cookie
  // goes when the browser is closed, and the server still refuses it once it is older than the lifetime.
  session.permanent = req.query.permanent !== 'no';
  session.username = String(req.query.username ?? 'anonymous');
  res.send(`Hello, ${escapeHtml(session.username)}`);
});

app.get('/', (_req, res) => {
  // Every answer renews a permanent session, unless SESSION_REFRESH_EACH_REQUEST is false.
  res.send(session.username === undefined ? 'You are not logged in' : `Logged in as ${escapeHtml(session.username)}`);
});

run(app);
