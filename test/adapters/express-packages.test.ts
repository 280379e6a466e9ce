/** Packages in common use that keep something in the session, unchanged, as their guides tell. */
import { randomUUID } from 'node:crypto';
import flash from 'connect-flash';
import { doubleCsrf } from 'csrf-csrf';
import { csrfSync } from 'csrf-sync';
import type { Request, Response } from 'express';
import expressSession from 'express-session';
import lusca from 'lusca';
import { afterEach, describe, expect, it } from 'vitest';
import type { Visitor } from '../examples/visitor.ts';
import {
  authentication,
  closeAll,
  type ExpressName,
  expresses,
  guide,
  inCookie,
  type Kind,
  kinds,
  listen,
  serve,
} from './passport-app.ts';

afterEach(closeAll);

const names = Object.keys(expresses) as ExpressName[];
const everyKind = Object.keys(kinds) as Kind[];
const ann = { username: 'ann', password: 'ann' };
const json = async (visitor: Visitor, path: string) => JSON.parse((await visitor.get(path)).text);

describe.each(names)('%s', (name) => {
  describe.each(everyKind)('connect-flash with %s', (kind) => {
    const start = () =>
      serve(name, kinds[kind](), (app) => {
        app.use(flash());
        app.post('/one', (req, res) => {
          req.flash('info', 'saved');
          res.redirect('/');
        });
        app.post('/many', (req, res) => {
          const counts = [
            req.flash('info', 'one'),
            req.flash('info', ['two', 'three']),
            req.flash('error', '%s is %d', 'x', 7),
            req.flash('info', ''),
          ];
          res.json(counts);
        });
        app.post('/session', (req, res) => {
          req.session.flash("Flask's", 'info');
          res.sendStatus(204);
        });
        app.get('/info', (req, res) => void res.json(req.flash('info')));
        app.get('/session', (req, res) => void res.json(req.session.takeFlashes()));
        app.get('/', (req, res) => void res.json([req.flash(), req.flash()]));
      });

    it('shows a message after a redirect, once', async () => {
      const visitor = (await start()).visitor();
      const answer = await visitor.follow(await visitor.post('/one'));
      expect(JSON.parse(answer.text)).toEqual([{ info: ['saved'] }, {}]);
      expect(await json(visitor, '/')).toEqual([{}, {}]);
    });

    it('takes lists and formats, counts, and takes out one type', async () => {
      const visitor = (await start()).visitor();
      expect(JSON.parse((await visitor.post('/many')).text)).toEqual([1, 3, 1, ['one', 'two', 'three']]);
      await visitor.post('/one');
      expect(await json(visitor, '/info')).toEqual(['saved']);
      expect(await json(visitor, '/')).toEqual([{ error: ['x is 7'] }, {}]);
    });

    it("its messages are the session's own, which Flask shows", async () => {
      const visitor = (await start()).visitor();
      await visitor.post('/one');
      expect(await json(visitor, '/session')).toEqual([['info', 'saved']]);
      await visitor.post('/session');
      expect(await json(visitor, '/info')).toEqual(["Flask's"]);
    });

    it('asking for messages where there are none begins no session', async () => {
      const answer = await (await start()).visitor().get('/');
      expect(answer.setCookies).toEqual([]);
      expect(answer.headers.get('vary')).toBe('Cookie');
    });
  });

  it('connect-flash: a message that a parallel request adds is not lost', async () => {
    let entered = () => {};
    let leave = () => {};
    const inside = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const app = await serve(name, kinds['a store that answers late'](), (app) => {
      app.use(flash());
      app.get('/slow', (req, res) => {
        const shown = req.flash('info');
        entered();
        new Promise<void>((resolve) => {
          leave = resolve;
        }).then(() => res.json(shown));
      });
      app.post('/:text', (req, res) => {
        req.flash('info', req.params.text as string);
        res.sendStatus(204);
      });
      app.get('/', (req, res) => void res.json(req.flash()));
    });
    const visitor = app.visitor();
    await visitor.post('/first');
    const slow = visitor.get('/slow');
    await inside;
    await visitor.post('/second');
    leave();
    expect(JSON.parse((await slow).text)).toEqual(['first']);
    expect(await json(visitor, '/')).toEqual({ info: ['second'] });
  });

  it("an application with another package's sessions keeps its own flash and id", async () => {
    // This one gives the prototype that all applications share what ours have.
    const ours = await serve(name, kinds['a store that answers at once'](), (app) => {
      app.get('/', (req, res) => void res.json([typeof req.flash, typeof req.sessionID]));
    });
    expect(await json(ours.visitor(), '/')).toEqual(['function', 'string']);
    const theirs = await listen(name, (app) => {
      app.get('/none', (req, res) => void res.json([typeof req.flash, typeof req.sessionID]));
      app.use(expressSession({ name: 'theirs', secret: 'x', resave: false, saveUninitialized: false }));
      app.use(flash());
      app.get('/set', (req, res) => {
        req.flash('info', 'saved');
        res.json(typeof req.sessionID);
      });
      app.get('/', (req, res) => void res.json([Object.keys(req.session), req.flash('info')]));
    });
    const visitor = theirs.visitor();
    expect(await json(visitor, '/none')).toEqual(['undefined', 'undefined']);
    expect(await json(visitor, '/set')).toBe('string');
    expect(await json(visitor, '/')).toEqual([['cookie', 'flash'], ['saved']]);
  });

  describe.each(everyKind)('csrf-sync with %s', (kind) => {
    const start = () =>
      serve(name, kinds[kind](), (app) => {
        const { csrfSynchronisedProtection, generateToken } = csrfSync({
          getTokenFromRequest: (req) => req.body?.csrf,
        });
        const passport = authentication();
        app.get('/token', (req, res) => void res.send(generateToken(req)));
        app.use(csrfSynchronisedProtection);
        guide(app, passport);
      });

    it('passes with the token of the session, and with no other', async () => {
      const app = await start();
      const visitor = app.visitor();
      const csrf = (await visitor.get('/token')).text;
      const other = app.visitor();
      const theirs = (await other.get('/token')).text;
      expect((await visitor.post('/cart', { item: 'tea', csrf })).status).toBe(204);
      expect((await visitor.post('/cart', { item: 'tea' })).status).toBe(403);
      expect((await visitor.post('/cart', { item: 'tea', csrf: theirs })).status).toBe(403);
      expect((await app.visitor().post('/cart', { item: 'tea', csrf })).status).toBe(403);
      expect((await json(visitor, '/')).data.cart).toEqual(['tea']);
    });

    it('a login makes the token of before worthless', async () => {
      const visitor = (await start()).visitor();
      const csrf = (await visitor.get('/token')).text;
      expect((await visitor.post('/login', { ...ann, csrf })).text).toBe('hello ann');
      expect((await visitor.post('/cart', { item: 'tea', csrf })).status).toBe(403);
      const fresh = (await visitor.get('/token')).text;
      expect(fresh).not.toBe(csrf);
      expect((await visitor.post('/cart', { item: 'tea', csrf: fresh })).status).toBe(204);
    });
  });

  describe.each(everyKind)('lusca.csrf with %s', (kind) => {
    it('passes with a token of the session, and with no other', async () => {
      const app = await serve(name, kinds[kind](), (app) => {
        app.use(lusca.csrf());
        app.get('/token', (_req, res) => void res.send(res.locals._csrf));
        app.post('/', (_req, res) => void res.sendStatus(204));
      });
      const visitor = app.visitor();
      const _csrf = (await visitor.get('/token')).text;
      const other = app.visitor();
      const theirs = (await other.get('/token')).text;
      expect((await visitor.post('/', { _csrf })).status).toBe(204);
      expect((await visitor.post('/', { _csrf: (await visitor.get('/token')).text })).status).toBe(204);
      expect(await visitor.post('/')).toMatchObject({ status: 403, text: 'handled: CSRF token missing' });
      expect(await visitor.post('/', { _csrf: theirs })).toMatchObject({
        status: 403,
        text: 'handled: CSRF token mismatch',
      });
    });
  });

  describe.each(everyKind)('csrf-csrf with %s', (kind) => {
    it('ties its cookie to the session', async () => {
      const { doubleCsrfProtection, generateCsrfToken } = doubleCsrf({
        getSecret: () => 'a secret of this test',
        // Without an id, the data has to hold something that is the session's alone.
        getSessionIdentifier: (req) => req.sessionID ?? req.session.get('csrf', ''),
        cookieName: 'csrf',
        cookieOptions: { secure: false },
        getCsrfTokenFromRequest: (req) => req.body?.csrf,
      });
      const app = await serve(name, kinds[kind](), (app) => {
        app.use(cookies);
        app.get('/token', (req: Request, res: Response) => {
          // A session that holds nothing is not kept, and has another id at every request.
          req.session.setDefault('csrf', randomUUID());
          res.send(generateCsrfToken(req, res));
        });
        app.use(doubleCsrfProtection);
        app.post('/', (_req, res) => void res.sendStatus(204));
      });
      const visitor = app.visitor();
      const csrf = (await visitor.get('/token')).text;
      expect((await visitor.post('/', { csrf })).status).toBe(204);
      expect((await visitor.post('/')).status).toBe(403);
      const other = app.visitor();
      await other.get('/token');
      other.cookies.set('csrf', visitor.cookies.get('csrf') as string);
      expect((await other.post('/', { csrf })).status, 'the cookie and token of another session').toBe(403);
    });
  });

  describe.each(everyKind)('the state of an OAuth strategy with %s', (kind) => {
    it('is there when the provider sends the visitor back, once', async () => {
      const app = await serve(name, kinds[kind](), (app) => {
        const key = 'oauth2:provider.example';
        type WithState = { [name: string]: { state?: { handle: string; verifier: string } } | undefined };
        app.get('/begin', (req, res) => {
          const session = req.session as unknown as WithState;
          session[key] ??= {};
          const own = session[key];
          own.state = { handle: randomUUID(), verifier: 'v' };
          res.redirect(`/back?state=${own.state.handle}`);
        });
        app.get('/back', (req, res) => {
          const session = req.session as unknown as WithState;
          const own = session[key];
          const good = own?.state !== undefined && own.state.handle === req.query.state;
          if (own) {
            delete own.state;
            if (Object.keys(own).length === 0) delete session[key];
          }
          res.json([good, Object.keys(req.session).filter((name) => !name.startsWith('_'))]);
        });
      });
      const visitor = app.visitor();
      const begun = await visitor.get('/begin');
      expect(JSON.parse((await visitor.follow(begun)).text)).toEqual([true, []]);
      expect(JSON.parse((await visitor.follow(begun)).text)).toEqual([false, []]);
    });
  });

  describe.each(everyKind)('req.sessionID with %s', (kind) => {
    it('is the id, null where there is none, and can be replaced', async () => {
      const app = await serve(name, kinds[kind](), (app) => {
        app.get('/', (req, res) => {
          req.session.set('a', 1);
          const ids = [req.sessionID, req.session.sid];
          req.sessionID = 'mine';
          res.json([...ids, req.sessionID]);
        });
      });
      const visitor = app.visitor();
      const [id, sid, mine] = await json(visitor, '/');
      expect(id).toBe(sid);
      expect(mine).toBe('mine');
      if (inCookie(kind)) expect(id).toBeNull();
      else expect(visitor.cookies.get('session')?.startsWith(id)).toBe(true);
      expect((await json(visitor, '/'))[0]).toBe(id);
    });
  });
});

function cookies(req: Request, _res: Response, next: () => void): void {
  const pairs = (req.headers.cookie ?? '').split(/;\s*/).map((pair) => pair.split(/=(.*)/s, 2));
  req.cookies = Object.fromEntries(pairs);
  next();
}
