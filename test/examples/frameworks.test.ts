/** One small site in each framework (examples/express, examples/koa, …), as a visitor uses it. */
import { describe, expect, test } from 'vitest';
import { start, temporaryFolder } from './started.ts';
import { Visitor } from './visitor.ts';

const FRAMEWORKS = ['elysia', 'express', 'fastify', 'fetch', 'h3', 'hono', 'koa', 'node'];

/** Hono writes the named entities, the others numbers. */
const plain = (html: string) => html.replace(/&(#60|lt);/g, '<').replace(/&(#62|gt);/g, '>');

describe.each(FRAMEWORKS)('examples/%s', (framework) => {
  const program = `${framework}/server.ts`;

  test('counts visits, signs in and out, and says so once', async () => {
    const site = await start(program);
    const ada = new Visitor(site.url);
    expect((await ada.get('/')).text).toContain('Visit 1');
    expect((await ada.get('/')).text).toContain('Visit 2');
    expect((await new Visitor(site.url).get('/')).text).toContain('Visit 1');

    const planted = ada.copy();
    const welcome = await ada.follow(await ada.post('/sign-in', { username: '<Ada>' }));
    expect(welcome.text).not.toContain('<Ada>');
    expect(plain(welcome.text)).toContain('Welcome, <Ada>.');
    expect(welcome.text).toContain('Visit 3');
    const again = await ada.get('/');
    expect(plain(again.text)).toContain('You are <Ada>.');
    expect(again.text).not.toContain('Welcome');
    expect((await planted.get('/')).text).toContain('Visit 1');

    const thief = ada.copy();
    const signedOut = await ada.follow(await ada.post('/sign-out'));
    expect(signedOut.text).toContain('You are signed out.');
    expect(signedOut.text).toContain('Visit 1');
    expect((await thief.get('/')).text).not.toContain('You are');
    expect((await ada.get('/')).text).not.toContain('signed out');
    expect(await site.stop()).toBe(0);
  });

  test('a name is needed', async () => {
    const site = await start(program);
    const answer = await new Visitor(site.url).post('/sign-in', { username: ' ' });
    expect([answer.status, answer.setCookies]).toEqual([400, []]);
    expect(answer.text).toContain('Who are you?');
    expect(await site.stop()).toBe(0);
  });

  test('sessions outlive the program', async () => {
    const folder = temporaryFolder();
    const first = await start(program, {}, folder);
    const ada = new Visitor(first.url);
    await ada.get('/');
    await first.stop('SIGKILL');
    const second = await start(program, {}, folder);
    expect((await ada.copy(second.url).get('/')).text).toContain('Visit 2');
    expect(await second.stop()).toBe(0);
  });
});

test('examples/node: a form without an end is refused, and a page that is not there', async () => {
  const site = await start('node/server.ts');
  const visitor = new Visitor(site.url);
  expect((await visitor.post('/sign-in', { username: 'x'.repeat(20_000) })).status).toBe(500);
  expect((await visitor.get('/constructor')).status).toBe(404);
  expect((await visitor.get('/')).text).toContain('Visit 1');
  expect(await site.stop()).toBe(0);
});
