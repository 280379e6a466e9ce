/** The session is a dictionary: each of its operations on a route of its own. */
import { randomBytes } from 'node:crypto';
import express from 'express';
import { session } from 'flacon';
import { sessions } from 'flacon/adapters/express';
import { flaskConfig } from 'flacon/flask';
import { run } from './run.ts';

declare module 'flacon' {
  interface SessionData {
    language: string;
    visits: number;
  }
}

const app = express();
app.use(
  sessions(
    flaskConfig({
      SECRET_KEY: process.env.SECRET_KEY || randomBytes(32).toString('hex'),
      SESSION_COOKIE_NAME: 'my_session',
    }),
  ),
);

app.get('/set', (_req, res) => {
  session.language = 'TypeScript'; // session['language'] = …
  session.set('editor', 'any'); // for a key that is not in SessionData
  res.send('set');
});

app.get('/get', (_req, res) => {
  // session['language'] raises KeyError in Python when the key is missing; here it is undefined.
  res.json({ language: session.language ?? null, editor: session.get('editor') ?? null });
});

app.get('/get-default', (_req, res) => {
  res.json({ theme: session.get('theme', 'light') });
});

app.get('/count', (_req, res) => {
  // The tutorials write session['visits'] = session.get('visits', 0) + 1. Where sessions are in a store, that loses one of
  // two parallel visits; `update` does not.
  res.json({ visits: session.update('visits', (visits = 0) => visits + 1) });
});

app.get('/set-and-delete', (_req, res) => {
  session.set('kept', true);
  session.set('dropped', true);
  session.delete('dropped'); // del session['dropped']: it is never stored
  res.send('set one, and deleted another');
});

app.get('/delete', (_req, res) => {
  delete session.language; // no error when it is not there
  res.send('deleted');
});

app.get('/pop', (_req, res) => {
  res.json({ editor: session.pop('editor', null) });
});

app.get('/in', (_req, res) => {
  res.json({ language: 'language' in session });
});

app.get('/all', (_req, res) => {
  res.json(session);
});

app.get('/clear', (_req, res) => {
  session.clear();
  res.send('cleared');
});

run(app);
