/** Each program of examples/tutorials does over HTTP what its tutorial says. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from './polling.ts';
import { start, temporaryFolder } from './started.ts';
import { Visitor } from './visitor.ts';

async function visit(program: string, env: Record<string, string> = {}) {
  const started = await start(`tutorials/${program}.ts`, env);
  const visitor = new Visitor(started.url);
  const text = async (path: string) => (await visitor.get(path)).text;
  return { started, visitor, text };
}

/** Days from now at which a Set-Cookie header says that it expires; undefined: with the browser's session. */
function daysLeft(setCookie: string | undefined): number | undefined {
  const expires = /Expires=([^;]+)/.exec(setCookie ?? '')?.[1];
  return expires === undefined ? undefined : (Date.parse(expires) - Date.now()) / 86_400_000;
}

describe('login-form', () => {
  test('asks for a name, remembers it, forgets it', async () => {
    const { visitor, text } = await visit('login-form');
    expect(await text('/')).toBe('You are not logged in');
    expect(await text('/login')).toContain('<input type="submit" value="Login">');
    const answer = await visitor.post('/login', { username: 'Ada' });
    expect(answer.status).toBe(302);
    expect(answer.headers.get('location')).toBe('/');
    expect(await text('/')).toBe('Logged in as Ada');
    expect((await visitor.get('/logout')).headers.get('location')).toBe('/');
    expect(visitor.cookies.size).toBe(0);
    expect(await text('/')).toBe('You are not logged in');
    expect((await visitor.get('/logout')).status).toBe(302);
  });

  test('shows the name escaped', async () => {
    const { visitor, text } = await visit('login-form');
    await visitor.post('/login', { username: '<script>alert("1")</script>' });
    expect(await text('/')).toBe('Logged in as &#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;');
  });

  test('with a SECRET_KEY the session outlives the program; without one it ends with it', async () => {
    for (const [env, expected] of [
      [{ SECRET_KEY: 'a key for tests' }, 'Logged in as Ada'],
      [{}, 'You are not logged in'],
    ] as const) {
      const { started, visitor } = await visit('login-form', env);
      await visitor.post('/login', { username: 'Ada' });
      expect(await started.stop()).toBe(0);
      const again = await start('tutorials/login-form.ts', env);
      expect((await visitor.copy(again.url).get('/')).text).toBe(expected);
    }
  });
});

describe('dictionary', () => {
  test('does what a dictionary does, under a cookie name of its own', async () => {
    const { visitor, text } = await visit('dictionary');
    const json = async (path: string) => JSON.parse(await text(path));
    expect(await json('/get')).toEqual({ language: null, editor: null });
    expect(await json('/get-default')).toEqual({ theme: 'light' });
    await text('/set');
    expect([...visitor.cookies.keys()]).toEqual(['my_session']);
    expect(await json('/get')).toEqual({ language: 'TypeScript', editor: 'any' });
    expect(await json('/in')).toEqual({ language: true });
    expect(await json('/pop')).toEqual({ editor: 'any' });
    expect(await json('/pop')).toEqual({ editor: null });
    await text('/delete');
    expect((await visitor.get('/delete')).status).toBe(200);
    expect(await json('/in')).toEqual({ language: false });
    expect(await json('/count')).toEqual({ visits: 1 });
    expect(await json('/count')).toEqual({ visits: 2 });
    expect(await json('/all')).toEqual({ visits: 2 });
    await text('/clear');
    expect(visitor.cookies.size).toBe(0);
    expect(await json('/all')).toEqual({});
  });

  test('a key that is deleted in the request that set it is never stored', async () => {
    const { visitor, text } = await visit('dictionary');
    const { setCookies } = await visitor.get('/set-and-delete');
    const payload = (setCookies[0] as string).slice('my_session='.length).split('.')[0] as string;
    expect(Buffer.from(payload, 'base64url').toString()).toBe('{"kept":true}');
    expect(JSON.parse(await text('/all'))).toEqual({ kept: true });
  });
});

describe('permanent', () => {
  test.each([
    ['7 days', {}, 7],
    ['31 days, since nothing is set', { LIFETIME: 'none' }, 31],
  ] as [string, Record<string, string>, number][])(
    'the cookie lasts %s, and each answer renews it',
    async (_title, env, days) => {
      const { visitor } = await visit('permanent', env);
      const login = await visitor.get('/login?username=Ada');
      expect(daysLeft(login.setCookies[0])).toBeCloseTo(days, 2);
      const next = await visitor.get('/');
      expect(next.text).toBe('Logged in as Ada');
      expect(daysLeft(next.setCookies[0])).toBeCloseTo(days, 2);
    },
  );

  test('not permanent: the cookie ends with the browser, and is not renewed', async () => {
    const { visitor } = await visit('permanent', { LIFETIME: 'none' });
    const login = await visitor.get('/login?username=Ada&permanent=no');
    expect(login.setCookies).toHaveLength(1);
    expect(daysLeft(login.setCookies[0])).toBeUndefined();
    const next = await visitor.get('/');
    expect(next.text).toBe('Logged in as Ada');
    expect(next.setCookies).toEqual([]);
  });

  test.each(['yes', 'no'])('a short lifetime ends the session on the server (permanent: %s)', async (permanent) => {
    const { visitor } = await visit('permanent', { LIFETIME: '1' });
    await visitor.get(`/login?username=Ada&permanent=${permanent}`);
    const cookie = visitor.cookies.get('session') as string;
    await eventually(
      async () => {
        // A client that heeds no expiry, and does not take the renewed cookie either.
        const late = visitor.copy();
        late.cookies.set('session', cookie);
        return (await late.get('/')).text;
      },
      (text) => text === 'You are not logged in',
    );
  });
});

describe('filesystem', () => {
  test('keeps sessions in files with the mode that is set, across a restart', async () => {
    const folder = join(temporaryFolder(), 'sessions');
    const { started, visitor, text } = await visit('filesystem', { SESSION_FILE_DIR: folder });
    expect(await text('/get')).toBe('not set');
    await text('/set/blue');
    expect(visitor.cookies.get('session')).toMatch(/^[\w-]{43}$/);
    const modes = readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777);
    expect(modes.length).toBeGreaterThan(0);
    for (const mode of modes) expect(mode.toString(8)).toBe('600');
    await started.stop('SIGKILL');
    const again = await start('tutorials/filesystem.ts', { SESSION_FILE_DIR: folder });
    expect((await visitor.copy(again.url).get('/get')).text).toBe('blue');
  });

  test('prunes what is over the threshold of 300, the newest last', async () => {
    const folder = join(temporaryFolder(), 'sessions');
    const { started } = await visit('filesystem', { SESSION_FILE_DIR: folder });
    const visitors = Array.from({ length: 320 }, () => new Visitor(started.url));
    for (const visitor of visitors) await visitor.get('/set/blue');
    // It looks before it writes, as Flask's does, hence one more; another file is the count that both share.
    expect(readdirSync(folder).length).toBeLessThanOrEqual(302);
    expect((await (visitors.at(-1) as Visitor).get('/get')).text).toBe('blue');
    const kept = await Promise.all(visitors.map(async (visitor) => (await visitor.get('/get')).text === 'blue'));
    expect(kept.filter(Boolean).length).toBeGreaterThan(250);
    expect(kept.filter(Boolean).length).toBeLessThanOrEqual(301);
  });
});

test('null: the session is in a signed cookie, which can be read and not changed', async () => {
  const { visitor, text } = await visit('null');
  await text('/set/blue');
  const cookie = visitor.cookies.get('session') as string;
  expect(Buffer.from(cookie.split('.')[0] as string, 'base64url').toString()).toBe('{"value":"blue"}');
  expect(await text('/get')).toBe('blue');
  const forged = Buffer.from('{"value":"gold"}').toString('base64url') + cookie.slice(cookie.indexOf('.'));
  visitor.cookies.set('session', forged);
  expect(await text('/get')).toBe('not set');
});

describe('cookie-options', () => {
  test('the cookie has all attributes, and so has its deletion', async () => {
    const { visitor } = await visit('cookie-options');
    const [set] = (await visitor.get('/set/blue')).setCookies;
    expect(set).toMatch(
      /^session_id=[\w.-]+; Domain=127\.0\.0\.1; Expires=[^;]+ GMT; HttpOnly; Path=\/; SameSite=Lax$/,
    );
    const [clear] = (await visitor.get('/clear')).setCookies;
    expect(clear).toBe(
      'session_id=; Domain=127.0.0.1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/; SameSite=Lax',
    );
  });

  test('SESSION_COOKIE_SECURE adds Secure', async () => {
    const { visitor } = await visit('cookie-options', { SECURE: 'true' });
    expect((await visitor.get('/set/blue')).setCookies[0]).toContain('; Secure; HttpOnly;');
  });

  test.each([
    ['true', 1],
    ['false', 0],
  ])('SESSION_REFRESH_EACH_REQUEST %s', async (REFRESH, cookies) => {
    const { visitor } = await visit('cookie-options', { REFRESH });
    await visitor.get('/set/blue');
    const read = await visitor.get('/get');
    expect(read.text).toBe('blue');
    expect(read.setCookies).toHaveLength(cookies);
  });
});

test('deferred-setup: one session object, bound to two applications', async () => {
  const { text } = await visit('deferred-setup');
  expect(await text('/two/get')).toBe('not set');
  await text('/one/set/blue');
  expect(await text('/one/get')).toBe('blue');
  expect(await text('/two/get')).toBe('blue');
});

describe('plain-cookies', () => {
  test('sets, reads and deletes', async () => {
    const { visitor, text } = await visit('plain-cookies');
    expect(await text('/get')).toBe('username: not set');
    await text('/set');
    expect(await text('/get')).toBe('username: Zoë; &#34;the&#34; visitor');
    await text('/delete');
    expect(visitor.cookies.size).toBe(0);
    expect(await text('/get')).toBe('username: not set');
  });

  test('max age, expiry date, domain and path', async () => {
    const { visitor } = await visit('plain-cookies');
    const [all] = (await visitor.get('/set-with-everything')).setCookies;
    expect(all).toMatch(
      /^username=flacon; Max-Age=604800; Domain=127\.0\.0\.1; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
    );
    expect(daysLeft(all)).toBeCloseTo(7, 2);
    expect((await visitor.get('/set-until')).setCookies).toEqual([
      'username=flacon; Path=/; Expires=Thu, 31 Dec 2037 00:00:00 GMT',
    ]);
    // Deleting names each domain and path that it was set with.
    const deletions = (await visitor.get('/delete')).setCookies;
    expect(deletions.map((text) => text.includes('Domain=127.0.0.1'))).toEqual([false, true]);
  });

  test('a cookie that is not percent-encoded text is none', async () => {
    const { visitor, text } = await visit('plain-cookies');
    visitor.cookies.set('username', '%E0%A4%A');
    expect(await text('/get')).toBe('username: not set');
  });
});

describe('life-cycle', () => {
  test('open, handler, save', async () => {
    const { started, text } = await visit('life-cycle', { SECRET_KEY: 'a key for tests' });
    await text('/set/Ada');
    expect(await text('/get')).toBe('Hello, Ada');
    const order = ['open_session', 'handler', 'save_session'];
    const steps = await eventually(
      async () => started.output().trim().split('\n').slice(1),
      (lines) => lines.length === 6,
    );
    expect(steps).toEqual([...order, ...order]);
  });

  test('without a secret key reading works, and writing explains itself', async () => {
    const { started, visitor, text } = await visit('life-cycle');
    expect(await text('/get')).toBe('Hello, nobody');
    const refused = await visitor.get('/set/Ada');
    expect(refused.status).toBe(500);
    expect(refused.text).toMatch(/no secret key was set/);
    expect(refused.setCookies).toEqual([]);
    const steps = await eventually(
      async () => started.output().trim().split('\n').slice(1),
      (lines) => lines.length === 6,
    );
    expect(steps).toEqual([
      'open_session',
      'make_null_session',
      'handler',
      'open_session',
      'make_null_session',
      'handler',
    ]);
  });
});
