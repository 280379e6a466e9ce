/**
 * Every form carries a secret that only this site's own pages know (they have it from the session), so that another site
 * cannot send one in the visitor's name.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { session } from 'flacon';
import { field } from './fields.ts';
import { type Html, html } from './html.ts';
import { SiteError } from './site-error.ts';

/** To be put into every `<form method="post">`. */
export function csrfField(): Html {
  return html`<input type="hidden" name="csrf" value="${session.setDefault('csrf', randomBytes(32).toString('base64url'))}">`;
}

/** Refuses what changes something and does not come from one of our forms. */
export const checkCsrf: RequestHandler = (req, _res, next) => {
  if (req.method === 'GET' || req.method === 'HEAD') return next();
  const expected = Buffer.from(session.csrf ?? '');
  const given = Buffer.from(field(req, 'csrf'));
  const same = expected.length > 0 && expected.length === given.length && timingSafeEqual(expected, given);
  if (!same) throw new SiteError(403, 'That form is out of date', 'Go back, reload the page, and send it once more.');
  next();
};
