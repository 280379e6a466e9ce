/** "Where am I signed in": what there is to know about this session. Never its id: whoever has that is the visitor. */
import { Router } from 'express';
import { type Session, session } from 'flacon';
import { addressOf, requireVisitor } from './account.ts';
import { browserName } from './browser.ts';
import { csrfField } from './csrf.ts';
import { type Html, html } from './html.ts';
import { show } from './layout.ts';
import type { SessionKeeping } from './settings.ts';

export function whereRoutes(keeping: SessionKeeping): Router {
  const routes = Router();
  routes.get('/where', requireVisitor('/where'), (req, res) => {
    const visit = session.signedIn as NonNullable<Session['signedIn']>;
    const fact = (term: string, value: Html | string) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`;
    const { idleEnd, latestEnd } = endsOf(keeping);
    const browser = browserName(req.get('User-Agent'));
    const content = html`
      <section class="middle">
        <h1>Where am I signed in</h1>
        <p class="quiet">This session, as the server knows it.</p>
        <dl class="sheet facts">
          ${fact('Name', visit.name)}
          ${fact('Signed in', time(visit.at))}
          ${session.createdAt && fact('Session since', time(session.createdAt.getTime()))}
          ${fact('Ends, if not used', time(idleEnd))}
          ${fact('Ends at the latest', latestEnd === undefined ? 'when you sign out' : time(latestEnd))}
          ${fact('Browser', browser)}
          ${visit.browser !== browser && fact('Signed in with', visit.browser)}
          ${fact('IP address', addressOf(req))}
          ${visit.address !== addressOf(req) && fact('Signed in from', visit.address)}
          ${fact('Kept in', keeping.store)}
          ${fact('Profile', keeping.profile)}
        </dl>
        <form class="end" method="post" action="/sign-out">${csrfField()}<button>Sign out</button></form>
      </section>`;
    show(req, res, 'Where am I signed in', content);
  });
  return routes;
}

/**
 * Milliseconds since 1970. A request that only reads moves the end not before a tenth of `idleTimeout` has passed, so that
 * the first of the two may come that much earlier.
 */
function endsOf({ idleTimeout, absoluteTimeout }: SessionKeeping): { idleEnd: number; latestEnd: number | undefined } {
  const began = session.createdAt?.getTime();
  const idleEnd = Date.now() + idleTimeout * 1000;
  if (began === undefined || absoluteTimeout === undefined) return { idleEnd, latestEnd: undefined };
  const latestEnd = began + absoluteTimeout * 1000;
  return { idleEnd: Math.min(idleEnd, latestEnd), latestEnd };
}

const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });

function time(milliseconds: number): Html {
  const date = new Date(milliseconds);
  return html`<time datetime="${date.toISOString()}">${format.format(date)} UTC</time>`;
}
