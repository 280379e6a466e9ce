/** A page on Koa that counts visits, and has its visitors sign in and out. */
import type { AddressInfo } from 'node:net';
import type { Session } from 'flacon';
import { sessions } from 'flacon/adapters/koa';
import Koa from 'koa';
import { escapeHtml } from '../tutorials/escape-html.ts';

declare module 'flacon' {
  interface SessionData {
    username: string;
    visits: number;
  }
}

const app = new Koa();
app.use(sessions());

app.use(async (ctx, next) => {
  if (ctx.path !== '/' || ctx.method !== 'GET') return next();
  const visits = ctx.session.update<number>('visits', (before) => (before ?? 0) + 1);
  ctx.type = 'html';
  ctx.body = page(ctx.session, visits);
});

app.use(async (ctx, next) => {
  if (ctx.path !== '/sign-in' || ctx.method !== 'POST') return next();
  const username = (await formOf(ctx)).get('username')?.trim();
  if (!username) return ctx.throw(400, 'Who are you?');
  // Whoever knew the id of before does not know the one of the person who signs in.
  ctx.session.regenerate();
  ctx.session.username = username;
  ctx.session.flash(`Welcome, ${username}.`);
  ctx.redirect('/');
  ctx.status = 303;
});

app.use(async (ctx, next) => {
  if (ctx.path !== '/sign-out' || ctx.method !== 'POST') return next();
  // Nothing stays, under an id that nobody has seen; `ctx.session = null` would have no place for the message.
  ctx.session.clear();
  ctx.session.regenerate();
  ctx.session.flash('You are signed out.');
  ctx.redirect('/');
  ctx.status = 303;
});

/** A short form; applications have a body parser for this. */
async function formOf(ctx: Koa.Context): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of ctx.req.setEncoding('utf8')) {
    text += chunk;
    if (text.length > 10_000) ctx.throw(413);
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

const server = app.listen(Number(process.env.PORT || 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
const stop = () => {
  server.close();
  server.closeIdleConnections();
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
