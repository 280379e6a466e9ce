/** The page of the adapter for Fastify: every snippet runs, as the page says. */
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Visitor } from '../examples/visitor.ts';
import { type DocsPage, docsPage } from './docs-page.ts';

let page: DocsPage;
const apps: FastifyInstance[] = [];
beforeAll(async () => {
  page = await docsPage('fastify');
});
afterAll(async () => {
  for (const app of apps) await app.close();
  await page?.close();
});

/** Requests to the program of a file, through `inject`, by somebody who keeps cookies. */
async function visit(name: string) {
  const { app } = await page.load<{ app: FastifyInstance }>(name);
  apps.push(app);
  const jar = new Map<string, string>();
  return async (url: string, method: 'GET' | 'POST' = 'GET') => {
    const answer = await app.inject({ url, method, cookies: Object.fromEntries(jar) });
    for (const { name, value } of answer.cookies) jar.set(name, value);
    return answer;
  };
}

test('every snippet is a file', () => {
  expect([...page.files.keys()]).toEqual([
    'server.ts',
    'account.ts',
    'admin.ts',
    'events.ts',
    'app.test.ts',
    'errors.ts',
  ]);
  expect(page.snippets).toBe(page.files.size);
});

test('server.ts counts', async () => {
  const visitor = new Visitor(await page.serve());
  expect((await visitor.get('/')).text).toBe('visit 1');
  expect((await visitor.get('/')).text).toBe('visit 2');
});

test('app.test.ts passes', () => {
  expect(page.test()).toContain('# pass 1\n# fail 0');
});

describe('the others do what the page says', () => {
  test('account.ts', async () => {
    const ask = await visit('account.ts');
    expect((await ask('/')).body).toBe('Who are you?');
    expect((await ask('/sign-in/Ada', 'POST')).headers.location).toBe('/');
    expect((await ask('/')).body).toBe('Hello, Ada.');
    expect((await ask('/sign-out', 'POST')).headers['set-cookie']).toMatch(/Max-Age=0/);
    expect((await ask('/')).body).toBe('Who are you?');
  });

  test('admin.ts', async () => {
    const ask = await visit('admin.ts');
    expect((await ask('/')).cookies).toEqual([]);
    expect((await ask('/admin')).statusCode).toBe(401);
    expect((await ask('/admin/sign-in', 'POST')).headers['set-cookie']).toMatch(/^admin=.*Path=\/admin/);
    expect((await ask('/admin')).body).toBe('Hello, ada.');
  });

  test('events.ts', async () => {
    const ask = await visit('events.ts');
    expect((await ask('/events')).body.match(/event \d/g)).toEqual(['event 1', 'event 2', 'event 3']);
    expect((await ask('/heard')).body).toBe('3');
  });

  test('errors.ts', async () => {
    const answer = await (await visit('errors.ts'))('/');
    expect([answer.statusCode, answer.body]).toEqual([503, 'We will be back in a moment.']);
  });
});
