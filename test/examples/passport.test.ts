/** The program in examples/passport, as a visitor uses it. */
import { afterEach, describe, expect, it } from 'vitest';
import { type Started, start } from './started.ts';
import { Visitor } from './visitor.ts';

const ada = { username: 'ada', password: 'analytical engine' };
let started: Started | undefined;
afterEach(async () => {
  await started?.stop();
});

describe.each<[string, Record<string, string>]>([
  ['the embedded store', {}],
  ['a cookie', { SECRET_KEY: 'a secret of these tests, thirty-two bytes or more' }],
])('with sessions in %s', (_name, env) => {
  async function visit(): Promise<Visitor> {
    started = await start('passport/server.ts', env);
    return new Visitor(started.url);
  }

  it('signs in, goes where the visitor wanted to go, and signs out', async () => {
    const visitor = await visit();
    const sent = await visitor.get('/account');
    expect(sent.headers.get('location')).toBe('/login');
    await visitor.follow(sent);
    const before = visitor.cookies.get('session');
    const answer = await visitor.submit('/login', ada);
    expect(answer.headers.get('location')).toBe('/account');
    expect(visitor.cookies.get('session')).not.toBe(before);
    expect((await visitor.follow(answer)).text).toContain('Only ada can see this.');
    expect((await visitor.get('/')).text).toContain('You are ada.');
    expect((await visitor.submit('/logout')).status).toBe(302);
    expect(visitor.cookies.size).toBe(0);
    expect((await visitor.get('/')).text).toContain('Sign in');
  });

  it('says once that the password is wrong', async () => {
    const visitor = await visit();
    await visitor.get('/login');
    const answer = await visitor.submit('/login', { ...ada, password: '<b>' });
    expect((await visitor.follow(answer)).text).toContain('<p role="alert">Wrong name or password.</p>');
    expect((await visitor.get('/login')).text).not.toContain('role="alert"');
  });

  it('refuses a form without the token of the session', async () => {
    const visitor = await visit();
    await visitor.get('/login');
    expect((await visitor.post('/login', ada)).status).toBe(403);
    expect((await visitor.post('/login', { ...ada, csrf: 'x' })).status).toBe(403);
  });
});
