/** A page on plain `node:http` that counts visits, and has its visitors sign in and out. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Session } from 'flacon';
import { type SessionIncomingMessage, sessions } from 'flacon/adapters/node';
import { escapeHtml } from '../tutorials/escape-html.ts';

declare module 'flacon' {
  interface SessionData {
    username: string;
    visits: number;
  }
}

type Handler = (req: SessionIncomingMessage, res: ServerResponse) => void | Promise<void>;

const routes: Readonly<Record<string, Handler>> = {
  'GET /': ({ session }, res) => {
    const visits = session.update<number>('visits', (before) => (before ?? 0) + 1);
    res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page(session, visits));
  },

  'POST /sign-in': async (req, res) => {
    const username = (await formOf(req)).get('username')?.trim();
    if (!username) {
      res.writeHead(400).end('Who are you?');
      return;
    }
    // Whoever knew the id of before does not know the one of the person who signs in.
    req.session.regenerate();
    req.session.username = username;
    req.session.flash(`Welcome, ${username}.`);
    res.writeHead(303, { Location: '/' }).end();
  },

  'POST /sign-out': ({ session }, res) => {
    // Nothing stays, under an id that nobody has seen; `session.destroy()` would have no place for the message.
    session.clear();
    session.regenerate();
    session.flash('You are signed out.');
    res.writeHead(303, { Location: '/' }).end();
  },
};

const notFound: Handler = (_req, res) => {
  res.writeHead(404).end('Not Found');
};

/** @throws RangeError when the form is longer than any of this program's */
async function formOf(req: SessionIncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of req.setEncoding('utf8')) {
    text += chunk;
    if (text.length > 10_000) throw new RangeError('the form is too long');
  }
  return new URLSearchParams(text);
}

function page(session: Session, visits: number): string {
  const messages = session.takeFlashes().map(([, message]) => `<p role="status">${escapeHtml(String(message))}</p>`);
  const form =
    'username' in session
      ? `<form method="post" action="/sign-out">You are ${escapeHtml(session.username)}. <button>Sign out</button></form>`
      : '<form method="post" action="/sign-in"><label>Name <input name="username" required></label> <button>Sign in</button></form>';
  return `<!doctype html><title>Visits</title>${messages.join('')}<p>Visit ${visits}</p>${form}`;
}

const withSession = sessions();
const listener = withSession((req, res) => {
  const route = `${req.method} ${req.url?.split('?')[0]}`;
  return (Object.hasOwn(routes, route) ? routes[route] : notFound)?.(req, res);
});

const server = createServer(listener);
server.listen(Number(process.env.PORT || 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
const stop = () => {
  server.close();
  server.closeIdleConnections();
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
