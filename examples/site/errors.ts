/** The pages for what is not there and for what went wrong. */
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { html } from './html.ts';
import { barePage, send } from './layout.ts';
import { SiteError } from './site-error.ts';

export const notFound: RequestHandler = () => {
  throw new SiteError(404, 'There is no such page', 'The address may be mistyped, or the page is gone.');
};

/**
 * What is not the visitor's doing is written to the log and answered with 500. The page shows nothing of the session: that
 * may be what failed.
 */
export const showError: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (res.headersSent) return next(error);
  const { status, title, advice } = describe(error);
  if (status >= 500) console.error(error);
  const body = html`
    <section class="narrow center">
      <p class="big-number" aria-hidden="true">${status}</p>
      <h1>${title}</h1>
      <p class="quiet">${advice}</p>
      <p><a class="button" href="/">Back to the shop</a></p>
    </section>`;
  send(res.status(status), barePage(title, body));
};

function describe(error: unknown): { status: number; title: string; advice: string } {
  if (error instanceof SiteError) return { status: error.status, title: error.message, advice: error.advice };
  // Express and its parsers say with a `status` what was wrong with a request.
  const status = (error as { status?: unknown } | null)?.status;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return { status, title: 'That request could not be read', advice: 'It was malformed, or too large.' };
  }
  return {
    status: 500,
    title: 'Something broke',
    advice: 'It is our fault and has been noted. Please try again later.',
  };
}
