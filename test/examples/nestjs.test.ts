/** The example for NestJS is compiled as its reader compiles it, and visited. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureBuilt, ROOT } from './built.ts';
import { start, temporaryFolder } from './started.ts';
import { Visitor } from './visitor.ts';

const example = join(ROOT, 'examples', 'nestjs');

beforeAll(async () => {
  await ensureBuilt();
  execFileSync(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', example], { stdio: 'inherit' });
});
afterAll(() => rmSync(join(example, 'dist'), { recursive: true, force: true }));

test('visits are counted, an account is signed in to and out of, and a restart changes nothing', async () => {
  const folder = temporaryFolder();
  const first = await start('nestjs/dist/main.js', {}, folder);
  const ada = new Visitor(first.url);
  expect((await ada.get('/')).text).toContain('Visit 1');
  expect((await ada.get('/account')).status).toBe(403);
  const before = ada.cookies.get('session');
  const signedIn = await ada.post('/sign-in', { name: 'Ada <b>' });
  expect([signedIn.status, ada.cookies.get('session') === before]).toEqual([303, false]);
  const home = await ada.follow(signedIn);
  expect(home.text).toContain('Welcome, Ada &#60;b&#62;');
  expect(home.text).toContain('Visit 2');
  expect((await ada.get('/')).text).not.toContain('Welcome');
  expect((await ada.get('/account')).text).toContain('The account of Ada');
  expect((await new Visitor(first.url).get('/')).text).toContain('Visit 1');

  // Nest ends the process by the signal that it got, after its hooks.
  expect(await first.stop()).toBe(null);
  const second = await start('nestjs/dist/main.js', {}, folder);
  const again = ada.copy(second.url);
  expect((await again.get('/account')).text).toContain('The account of Ada');
  const signedOut = await again.post('/sign-out');
  const stranger = await again.follow(signedOut);
  expect(stranger.text).toContain('Signed out');
  expect(stranger.text).toContain('Visit 1');
  expect((await again.get('/account')).status).toBe(403);
  expect((await again.post('/sign-in', { name: '' })).status).toBe(400);
  expect(second.output()).not.toContain('ERROR');
  await second.stop();
});
