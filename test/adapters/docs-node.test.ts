/** The page of the adapter for `node:http`, followed from an empty folder. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Visitor } from '../examples/visitor.ts';
import { Page } from './page.ts';

const page = new Page('adapters/node.md');
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
    const ada = new Visitor(url);
    expect((await ada.get('/')).text).toBe('Who are you?');
    const answer = await ada.post('/sign-in', { name: 'Ada' });
    expect((await ada.follow(answer)).text).toBe('Welcome.\nYou are Ada.');
    expect((await ada.get('/')).text).toBe('You are Ada.');
    const thief = ada.copy();
    await ada.post('/sign-out');
    expect(ada.cookies.size).toBe(0);
    expect((await thief.get('/')).text).toBe('Who are you?');
  }));

test('events.ts saves what it changes while it sends', () =>
  page.serving('events.ts', async (url) => {
    const visitor = new Visitor(url);
    expect((await visitor.get('/events')).text.match(/event \d/g)).toEqual(['event 1', 'event 2', 'event 3']);
    expect((await visitor.get('/')).text).toBe('heard 3');
  }));

test('errors.ts answers for its store and for its listener', () =>
  page.serving('errors.ts', async (url) => {
    const visitor = new Visitor(url);
    const down = await visitor.get('/');
    expect([down.status, down.text, down.setCookies]).toEqual([503, 'We will be back in a moment.', []]);
    const broken = await visitor.get('/broken');
    expect([broken.status, broken.text]).toEqual([500, 'Sorry.']);
  }));

test('proxy.ts believes its proxy', () =>
  page.serving('proxy.ts', async (url) => {
    const secure = await new Visitor(url, { 'x-forwarded-proto': 'https' }).get('/');
    expect(secure.setCookies[0]).toMatch(/; Secure;/);
    const plain = await new Visitor(url).get('/');
    expect(plain.setCookies[0]).not.toMatch(/; Secure;/);
  }));

test('two.ts counts apart', () =>
  page.serving('two.ts', async (url) => {
    const visitor = new Visitor(url);
    expect((await visitor.get('/about')).headers.get('vary')).toBeNull();
    expect((await visitor.get('/')).text).toBe('visit 1');
    const answer = await visitor.get('/admin');
    expect(answer.text).toBe('visit 2, as an administrator 1');
    expect(answer.setCookies.find((text) => text.startsWith('admin='))).toMatch(/; Path=\/admin; SameSite=Strict/);
    visitor.cookies.set('session', visitor.cookies.get('admin')!);
    expect((await visitor.get('/')).text).toBe('visit 1');
  }));

test('server.test.ts passes', () => expect(page.test('server.test.ts')).toContain('# pass 1\n# fail 0'));
