/** What is around the content of every page. */
import type { Request, Response } from 'express';
import { session } from 'flacon';
import { itemsInCart } from './cart.ts';
import { csrfField } from './csrf.ts';
import { type Html, html } from './html.ts';

export function send(res: Response, page: Html): void {
  res.type('html').send(page.text);
}

/** Answers with a page that knows the visitor: name, cart, and the messages that wait for them. */
export function show(req: Request, res: Response, title: string, content: Html): void {
  // Taking the messages removes them from the session: they are shown once.
  const messages = session
    .takeFlashes()
    .map(([category, text]) => html`<p class="message ${category === 'error' && 'error'}">${String(text)}</p>`);
  const body = html`
    ${messages.length > 0 && html`<div class="messages" role="status">${messages}</div>`}
    ${content}`;
  send(res, frame(title, navigation(req.path), body));
}

/** A page that asks nothing of the session. */
export function barePage(title: string, content: Html): Html {
  return frame(title, html`<a href="/">Shop</a>`, content);
}

function navigation(here: string): Html {
  const link = (path: string, text: string | Html) =>
    html`<a href="${path}" ${path === here && html`aria-current="page"`}>${text}</a>`;
  const items = itemsInCart();
  const name = session.signedIn?.name;
  return html`
    ${link('/', 'Shop')}
    ${link('/cart', html`Cart${items > 0 && html` <span class="badge">${items}<span class="hidden"> items</span></span>`}`)}
    ${
      name === undefined
        ? html`<span class="spring"></span>${link('/sign-in', 'Sign in')} ${link('/sign-up', 'Sign up')}`
        : html`<span class="spring"></span>${link('/where', html`<span class="wide">Signed in as</span> <span class="name">${name}</span>`)}
          <form method="post" action="/sign-out">${csrfField()}<button class="link">Sign out</button></form>`
    }`;
}

function frame(title: string, nav: Html, content: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${title} · The Little Flask</title>
  <link rel="icon" href="/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/style.css">
</head>
<body>
  <a class="skip" href="#content">Skip to the content</a>
  <header>
    <div class="bar">
      <a class="brand" href="/"><img src="/icon.svg" alt="" width="28" height="28">The Little Flask</a>
      <nav aria-label="Main">${nav}</nav>
    </div>
  </header>
  <main id="content" tabindex="-1">${content}</main>
  <footer><p>A demonstration of <strong>flacon</strong>. Nothing here is for sale.</p></footer>
</body>
</html>
`;
}
