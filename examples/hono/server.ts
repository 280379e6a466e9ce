/** A page on Hono that counts visits, and has its visitors sign in and out. */
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { sessions } from 'flacon/adapters/hono';
import { embeddedStore } from 'flacon/stores/embedded';
import { Hono } from 'hono';
import { html } from 'hono/html';

declare module 'flacon' {
  interface SessionData {
    username: string;
    visits: number;
  }
}

const store = embeddedStore();
const app = new Hono();
app.use(sessions({ store }));

app.get('/', (c) => {
  const session = c.get('session');
  const visits = session.update('visits', (before) => (before ?? 0) + 1);
  const messages = session.takeFlashes().map(([, message]) => html`<p role="status">${message}</p>`);
  const form =
    'username' in session
      ? html`<form method="post" action="/sign-out">You are ${session.username}. <button>Sign out</button></form>`
      : html`<form method="post" action="/sign-in"><label>Name <input name="username" required></label> <button>Sign in</button></form>`;
  return c.html(html`<!doctype html><title>Visits</title>${messages}<p>Visit ${visits}</p>${form}`);
});

app.post('/sign-in', async (c) => {
  const { username } = await c.req.parseBody();
  if (typeof username !== 'string' || !username.trim()) return c.text('Who are you?', 400);
  const session = c.get('session');
  // Whoever knew the id of before does not know the one of the person who signs in.
  session.regenerate();
  session.username = username.trim();
  session.flash(`Welcome, ${session.username}.`);
  return c.redirect('/', 303);
});

app.post('/sign-out', (c) => {
  const session = c.get('session');
  // Nothing stays, under an id that nobody has seen.
  session.clear();
  session.regenerate();
  session.flash('You are signed out.');
  return c.redirect('/', 303);
});

const port = Number(process.env.PORT || 3000);
const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port }, ({ port }: AddressInfo) => {
  console.log(`listening on http://127.0.0.1:${port}`);
});

const stop = () => {
  server.close(() => store.close?.());
  if ('closeIdleConnections' in server) server.closeIdleConnections();
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
