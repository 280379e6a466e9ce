/** A page on Express that counts visits, and has its visitors sign in and out. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { Session } from 'flacon';
import { sessions } from 'flacon/adapters/express';
import { escapeHtml } from '../tutorials/escape-html.ts';

declare module 'flacon' {
  interface SessionData {
    username: string;
    visits: number;
  }
}

const app = express();
app.use(sessions());
app.use(express.urlencoded({ extended: false }));

app.get('/', (req, res) => {
  const visits = req.session.update<number>('visits', (before) => (before ?? 0) + 1);
  res.send(page(req.session, visits));
});

app.post('/sign-in', (req, res) => {
  const username = String(req.body?.username ?? '').trim();
  if (!username) {
    res.status(400).send('Who are you?');
    return;
  }
  // Whoever knew the id of before does not know the one of the person who signs in.
  req.session.regenerate();
  req.session.username = username;
  req.session.flash(`Welcome, ${username}.`);
  res.redirect(303, '/');
});

app.post('/sign-out', (req, res) => {
  // Nothing stays, under an id that nobody has seen; `req.session.destroy()` would have no place for the message.
  req.session.clear();
  req.session.regenerate();
  req.session.flash('You are signed out.');
  res.redirect(303, '/');
});

function page(session: Session, visits: number): string {
  const messages = session.takeFlashes().map(([, message]) => `<p role="status">${escapeHtml(String(message))}</p>`);
  const form =
    'username' in session
      ? `<form method="post" action="/sign-out">You are ${escapeHtml(session.username)}. <button>Sign out</button></form>`
      : '<form method="post" action="/sign-in"><label>Name <input name="username" required></label> <button>Sign in</button></form>';
  return `<!doctype html><title>Visits</title>${messages.join('')}<p>Visit ${visits}</p>${form}`;
}

const server = createServer(app);
server.listen(Number(process.env.PORT || 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
const stop = () => {
  server.close();
  server.closeIdleConnections();
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
