/** A page on the Fetch API that counts visits, and has its visitors sign in and out. It is served by srvx here. */
import type { Session } from 'flacon';
import { sessions } from 'flacon/adapters/fetch';
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
const withSession = sessions({ store });

type Page = (session: Session, request: Request) => Response | Promise<Response>;

const pages: Record<string, Page> = {
  'GET /': (session) => {
    const visits = session.update<number>('visits', (before) => (before ?? 0) + 1);
    const body = page(session, visits);
    return new Response(body, { headers: { 'Content-Type': 'text/html; charset=utf-8' } });
  },

  'POST /sign-in': async (session, request) => {
    const username = String((await request.formData()).get('username') ?? '').trim();
    // What is thrown is the answer.
    if (!username) throw new Response('Who are you?', { status: 400 });
    // Whoever knew the id of before does not know the one of the person who signs in.
    session.regenerate();
    session.username = username;
    session.flash(`Welcome, ${username}.`);
    return seeOther('/');
  },

  'POST /sign-out': (session) => {
    // Nothing stays, under an id that nobody has seen.
    session.clear();
    session.regenerate();
    session.flash('You are signed out.');
    return seeOther('/');
  },
};

const handler = withSession((request, session) => {
  const name = `${request.method} ${new URL(request.url).pathname}`;
  return Object.hasOwn(pages, name) ? pages[name]!(session, request) : new Response('Not found', { status: 404 });
});

function seeOther(location: string): Response {
  return new Response(null, { status: 303, headers: { Location: location } });
}

function page(session: Session, visits: number): string {
  const messages = session.takeFlashes().map(([, message]) => `<p role="status">${escapeHtml(String(message))}</p>`);
  const form =
    'username' in session
      ? `<form method="post" action="/sign-out">You are ${escapeHtml(session.username)}. <button>Sign out</button></form>`
      : '<form method="post" action="/sign-in"><label>Name <input name="username" required></label> <button>Sign in</button></form>';
  return `<!doctype html><title>Visits</title>${messages.join('')}<p>Visit ${visits}</p>${form}`;
}

const server = serve({
  fetch: handler,
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
