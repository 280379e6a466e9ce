/** A page on h3 that counts visits, and has its visitors sign in and out. */
import { sessions } from 'flacon/adapters/h3';
import { embeddedStore } from 'flacon/stores/embedded';
import { H3, HTTPError, html, raw, redirect, serve } from 'h3';
import { escapeHtml } from '../tutorials/escape-html.ts';

declare module 'flacon' {
  interface SessionData {
    username: string;
    visits: number;
  }
}

const store = embeddedStore();
const app = new H3();
app.use(sessions({ store }));

app.get('/', ({ context: { session } }) => {
  const visits = session.update('visits', (before) => (before ?? 0) + 1);
  const messages = session.takeFlashes().map(([, message]) => `<p role="status">${escapeHtml(String(message))}</p>`);
  const form =
    'username' in session
      ? `<form method="post" action="/sign-out">You are ${escapeHtml(session.username)}. <button>Sign out</button></form>`
      : '<form method="post" action="/sign-in"><label>Name <input name="username" required></label> <button>Sign in</button></form>';
  return html(raw(`<!doctype html><title>Visits</title>${messages.join('')}<p>Visit ${visits}</p>${form}`));
});

app.post('/sign-in', async ({ req, context: { session } }) => {
  const username = String((await req.formData()).get('username') ?? '').trim();
  if (!username) throw new HTTPError({ status: 400, message: 'Who are you?' });
  // Whoever knew the id of before does not know the one of the person who signs in.
  session.regenerate();
  session.username = username;
  session.flash(`Welcome, ${username}.`);
  return redirect('/', 303);
});

app.post('/sign-out', ({ context: { session } }) => {
  // Nothing stays, under an id that nobody has seen.
  session.clear();
  session.regenerate();
  session.flash('You are signed out.');
  return redirect('/', 303);
});

const server = serve(app, {
  hostname: '127.0.0.1',
  port: Number(process.env.PORT || 3000),
  silent: true,
  gracefulShutdown: false,
});
await server.ready();
console.log(`listening on ${server.url?.replace(/\/$/, '')}`);

const stop = async () => {
  await server.close();
  await store.close?.();
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
