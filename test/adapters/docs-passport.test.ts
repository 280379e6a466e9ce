/** The page about Passport, followed from an empty folder. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Visitor } from '../examples/visitor.ts';
import { Page } from './page.ts';

const page = new Page('adapters/passport.md');
beforeAll(() => page.prepare());
afterAll(() => page.remove());

test('app.ts signs in and out', () =>
  page.serving('app.ts', async (url) => {
    const ada = new Visitor(url);
    expect((await ada.get('/')).text).toBe('Who are you?');
    await ada.post('/login', { username: 'ada', password: 'guessed' });
    expect((await ada.get('/')).text).toBe('Who are you?');
    const answer = await ada.post('/login', { username: 'ada', password: 'lovelace' });
    expect((await ada.follow(answer)).text).toBe('You are ada.');
    const thief = ada.copy();
    await ada.post('/logout');
    expect((await ada.get('/')).text).toBe('Who are you?');
    expect((await thief.get('/')).text).toBe('Who are you?');
  }));
