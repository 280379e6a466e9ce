/** The page of the adapter for the Fetch API, followed from an empty folder. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Visitor } from '../examples/visitor.ts';
import { Page } from './page.ts';

const page = new Page('adapters/fetch.md');
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
    ['/cart', post],
    ['/cart', post],
    ['/sign-in', post],
    ['/'],
    ['/'],
    ['/sign-out', post],
    ['/'],
  );
  expect(answers.map(({ status, text }) => `${status} ${text}`)).toEqual([
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

test('app.test.ts', () => expect(page.test('app.test.ts')).toContain('# pass 1'));

test('errors.ts', () => {
  const [answer] = page.ask('errors.ts', ['/']);
  expect([answer?.status, answer?.text, answer?.setCookie.length]).toEqual([500, 'Sorry.', 1]);
  expect(page.ask('errors.ts', ['/account'])).toMatchObject([{ status: 401, text: 'Sign in first.' }]);
});

test('two.ts', () => expect(page.ask('two.ts', ['/'])[0]?.text).toBe('true true'));

test('by-hand.ts', () => {
  const code = `
    import { action } from './by-hand.ts';
    const jar = new Map();
    const cookies = { set: (name, value, options) => jar.set(name, [value, options.httpOnly]) };
    const request = () => new Request('http://localhost/', { headers: { cookie: [...jar].map(([n, [v]]) => n + '=' + v).join() } });
    console.log(await action(request(), cookies), await action(request(), cookies), jar.get('session')[1]);`;
  expect(page.run(code)).toBe('1 2 true\n');
});
