/** Signing up, signing in, signing out. */
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { session } from 'flacon';
import { accountForm } from './account-form.ts';
import { beginAttempt, forgiveAttempt } from './attempts.ts';
import { browserName } from './browser.ts';
import { field } from './fields.ts';
import { show } from './layout.ts';
import { hashPassword, isPassword } from './passwords.ts';
import { SiteError } from './site-error.ts';
import type { Users } from './users.ts';

const LONGEST_NAME = 40;
const SHORTEST_PASSWORD = 8;
const LONGEST_PASSWORD = 200;

/** Lets signed-in visitors pass, and sends others to sign in first. @param next where they are sent afterwards */
export function requireVisitor(next: string): RequestHandler {
  return (_req, res, proceed) => {
    if (session.signedIn) return proceed();
    session.next = next;
    session.flash('Please sign in first.');
    res.redirect(303, '/sign-in');
  };
}

export function accountRoutes(users: Users): Router {
  const routes = Router();

  routes.get(['/sign-in', '/sign-up'], (req, res) => {
    if (session.signedIn) return res.redirect(303, '/');
    showForm(req, res);
  });

  routes.post('/sign-up', async (req, res) => {
    const name = nameIn(req);
    const password = field(req, 'password');
    const problem = problemWith(name, password) ?? (users.find(name) && 'That name is taken.');
    if (problem) return showForm(req, res, problem);
    brake(req, res);
    const outcome = users.add({ name, password: await hashPassword(password) });
    if (outcome === 'taken') return showForm(req, res, 'That name is taken.');
    if (outcome === 'full') return showForm(req, res, 'No more users can sign up to this demonstration.');
    signIn(req, res, name);
  });

  routes.post('/sign-in', async (req, res) => {
    brake(req, res);
    const user = users.find(nameIn(req));
    const right = await isPassword(field(req, 'password').slice(0, LONGEST_PASSWORD), user?.password);
    if (user && right) return signIn(req, res, user.name);
    // The same answer, after the same time, whether or not there is such a user.
    showForm(req, res, 'Name or password is wrong.');
  });

  routes.post('/sign-out', (_req, res) => {
    // The record is deleted: whoever may have copied the cookie has nothing any more. (With SESSION_TYPE=null there is no
    // record, and a copy of the cookie stays good until it expires: the price of keeping nothing on the server.)
    session.destroy();
    // What is written after that is the beginning of another session.
    session.flash('You are signed out.');
    res.redirect(303, '/');
  });

  return routes;
}

function signIn(req: Request, res: Response, name: string): void {
  forgiveAttempt(addressOf(req));
  // A new id for the same session: an id that somebody planted in, or read from, this browser before is worth nothing now.
  session.regenerate();
  delete session.csrf;
  session.signedIn = {
    name,
    at: Date.now(),
    browser: browserName(req.get('User-Agent')),
    address: addressOf(req),
  };
  session.flash(`Welcome, ${name}.`);
  res.redirect(303, session.pop('next', '/'));
}

function nameIn(req: Request): string {
  return field(req, 'name').normalize('NFC').trim();
}

function problemWith(name: string, password: string): string | undefined {
  if (name === '' || name.length > LONGEST_NAME) return `A name has 1 to ${LONGEST_NAME} characters.`;
  // Controls and invisible characters could make one name look like another. Anything else may be in a name: pages escape it.
  if (/[\p{C}\p{Zl}\p{Zp}]/u.test(name)) return 'That name contains an invisible character.';
  if (password.length < SHORTEST_PASSWORD) return `A password has at least ${SHORTEST_PASSWORD} characters.`;
  if (password.length > LONGEST_PASSWORD) return `A password has at most ${LONGEST_PASSWORD} characters.`;
  return undefined;
}

function brake(req: Request, res: Response): void {
  const seconds = beginAttempt(addressOf(req));
  if (seconds === 0) return;
  res.set('Retry-After', String(seconds));
  throw new SiteError(429, 'Too many wrong passwords', 'Please wait ten minutes before you try again.');
}

/** As far as it is known: behind proxies that are not told of in TRUSTED_PROXIES it is the last proxy's. */
export function addressOf(req: Request): string {
  return req.ip ?? 'unknown';
}

function showForm(req: Request, res: Response, problem?: string): void {
  const kind = req.path === '/sign-up' ? 'sign-up' : 'sign-in';
  if (problem !== undefined) res.status(422);
  show(req, res, kind === 'sign-up' ? 'Sign up' : 'Sign in', accountForm(kind, nameIn(req), problem));
}
