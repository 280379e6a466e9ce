/** A page on Fastify that counts visits, and has its visitors sign in and out. */
import fastify from 'fastify';
import type { Session } from 'flacon';
import { sessions } from 'flacon/adapters/fastify';
import { escapeHtml } from '../tutorials/escape-html.ts';

declare module 'flacon' {
  interface SessionData {
    username: string;
    visits: number;
  }
}

const app = fastify();
app.register(sessions());

app.addContentTypeParser(
  'application/x-www-form-urlencoded',
  { parseAs: 'string' },
  async (_request: unknown, body: string) => Object.fromEntries(new URLSearchParams(body)),
);

app.get('/', async ({ session }, reply) => {
  const visits = session.update<number>('visits', (before) => (before ?? 0) + 1);
  return reply.type('text/html; charset=utf-8').send(page(session, visits));
});

app.post<{ Body: { username?: string } }>('/sign-in', async ({ body, session }, reply) => {
  const username = body.username?.trim();
  if (!username) return reply.code(400).send('Who are you?');
  // Whoever knew the id of before does not know the one of the person who signs in.
  session.regenerate();
  session.username = username;
  session.flash(`Welcome, ${username}.`);
  return reply.redirect('/', 303);
});

app.post('/sign-out', async ({ session }, reply) => {
  // Nothing stays, under an id that nobody has seen; `session.destroy()` would have no place for the message.
  session.clear();
  session.regenerate();
  session.flash('You are signed out.');
  return reply.redirect('/', 303);
});

function page(session: Session, visits: number): string {
  const messages = session.takeFlashes().map(([, message]) => `<p role="status">${escapeHtml(String(message))}</p>`);
  const form =
    'username' in session
      ? `<form method="post" action="/sign-out">You are ${escapeHtml(session.username)}. <button>Sign out</button></form>`
      : '<form method="post" action="/sign-in"><label>Name <input name="username" required></label> <button>Sign in</button></form>';
  return `<!doctype html><title>Visits</title>${messages.join('')}<p>Visit ${visits}</p>${form}`;
}

const address = await app.listen({ port: Number(process.env.PORT || 3000), host: '127.0.0.1' });
console.log(`listening on ${address}`);
process.once('SIGTERM', () => app.close());
process.once('SIGINT', () => app.close());
