/** The page of the adapter for Fastify, followed from an empty folder. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Visitor } from '../examples/visitor.ts';
import { Page } from './page.ts';

const page = new Page('adapters/fastify.md');
beforeAll(() => page.prepare());
afterAll(() => page.remove());

test('every snippet is a file', () => expect([...page.files.keys()]).toHaveLength(page.snippets));

test('they compile, with the configuration of the page', () => expect(page.compile()).toBe(''));

test.each(['server.ts', 'server.cjs'])('%s counts', (file) =>
  page.serving(file, async (url) => {
    const ada = new Visitor(url);
    expect((await ada.get('/')).text).toBe('visit 1');
    expect((await ada.get('/')).text).toBe('visit 2');
    expect((await new Visitor(url).get('/')).text).toBe('visit 1');
  }),
);

test('account.ts signs in and out', () =>
  page.serving('account.ts', async (url) => {
    const visitor = new Visitor(url);
    expect((await visitor.get('/')).text).toBe('Who are you?');
    expect((await visitor.follow(await visitor.send('POST', '/sign-in/Ada'))).text).toBe('Hello, Ada.');
    await visitor.send('POST', '/sign-out');
    expect(visitor.cookies.size).toBe(0);
    expect((await visitor.get('/')).text).toBe('Who are you?');
  }));

test('admin.ts keeps its part apart', () =>
  page.serving('admin.ts', async (url) => {
    const visitor = new Visitor(url);
    expect((await visitor.get('/')).setCookies).toEqual([]);
    expect((await visitor.get('/admin')).status).toBe(401);
    expect((await visitor.send('POST', '/admin/sign-in')).setCookies[0]).toMatch(/^admin=.*Path=\/admin/);
    expect((await visitor.get('/admin')).text).toBe('Hello, ada.');
  }));

test('events.ts saves what it changes while it sends', () =>
  page.serving('events.ts', async (url) => {
    const visitor = new Visitor(url);
    expect((await visitor.get('/events')).text.match(/event \d/g)).toEqual(['event 1', 'event 2', 'event 3']);
    expect((await visitor.get('/heard')).text).toBe('3');
  }));

test('errors.ts answers for its store', () =>
  page.serving('errors.ts', async (url) => {
    const answer = await new Visitor(url).get('/');
    expect([answer.status, answer.text, answer.setCookies]).toEqual([503, 'We will be back in a moment.', []]);
  }));

test('app.test.ts passes', () => expect(page.test('app.test.ts')).toContain('# pass 1\n# fail 0'));
