/** An application as Passport's guide writes it, on Express 5 and 4, and a browser that visits it. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import flash from 'connect-flash';
import express from 'express';
import express4 from 'express4';
import { sessions } from 'flacon/adapters/express';
import { flaskConfig } from 'flacon/flask';
import { MemoryStore } from 'flacon/stores/memory';
import { Passport } from 'passport';
import { Strategy } from 'passport-local';
import type { SessionEvent, SessionInterface, SessionOptions, SessionStore } from '../../src/index.ts';
import { Visitor } from '../examples/visitor.ts';
import { stores } from './servers.ts';

declare global {
  namespace Express {
    interface User {
      id: string;
    }
  }
}

export const expresses = { 'Express 5': express, 'Express 4': express4 };
export type ExpressName = keyof typeof expresses;

const secretKey = 'a secret of these tests, thirty-two bytes or more';

/** Both kinds of session, each as the secure defaults and as Flask keep it; both kinds of store. */
export const kinds = {
  'a store that answers at once': () => ({ store: stores().synchronous }),
  'a store that answers late': () => ({ store: stores().asynchronous }),
  'a sealed cookie': () => ({ store: 'cookie', secretKey }),
  "Flask's store": () => flaskConfig({ SESSION_TYPE: 'memory' }),
  "Flask's store, which signs the id": () =>
    flaskConfig({ SESSION_TYPE: 'memory', SESSION_USE_SIGNER: true, SECRET_KEY: secretKey }),
  "Flask's signed cookie": () => flaskConfig({ SECRET_KEY: secretKey }),
} satisfies Record<string, () => SessionOptions>;
export type Kind = keyof typeof kinds;

export const inCookie = (kind: Kind): boolean => kind.endsWith('cookie');

export interface App {
  readonly url: string;
  /** What went to the error handler. */
  readonly errors: Error[];
  visitor(): Visitor;
}

type Setup = (app: express.Express) => void;

const open: (() => void)[] = [];

export function closeAll(): void {
  for (const close of open.splice(0)) close();
}

/**
 * @param setup what the application uses after its sessions
 */
export async function serve(
  name: ExpressName,
  options: SessionOptions | SessionInterface,
  setup: Setup,
): Promise<App & { readonly events: SessionEvent[] }> {
  const events: SessionEvent[] = [];
  const app = await listen(name, (app) => {
    app.use(sessions('openSession' in options ? options : { onEvent: (event) => events.push(event), ...options }));
    setup(app);
  });
  return { ...app, events };
}

export async function listen(name: ExpressName, setup: Setup): Promise<App> {
  const errors: Error[] = [];
  const app = (expresses[name] as typeof express)();
  app.set('env', 'test');
  app.use(express.urlencoded({ extended: false }));
  setup(app);
  app.use(((error: Error & { status?: number }, _req, res, next) => {
    errors.push(error);
    if (res.headersSent) return next(error);
    res.status(error.status ?? (res.statusCode >= 400 ? res.statusCode : 503)).send(`handled: ${error.message}`);
  }) satisfies express.ErrorRequestHandler);
  const server = createServer(app as RequestListener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, errors, visitor: () => new Visitor(url) };
}

/** A store that can be out of order. */
export function breakable(): { readonly store: SessionStore; broken: boolean } {
  const memory = new MemoryStore();
  const state = { broken: false, store: undefined as unknown as SessionStore };
  const verb = async <T>(run: () => T): Promise<Awaited<T>> => {
    await new Promise((resolve) => setImmediate(resolve));
    if (state.broken) throw new Error('the store is down');
    return await run();
  };
  state.store = {
    name: 'breakable',
    read: (...args) => verb(() => memory.read(...args)),
    write: (...args) => verb(() => memory.write(...args)),
    touch: (...args) => verb(() => memory.touch(...args)),
    delete: (...args) => verb(() => memory.delete(...args)),
  };
  return state;
}

export interface Authentication {
  readonly passport: InstanceType<typeof Passport>;
  readonly login: express.RequestHandler;
}

/** Passport with users ann, bob (password: the name), and whoever a test wants to be let wait. */
export function authentication(wait: (user: string) => Promise<void> = async () => {}): Authentication['passport'] {
  const passport = new Passport();
  passport.use(
    new Strategy((username, password, done) => {
      if (password !== username) done(null, false, { message: 'wrong name or password' });
      else wait(username).then(() => done(null, { id: username }));
    }),
  );
  passport.serializeUser((user, done) => setImmediate(done, null, user.id));
  passport.deserializeUser((id: string, done) => setImmediate(done, null, id === 'nobody' ? false : { id }));
  return passport;
}

/** The routes of Passport's guide. */
export function guide(app: express.Express, passport: Authentication['passport']): void {
  app.use(flash());
  app.use(passport.session());
  app.post('/login', passport.authenticate('local'), (req, res) => void res.send(`hello ${req.user?.id}`));
  app.post(
    '/login/keep',
    passport.authenticate('local', { keepSessionInfo: true }),
    (req, res) => void res.send(`hello ${req.user?.id}`),
  );
  app.post(
    '/login/return',
    passport.authenticate('local', {
      keepSessionInfo: true,
      successReturnToOrRedirect: '/',
      failureRedirect: '/login',
      failureFlash: true,
    }),
  );
  app.post('/login/messages', passport.authenticate('local', { failureRedirect: '/login', failureMessage: true }));
  app.get('/login', (req, res) => {
    const { messages } = req.session as { messages?: string[] };
    delete (req.session as { messages?: string[] }).messages;
    res.json({ flash: req.flash(), messages });
  });
  app.post('/logout', (req, res, next) => req.logout((error) => (error ? next(error) : res.redirect('/'))));
  app.post('/logout/keep', (req, res, next) =>
    req.logout({ keepSessionInfo: true }, (error) => (error ? next(error) : res.redirect('/'))),
  );
  app.get('/private', (req, res) => {
    if (req.isAuthenticated()) return void res.send('private');
    (req.session as { returnTo?: string }).returnTo = req.originalUrl;
    res.redirect('/login');
  });
  app.post('/cart', (req, res) => {
    req.session.update<string[]>('cart', (cart) => [...(cart ?? []), req.body.item]);
    res.sendStatus(204);
  });
  app.get('/', (req, res) => {
    res.json({ user: req.user?.id ?? null, sid: req.sessionID, data: req.session });
  });
}
