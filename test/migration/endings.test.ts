/** What is over stays over: signing out, signing in anew, and servers that still run on express-session. */
import { createHash } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { closeSites } from './apps.ts';
import { dataOf, Stage } from './stage.ts';

afterAll(closeSites);

const ADA = { passport: { user: 'ada' } };

describe('signing out', () => {
  test.each(['/logout', '/empty', '/expire'])('with the very request that moves the session (%s)', async (path) => {
    const stage = new Stage();
    const ada = await stage.ada();
    const thief = ada.copy();
    const answer = await ada.get(path);
    expect(answer.setCookies.map((text) => text.split(';')[0])).toEqual(['session=', 'connect.sid=']);
    expect(ada.cookies.size).toBe(0);
    expect(stage.former.size).toBe(0);
    expect(dataOf(await thief.get('/me'))).toEqual({});
    expect(thief.cookies.has('session')).toBe(false);
  });

  test('later ends what the old cookie leads to', async () => {
    const stage = new Stage();
    const ada = await stage.ada();
    const thief = ada.copy();
    await ada.get('/me');
    expect(dataOf(await thief.copy().get('/me'))).toEqual(ADA);
    await ada.get('/logout');
    expect(dataOf(await thief.get('/me'))).toEqual({});
    expect(dataOf(await ada.get('/me'))).toEqual({});
  });

  test('is not undone by a server that still runs on express-session and saves the record again', async () => {
    const stage = new Stage();
    const ada = await stage.ada();
    const [sid, record] = Object.entries(
      (stage.former as unknown as { sessions: Record<string, string> }).sessions,
    )[0] as [string, string];
    const thief = ada.copy();
    await ada.get('/me');
    await ada.get('/logout');
    stage.former.set(sid, JSON.parse(record));
    expect(stage.former.size).toBe(1);
    expect(dataOf(await thief.get('/me'))).toEqual({});
    expect(stage.events.types.slice(-1)).toEqual(['not-resumed unknown-id']);
  });

  test.each(['/logout', '/empty', '/expire'])(
    'ends a session of each library, where the visitor has both cookies (%s)',
    async (path) => {
      const stage = new Stage();
      const site = await stage.flacon();
      const ada = await stage.ada(site);
      const both = site.visitor();
      await both.get('/put/colour/mauve');
      both.cookies.set('connect.sid', ada.cookies.get('connect.sid') as string);
      expect(dataOf(await both.get('/me'))).toEqual({ colour: 'mauve' });
      expect(stage.former.calls).toEqual([]);
      await both.get(path);
      expect(both.cookies.size).toBe(0);
      expect(stage.former.size).toBe(0);
      expect(dataOf(await ada.get('/me'))).toEqual({});
    },
  );

  test('ends what another request moved with the old cookie of a visitor who has both', async () => {
    const stage = new Stage();
    const site = await stage.flacon();
    const ada = await stage.ada(site);
    const both = site.visitor();
    await both.get('/put/colour/mauve');
    both.cookies.set('connect.sid', ada.cookies.get('connect.sid') as string);
    const moved = ada.copy();
    expect(dataOf(await moved.get('/me'))).toEqual(ADA);
    await both.get('/logout');
    expect(dataOf(await moved.get('/me'))).toEqual({});
    expect(dataOf(await ada.get('/me'))).toEqual({});
  });
});

test('signing in anew with the request that moves the session: another id, and the old cookie is dead', async () => {
  const stage = new Stage();
  const ada = await stage.ada();
  const old = ada.copy();
  await ada.get('/renew');
  expect(ada.cookies.has('connect.sid')).toBe(false);
  expect(dataOf(await ada.get('/me'))).toEqual(ADA);
  expect(dataOf(await old.get('/me'))).toEqual({});
  expect(stage.former.size).toBe(0);
  expect(stage.events.types.slice(0, 2)).toEqual(['migrated', 'regenerated']);
});

test('a stale cookie of ours beside a live one of theirs', async () => {
  const stage = new Stage();
  const ada = await stage.ada();
  ada.cookies.set('session', 'x'.repeat(43));
  expect(dataOf(await ada.get('/me'))).toEqual(ADA);
  expect([...ada.cookies.keys()]).toEqual(['session']);
  expect(stage.events.types).toEqual(['not-resumed unknown-id', 'migrated']);
});

describe('a note', () => {
  test.each([true, false])('cannot be opened as a session (hashIds: %s)', async (hashIds) => {
    const stage = new Stage({ hashIds });
    const site = await stage.flacon();
    const ada = await stage.ada(site);
    const thief = ada.copy();
    await ada.get('/me');
    const own = ada.cookies.get('session') as string;
    // Who has the old cookie can work out what a note is called.
    const id = decodeURIComponent(thief.cookies.get('connect.sid') as string)
      .slice(2)
      .split('.')[0] as string;
    const digest = createHash('sha256').update('flacon moved express-session ').update(id).digest('base64url');
    const names = [digest, `moved:${digest}`, ...[...stage.store.keys].map((key) => key.replace('session:', ''))];
    expect(names).toHaveLength(4);
    for (const name of names.filter((known) => known !== own)) {
      const curious = site.visitor();
      curious.cookies.set('session', name);
      expect(dataOf(await curious.get('/me'))).toEqual({});
      await curious.get('/logout');
    }
    expect(dataOf(await thief.get('/me'))).toEqual(ADA);
  });
});

describe('the old cookie alone, after the move', () => {
  test('leads to the session for as long as it would have lasted', async () => {
    let now = Date.now();
    const stage = new Stage({ now: () => now, idleTimeout: 3600 });
    const before = await stage.expressSession({ cookie: { maxAge: 2 * 3600_000 } });
    const visitor = before.visitor();
    await visitor.get('/login/ada');
    const site = await stage.flacon();
    const ada = visitor.copy(site.url);
    const lost = ada.copy();
    for (const _ of [1, 2, 3]) {
      await ada.get('/put/at/work');
      expect(dataOf(await lost.copy().get('/me'))).toMatchObject(ADA);
      now += 3000_000;
    }
  });

  test('no longer than the grace that was asked for', async () => {
    let now = Date.now();
    const stage = new Stage({ now: () => now }, { grace: 60 });
    const ada = await stage.ada();
    const lost = ada.copy();
    await ada.get('/me');
    now += 59_000;
    expect(dataOf(await lost.copy().get('/me'))).toEqual(ADA);
    now += 1000;
    expect(dataOf(await lost.copy().get('/me'))).toEqual({});
    expect(stage.events.types.slice(-1)).toEqual(['not-resumed expired']);
    expect(dataOf(await ada.get('/me'))).toEqual(ADA);
  });

  test('does not outlive the session it leads to', async () => {
    let now = Date.now();
    const stage = new Stage({ now: () => now, idleTimeout: 600 });
    const ada = await stage.ada();
    const lost = ada.copy();
    await ada.get('/me');
    now += 601_000;
    expect(dataOf(await lost.get('/me'))).toEqual({});
  });
});

test('while both versions run, the old one knows the visitor no more, and the new one does', async () => {
  const stage = new Stage();
  const old = await stage.expressSession();
  const ada = await stage.ada();
  await ada.get('/me');
  const back = ada.copy(old.url);
  expect(dataOf(await back.get('/me'))).toEqual({});
  // What it does there makes no difference here.
  await back.get('/put/colour/mauve');
  const again = back.copy((await stage.flacon()).url);
  expect(dataOf(await again.get('/me'))).toEqual(ADA);
});
