/** The page of the adapter for h3, followed from an empty folder. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Visitor } from '../examples/visitor.ts';
import { Page } from './page.ts';

const page = new Page('adapters/h3.md');
beforeAll(() => page.prepare());
afterAll(() => page.remove());

const post: RequestInit = { method: 'POST' };

test('every snippet is a file', () => expect([...page.files.keys()]).toHaveLength(page.snippets));

test('server.ts counts', () =>
  page.serving('server.ts', async (url) => {
    const ada = new Visitor(url);
    expect((await ada.get('/')).text).toBe('visit 1');
    expect((await ada.get('/')).text).toBe('visit 2');
  }));

test('session.ts', () => {
  const answers = page.ask(
    'session.ts',
    ['/cart/a', post],
    ['/cart/b', post],
    ['/sign-in', post],
    ['/'],
    ['/'],
    ['/sign-out', post],
    ['/'],
  );
  expect(answers.map(({ status, text }) => `${status} ${status === 303 ? '' : text}`)).toEqual([
    '200 1 in the cart',
    '200 2 in the cart',
    '303 ',
    '200 {"member":"ann","messages":[["message","Welcome"]]}',
    '200 {"member":"ann","messages":[]}',
    '303 ',
    '200 {"member":null,"messages":[]}',
  ]);
});

test('typed.ts', () => expect(page.ask('typed.ts', ['/'])[0]?.text).toBe('dark'));

test('stream.ts', () => {
  const answers = page.ask('stream.ts', ['/'], ['/events'], ['/heard']);
  expect(answers.map(({ text }) => text).slice(1)).toEqual(['data: one\n\ndata: two\n\n', 'two']);
});

test('stream.ts ends for a visitor without a session, too', () =>
  expect(page.ask('stream.ts', ['/events'])[0]?.text).toBe('data: one\n\n'));

test('app.test.ts', () => expect(page.test('app.test.ts')).toContain('# pass 1'));

test('errors.ts', () => {
  const [answer] = page.ask('errors.ts', ['/']);
  expect([answer?.status, answer?.text, answer?.setCookie.length]).toEqual([500, 'Sorry.', 1]);
});

test('two.ts', () => expect(page.ask('two.ts', ['/'])[0]?.text).toBe('true true'));
