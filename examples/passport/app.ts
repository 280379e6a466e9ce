/** Signing in with Passport: its local strategy, messages by connect-flash, forms guarded by csrf-sync. */
import flash from 'connect-flash';
import { csrfSync } from 'csrf-sync';
import express, { type RequestHandler } from 'express';
import type { SessionOptions } from 'flacon';
import { sessions } from 'flacon/adapters/express';
import passport from 'passport';
import { Strategy } from 'passport-local';
import { type Html, html } from '../site/html.ts';
import { checkUser, findUser } from './users.ts';

declare module 'flacon' {
  interface SessionData {
    /** The page that a visitor was sent away from to sign in. */
    returnTo: string;
  }
}

declare global {
  namespace Express {
    interface User {
      name: string;
    }
  }
}

passport.use(
  new Strategy((username, password, done) => {
    checkUser(username, password).then(
      (user) => (user ? done(null, user) : done(null, false, { message: 'Wrong name or password.' })),
      done,
    );
  }),
);
passport.serializeUser((user, done) => done(null, user.name));
passport.deserializeUser((name: string, done) => done(null, findUser(name) ?? false));

const { csrfSynchronisedProtection, generateToken } = csrfSync({
  getTokenFromRequest: (req) => req.body?.csrf,
});

const form = (token: string, action: string, fields: Html) =>
  html`<form method="post" action="${action}"><input type="hidden" name="csrf" value="${token}">${fields}</form>`;

const signedIn: RequestHandler = (req, res, next) => {
  if (req.isAuthenticated()) return next();
  req.session.returnTo = req.originalUrl;
  res.redirect('/login');
};

export function createApp(options: SessionOptions): express.Express {
  const app = express();
  app.use(express.urlencoded({ extended: false }));
  app.use(sessions(options));
  app.use(flash());
  app.use(passport.session());
  app.use(csrfSynchronisedProtection);

  app.get('/', (req, res) => {
    const greeting = req.user
      ? html`<p>You are ${req.user.name}.</p>${form(generateToken(req), '/logout', html`<button>Sign out</button>`)}`
      : html`<p><a href="/login">Sign in</a></p>`;
    res.send(html`<!doctype html><title>Passport</title>${greeting}<p><a href="/account">Account</a></p>`.text);
  });

  app.get('/account', signedIn, (req, res) => {
    res.send(html`<!doctype html><title>Account</title><p>Only ${req.user?.name} can see this.</p>`.text);
  });

  app.get('/login', (req, res) => {
    const fields = html`<label>Name <input name="username" autocomplete="username" required></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
      <button>Sign in</button>`;
    const messages = req.flash('error').map((text) => html`<p role="alert">${text}</p>`);
    res.send(html`<!doctype html><title>Sign in</title>${messages}${form(generateToken(req), '/login', fields)}`.text);
  });

  app.post('/login', (req, res, next) => {
    // Signing in drops the session of before, with the token that somebody may have planted in it. This one value is wanted
    // afterwards; keepSessionInfo would keep them all.
    const { returnTo = '/' } = req.session;
    const authenticate = passport.authenticate('local', { failureRedirect: '/login', failureFlash: true });
    authenticate(req, res, (error: unknown) => (error ? next(error) : res.redirect(returnTo)));
  });

  app.post('/logout', (req, res, next) => {
    req.logout((error) => (error ? next(error) : res.redirect('/')));
  });

  return app;
}
