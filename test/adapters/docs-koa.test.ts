/** The page of the adapter for Koa: every snippet runs, as the page says. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type Koa from 'koa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Visitor } from '../examples/visitor.ts';
import { type DocsPage, docsPage } from './docs-page.ts';

let page: DocsPage;
const servers: Server[] = [];
beforeAll(async () => {
  page = await docsPage('koa');
});
afterAll(async () => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  await page?.close();
});

async function visit(name: string): Promise<Visitor> {
  const { app } = await page.load<{ app: Koa }>(name);
  const server = app.listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return new Visitor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

test('every snippet is a file', () => {
  expect([...page.files.keys()]).toEqual(['server.ts', 'account.ts', 'events.ts', 'app.test.ts', 'errors.ts']);
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
    const visitor = await visit('account.ts');
    expect((await visitor.get('/')).text).toBe('Who are you?');
    await visitor.get('/sign-in/Ada');
    expect((await visitor.get('/')).text).toBe('Hello, Ada.');
    await visitor.get('/sign-out');
    expect(visitor.cookies.size).toBe(0);
    expect((await visitor.get('/')).text).toBe('Who are you?');
  });

  test('events.ts', async () => {
    const visitor = await visit('events.ts');
    expect((await visitor.get('/events')).text.match(/event \d/g)).toEqual(['event 1', 'event 2', 'event 3']);
    expect((await visitor.get('/')).text).toBe('3');
  });

  test('errors.ts', async () => {
    const answer = await (await visit('errors.ts')).get('/');
    expect([answer.status, answer.text]).toEqual([503, 'We will be back in a moment.']);
  });
});
