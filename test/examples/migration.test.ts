/** The application on express-session, stopped and started anew on flacon, for a visitor who keeps their cookies. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { start, temporaryFolder } from './started.ts';
import { Visitor } from './visitor.ts';

test('whoever was signed in still is, and signs out once', async () => {
  const folder = temporaryFolder();
  const records = () => readdirSync(join(folder, 'sessions')).length;

  const before = await start('migration/before.ts', {}, folder);
  const ada = new Visitor(before.url);
  await ada.get('/login/ada');
  expect((await ada.get('/')).text).toBe('ada, visit 1');
  const grace = new Visitor(before.url);
  await grace.get('/login/grace');
  expect(records()).toBe(2);
  await before.stop();

  const after = await start('migration/after.ts', {}, folder);
  const here = ada.copy(after.url);
  expect((await here.get('/')).text).toBe('ada, visit 2');
  expect([...here.cookies.keys()]).toEqual(['session']);
  expect((await here.get('/')).text).toBe('ada, visit 3');
  expect(records()).toBe(1);
  expect(after.output()).toContain('taken over: 1');

  const there = grace.copy(after.url);
  await there.get('/logout');
  expect(there.cookies.size).toBe(0);
  expect(records()).toBe(0);
  expect((await grace.copy(after.url).get('/')).text).toBe('nobody');
  expect((await here.get('/')).text).toBe('ada, visit 4');
});
