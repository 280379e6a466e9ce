/** The program in examples/express, as a visitor uses it. */
import { expect, test } from 'vitest';
import { start, temporaryFolder } from './started.ts';
import { Visitor } from './visitor.ts';

const PROGRAM = 'express/server.ts';

test('counts visits, signs in and out, and says so once', async () => {
  const program = await start(PROGRAM);
  const ada = new Visitor(program.url);
  expect((await ada.get('/')).text).toContain('Visit 1');
  expect((await ada.get('/')).text).toContain('Visit 2');
  expect((await new Visitor(program.url).get('/')).text).toContain('Visit 1');

  const planted = ada.copy();
  const welcome = await ada.follow(await ada.post('/sign-in', { username: '<Ada>' }));
  expect(welcome.text).toContain('Welcome, &#60;Ada&#62;.');
  expect(welcome.text).toContain('Visit 3');
  const again = await ada.get('/');
  expect(again.text).toContain('You are &#60;Ada&#62;.');
  expect(again.text).not.toContain('Welcome');
  expect((await planted.get('/')).text).toContain('Visit 1');

  const thief = ada.copy();
  const signedOut = await ada.follow(await ada.post('/sign-out'));
  expect(signedOut.text).toContain('You are signed out.');
  expect(signedOut.text).toContain('Visit 1');
  expect((await thief.get('/')).text).not.toContain('You are');
  expect((await ada.get('/')).text).not.toContain('signed out');
  expect(await program.stop()).toBe(0);
});

test('a name is needed', async () => {
  const program = await start(PROGRAM);
  const answer = await new Visitor(program.url).post('/sign-in', { username: ' ' });
  expect([answer.status, answer.text, answer.setCookies]).toEqual([400, 'Who are you?', []]);
  expect(await program.stop()).toBe(0);
});

test('sessions outlive the program', async () => {
  const folder = temporaryFolder();
  const first = await start(PROGRAM, {}, folder);
  const ada = new Visitor(first.url);
  await ada.get('/');
  await first.stop('SIGKILL');
  const second = await start(PROGRAM, {}, folder);
  expect((await ada.copy(second.url).get('/')).text).toContain('Visit 2');
  expect(await second.stop()).toBe(0);
});
