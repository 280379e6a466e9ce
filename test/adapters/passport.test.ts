/** Passport 0.7 with its local strategy, and connect-flash, unchanged, as their guides tell. */
import { type SessionStore, SessionStoreError } from 'flacon';
import { afterEach, describe, expect, it } from 'vitest';
import type { Answer, Visitor } from '../examples/visitor.ts';
import {
  type App,
  authentication,
  breakable,
  closeAll,
  type ExpressName,
  expresses,
  guide,
  inCookie,
  type Kind,
  kinds,
  serve,
} from './passport-app.ts';
import { stores } from './servers.ts';

afterEach(closeAll);

const names = Object.keys(expresses) as ExpressName[];
const ann = { username: 'ann', password: 'ann' };
const bob = { username: 'bob', password: 'bob' };

interface State {
  readonly user: string | null;
  readonly sid: string | null;
  readonly data: Record<string, unknown>;
}
const look = async (visitor: Visitor): Promise<State> => JSON.parse((await visitor.get('/')).text);
const withoutSystem = ({ data }: State) =>
  Object.fromEntries(Object.entries(data).filter(([key]) => !key.startsWith('_')));
const sessionCookies = (answer: Answer) => answer.setCookies.filter((text) => text.startsWith('session='));

describe.each(names)('Passport on %s', (name) => {
  describe.each(Object.keys(kinds) as Kind[])('with %s', (kind) => {
    const start = (): Promise<App> => serve(name, kinds[kind](), (app) => guide(app, authentication()));

    it('signs in under a new id, without what was there before', async () => {
      const visitor = (await start()).visitor();
      await visitor.post('/cart', { item: 'tea' });
      const before = visitor.copy();
      const answer = await visitor.post('/login', ann);
      expect(answer.text).toBe('hello ann');
      expect(sessionCookies(answer)).toHaveLength(1);
      expect(visitor.cookies.get('session')).not.toBe(before.cookies.get('session'));
      const after = await look(visitor);
      expect(after.user).toBe('ann');
      expect(withoutSystem(after)).toEqual({ passport: { user: 'ann' } });
      expect((await visitor.get('/private')).text).toBe('private');
      if (inCookie(kind)) expect(after.sid).toBeNull();
      else expect(withoutSystem(await look(before)), 'the old id opens nothing').toEqual({});
    });

    it('keeps what was there with keepSessionInfo', async () => {
      const visitor = (await start()).visitor();
      await visitor.post('/cart', { item: 'tea' });
      const before = visitor.copy();
      await visitor.post('/login/keep', ann);
      expect(withoutSystem(await look(visitor))).toEqual({ cart: ['tea'], passport: { user: 'ann' } });
      expect(visitor.cookies.get('session')).not.toBe(before.cookies.get('session'));
      const old = await look(before);
      expect(old.user).toBeNull();
      if (!inCookie(kind)) expect(withoutSystem(old)).toEqual({});
      await visitor.post('/cart', { item: 'jam' });
      expect(withoutSystem(await look(visitor))).toEqual({ cart: ['tea', 'jam'], passport: { user: 'ann' } });
    });

    it('signs in a visitor who had no session', async () => {
      const visitor = (await start()).visitor();
      await visitor.post('/login', ann);
      expect(await look(visitor)).toMatchObject({ user: 'ann' });
    });

    it('gives an id that was planted to nobody', async () => {
      const app = await start();
      const attacker = app.visitor();
      await attacker.post('/cart', { item: 'bait' });
      const victim = attacker.copy();
      await victim.post('/login/keep', ann);
      expect(await look(victim)).toMatchObject({ user: 'ann' });
      expect((await look(attacker)).user).toBeNull();
      const inventor = app.visitor();
      inventor.cookies.set('session', 'A'.repeat(43));
      await inventor.post('/login', ann);
      expect(inventor.cookies.get('session')).not.toBe('A'.repeat(43));
    });

    it('changes to another user, without the data of the first', async () => {
      const visitor = (await start()).visitor();
      await visitor.post('/login', ann);
      await visitor.post('/cart', { item: "ann's" });
      await visitor.post('/login', bob);
      expect(withoutSystem(await look(visitor))).toEqual({ passport: { user: 'bob' } });
    });

    it('signs out', async () => {
      const visitor = (await start()).visitor();
      await visitor.post('/login', ann);
      await visitor.post('/cart', { item: 'tea' });
      const before = visitor.copy();
      const answer = await visitor.post('/logout');
      expect(answer.status).toBe(302);
      expect(sessionCookies(answer)).toEqual([expect.stringMatching(/^session=; Expires=Thu, 01 Jan 1970/)]);
      expect(await look(visitor)).toMatchObject({ user: null });
      expect(withoutSystem(await look(visitor))).toEqual({});
      // A cookie that holds the data cannot be called back.
      if (!inCookie(kind)) expect((await look(before)).user).toBeNull();
    });

    it('signs out and keeps the rest with keepSessionInfo', async () => {
      const visitor = (await start()).visitor();
      await visitor.post('/login', ann);
      await visitor.post('/cart', { item: 'tea' });
      const before = visitor.copy();
      await visitor.post('/logout/keep');
      expect(withoutSystem(await look(visitor))).toEqual({ cart: ['tea'], passport: {} });
      if (!inCookie(kind)) expect(withoutSystem(await look(before))).toEqual({});
    });

    it('returns to where the visitor wanted to go', async () => {
      const visitor = (await start()).visitor();
      expect((await visitor.get('/private')).headers.get('location')).toBe('/login');
      const answer = await visitor.post('/login/return', ann);
      expect(answer.headers.get('location')).toBe('/private');
      expect((await visitor.follow(answer)).text).toBe('private');
      expect(withoutSystem(await look(visitor))).toEqual({ passport: { user: 'ann' } });
    });

    it('failureFlash and failureMessage are there after the redirect, once', async () => {
      const visitor = (await start()).visitor();
      const wrong = { username: 'ann', password: 'guess' };
      const flashed = await visitor.post('/login/return', wrong);
      expect(flashed.headers.get('location')).toBe('/login');
      expect(JSON.parse((await visitor.follow(flashed)).text)).toEqual({
        flash: { error: ['wrong name or password'] },
      });
      expect(JSON.parse((await visitor.get('/login')).text)).toEqual({ flash: {} });
      await visitor.post('/login/messages', wrong);
      const twice = await visitor.post('/login/messages', wrong);
      expect(JSON.parse((await visitor.follow(twice)).text)).toEqual({
        flash: {},
        messages: ['wrong name or password', 'wrong name or password'],
      });
      expect(JSON.parse((await visitor.get('/login')).text)).toEqual({ flash: {} });
    });
  });

  describe('parallel requests', () => {
    /** A login that waits in the middle, and what the visitor sends meanwhile. */
    async function during(run: (visitor: Visitor) => Promise<unknown>) {
      let entered = () => {};
      let leave = () => {};
      const inside = new Promise<void>((resolve) => {
        entered = resolve;
      });
      const passport = authentication(() => {
        entered();
        return new Promise((resolve) => {
          leave = resolve;
        });
      });
      const app = await serve(name, kinds['a store that answers late'](), (app) => guide(app, passport));
      const visitor = app.visitor();
      await visitor.post('/cart', { item: 'tea' });
      const other = visitor.copy();
      const login = visitor.post('/login', ann);
      await inside;
      await run(other);
      leave();
      expect((await login).text).toBe('hello ann');
      return { app, visitor, other };
    }

    it('a write under way does not bring the old session back', async () => {
      const { visitor, other } = await during((other) => other.post('/cart', { item: 'jam' }));
      expect(withoutSystem(await look(visitor))).toEqual({ passport: { user: 'ann' } });
      expect(withoutSystem(await look(other))).toEqual({});
      await other.post('/cart', { item: 'rye' });
      expect((await look(other)).user).toBeNull();
      expect(withoutSystem(await look(visitor))).toEqual({ passport: { user: 'ann' } });
    });

    it('the login goes through when the old session ended meanwhile', async () => {
      const { visitor } = await during((other) => other.post('/logout'));
      expect(withoutSystem(await look(visitor))).toEqual({ passport: { user: 'ann' } });
    });

    it('two logins at once sign in', async () => {
      const app = await serve(name, kinds['a store that answers late'](), (app) => guide(app, authentication()));
      const visitor = app.visitor();
      await visitor.post('/cart', { item: 'tea' });
      const all = Array.from({ length: 5 }, () => visitor.copy());
      const answers = await Promise.all(all.map((one) => one.post('/login', ann)));
      expect(answers.map(({ text }) => text)).toEqual(answers.map(() => 'hello ann'));
      const users = await Promise.all(all.map(async (one) => (await look(one)).user));
      expect(users).toContain('ann');
    });

    it.each([
      ['after the login', false],
      ['while the login is being saved', true],
    ])('a request that ends %s does not take the new cookie away', async (_when, between) => {
      let entered = () => {};
      let leave = () => {};
      const inside = new Promise<void>((resolve) => {
        entered = resolve;
      });
      const { asynchronous } = stores();
      let afterDelete = async () => {};
      const store: SessionStore = {
        ...asynchronous,
        delete: async (key) => {
          const there = await asynchronous.delete(key);
          await afterDelete();
          return there;
        },
      };
      const app = await serve(name, { store }, (app) => {
        guide(app, authentication());
        app.post('/slow', (req, res) => {
          req.session.set('slow', true);
          entered();
          new Promise<void>((resolve) => {
            leave = resolve;
          }).then(() => res.sendStatus(204));
        });
      });
      const visitor = app.visitor();
      await visitor.post('/cart', { item: 'tea' });
      const slow = visitor.copy().post('/slow');
      await inside;
      if (between) {
        afterDelete = async () => {
          leave();
          await slow;
        };
      }
      await visitor.post('/login', ann);
      leave();
      expect((await slow).setCookies).toEqual([]);
      expect(app.events).toContainEqual({ type: 'gone' });
      expect(await look(visitor)).toMatchObject({ user: 'ann' });
    });
  });

  describe('when the store is down', () => {
    async function start() {
      const broken = breakable();
      let inside = () => {};
      const passport = authentication(async () => inside());
      const app = await serve(name, { store: broken.store }, (app) => guide(app, passport));
      return { app, broken, breakInside: () => (inside = () => (broken.broken = true)) };
    }

    it('the error of a login goes to the error handler, and nobody is signed in', async () => {
      const { app, broken, breakInside } = await start();
      const visitor = app.visitor();
      await visitor.post('/cart', { item: 'tea' });
      breakInside();
      const answer = await visitor.post('/login', ann);
      expect(answer.status).toBeGreaterThanOrEqual(500);
      expect(answer.text).not.toContain('hello');
      expect(app.errors).toEqual([expect.any(SessionStoreError)]);
      expect(sessionCookies(answer)).toEqual([]);
      broken.broken = false;
      expect((await look(visitor)).user).toBeNull();
    });

    it('the error of a logout, too', async () => {
      const { app, broken } = await start();
      const visitor = app.visitor();
      await visitor.post('/login', ann);
      broken.broken = true;
      const answer = await visitor.post('/logout');
      expect(answer.status).toBeGreaterThanOrEqual(500);
      expect(app.errors).toEqual([expect.any(SessionStoreError)]);
      broken.broken = false;
      expect((await look(visitor)).user, 'the visitor was told that it failed').toBe('ann');
    });
  });

  it('a user who is no more is signed out by passport.session()', async () => {
    const app = await serve(name, kinds["Flask's store"](), (app) => {
      app.get('/plant', (req, res) => {
        req.session.set('passport', { user: 'nobody' });
        res.sendStatus(204);
      });
      guide(app, authentication());
    });
    const visitor = app.visitor();
    await visitor.get('/plant');
    expect((await look(visitor)).user).toBeNull();
    expect(withoutSystem(await look(visitor))).toEqual({ passport: {} });
  });
});
