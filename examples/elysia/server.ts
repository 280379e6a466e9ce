/** A page on Elysia that counts visits, and has its visitors sign in and out. On Node, srvx serves it; on Bun, `app.listen` does. */
import { Elysia, status, t } from 'elysia';
import type { Session } from 'flacon';
import { sessions } from 'flacon/adapters/elysia';
import { embeddedStore } from 'flacon/stores/embedded';
import { serve } from 'srvx';
import { escapeHtml } from '../tutorials/escape-html.ts';

declare module 'flacon' {
  interface SessionData {
    username: string;
    visits: number;
  }
}

const store = embeddedStore();

const app = new Elysia()
  .use(sessions({ store }))
  .get('/', ({ session, set }) => {
    const visits = session.update<number>('visits', (before) => (before ?? 0) + 1);
    set.headers['content-type'] = 'text/html; charset=utf-8';
    return page(session, visits);
  })
  .post(
    '/sign-in',
    ({ session, set, body }) => {
      const username = body.username?.trim();
      if (!username) return status(400, 'Who are you?');
      // Whoever knew the id of before does not know the one of the person who signs in.
      session.regenerate();
      session.username = username;
      session.flash(`Welcome, ${username}.`);
      set.status = 303;
      set.headers.location = '/';
      return;
    },
    { body: t.Object({ username: t.Optional(t.String()) }) },
  )
  .post('/sign-out', ({ session, set }) => {
    // Nothing stays, under an id that nobody has seen.
    session.clear();
    session.regenerate();
    session.flash('You are signed out.');
    set.status = 303;
    set.headers.location = '/';
  });

function page(session: Session, visits: number): string {
  const messages = session.takeFlashes().map(([, message]) => `<p role="status">${escapeHtml(String(message))}</p>`);
  const form =
    'username' in session
      ? `<form method="post" action="/sign-out">You are ${escapeHtml(session.username)}. <button>Sign out</button></form>`
      : '<form method="post" action="/sign-in"><label>Name <input name="username" required></label> <button>Sign in</button></form>';
  return `<!doctype html><title>Visits</title>${messages.join('')}<p>Visit ${visits}</p>${form}`;
}

const server = serve({
  fetch: (request) => app.fetch(request),
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
