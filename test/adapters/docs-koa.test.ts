/** The page of the adapter for Koa, followed from an empty folder. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Visitor } from '../examples/visitor.ts';
import { Page } from './page.ts';

const page = new Page('adapters/koa.md');
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
    await visitor.get('/sign-in/Ada');
    expect((await visitor.get('/')).text).toBe('Hello, Ada.');
    await visitor.get('/sign-out');
    expect(visitor.cookies.size).toBe(0);
    expect((await visitor.get('/')).text).toBe('Who are you?');
  }));

test('events.ts saves what it changes while it sends', () =>
  page.serving('events.ts', async (url) => {
    const visitor = new Visitor(url);
    expect((await visitor.get('/events')).text.match(/event \d/g)).toEqual(['event 1', 'event 2', 'event 3']);
    expect((await visitor.get('/')).text).toBe('3');
  }));

test('errors.ts answers for its store', () =>
  page.serving('errors.ts', async (url) => {
    const answer = await new Visitor(url).get('/');
    expect([answer.status, answer.text, answer.setCookies]).toEqual([503, 'We will be back in a moment.', []]);
  }));

test('app.test.ts passes', () => expect(page.test('app.test.ts')).toContain('# pass 1\n# fail 0'));
