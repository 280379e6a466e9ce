/** Passport's sign-in survives the move: it keeps the user in the session, and finds it in ours. */
import express from 'express';
import session from 'express-session';
import { sessions } from 'flacon/adapters/express';
import { fromExpressSession } from 'flacon/connect';
import { MemoryStore } from 'flacon/stores/memory';
import passport from 'passport';
import { Strategy } from 'passport-local';
import { afterAll, expect, test } from 'vitest';
import { closeSites, serve } from './apps.ts';

afterAll(closeSites);

declare global {
  namespace Express {
    interface User {
      id: string;
    }
  }
}

function app(middleware: express.RequestHandler): express.Express {
  const authenticator = new passport.Passport();
  authenticator.use(new Strategy((id, _password, done) => done(null, { id })));
  authenticator.serializeUser((user, done) => done(null, user.id));
  authenticator.deserializeUser((id: string, done) => done(null, { id }));
  const application = express();
  application.use(middleware, authenticator.session());
  application.post('/login', express.urlencoded(), authenticator.authenticate('local'), (_req, res) => {
    res.send('in');
  });
  application.get('/me', (req, res) => {
    res.send(req.user?.id ?? 'nobody');
  });
  application.get('/logout', (req, res, next) => {
    req.logout((error) => (error ? next(error) : res.send('out')));
  });
  return application;
}

test('signed in there, signed in here; signed out here, signed out there', async () => {
  const store = new session.MemoryStore();
  const theirs = { secret: 'keyboard cat', store, resave: false, saveUninitialized: false };
  const before = await serve(app(session(theirs)));
  const after = await serve(app(sessions(fromExpressSession({ store: new MemoryStore() }, theirs))));

  const visitor = before.visitor();
  await visitor.post('/login', { username: 'ada', password: 'x' });
  expect((await visitor.get('/me')).text).toBe('ada');
  const moved = visitor.copy(after.url);
  expect((await moved.get('/me')).text).toBe('ada');
  expect([...moved.cookies.keys()]).toEqual(['session']);
  expect((await visitor.get('/me')).text).toBe('nobody');

  const thief = moved.copy();
  await moved.get('/logout');
  expect((await moved.get('/me')).text).toBe('nobody');
  expect((await thief.get('/me')).text).toBe('nobody');
});

test('a sign-out with the old cookie', async () => {
  const store = new session.MemoryStore();
  const theirs = { secret: 'keyboard cat', store, resave: false, saveUninitialized: false };
  const before = await serve(app(session(theirs)));
  const after = await serve(app(sessions(fromExpressSession({ store: new MemoryStore() }, theirs))));
  const visitor = before.visitor();
  await visitor.post('/login', { username: 'ada', password: 'x' });
  const moved = visitor.copy(after.url);
  expect((await moved.get('/logout')).text).toBe('out');
  for (const cookies of [moved, visitor.copy(after.url), visitor]) {
    expect((await cookies.get('/me')).text).toBe('nobody');
  }
});
