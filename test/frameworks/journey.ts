/**
 * What every example does: `/` shows messages, who is signed in, and how many visits were counted; `POST /visits` counts
 * one and answers `{ visits }`.
 */
import { expect, it } from 'vitest';
import type { Application } from './application.ts';
import { Browser, type Page } from './browser.ts';

/** The text of a page, as a visitor reads it. */
export function seen({ text }: Page): string {
  return text
    .replaceAll(/<(script|style|template)[\s\S]*?<\/\1>/g, '')
    .replaceAll(/<!--[\s\S]*?-->/g, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');
}

/** Signs in at `/`, and answers the page that follows. */
export async function signIn(browser: Browser, user = 'ada'): Promise<{ answer: Page; page: Page }> {
  const answer = await browser.submit(await browser.get('/'), 'Sign in', { user });
  return { answer, page: await browser.follow(answer) };
}

export async function count(browser: Browser): Promise<number> {
  const { text, status } = await browser.post('/visits');
  if (status !== 200) throw new Error(`${status}: ${text}`);
  return JSON.parse(text).visits;
}

export function describeJourney({ url }: Application, visit = () => new Browser(url)): void {
  it('a visitor of whom nothing is known gets no cookie', async () => {
    const page = await visit().get('/');
    expect(page.status).toBe(200);
    expect(seen(page)).toContain('Sign in');
    expect(page.setCookies).toEqual([]);
  });

  it('signs in, with a message that is shown once', async () => {
    const browser = visit();
    const { answer, page } = await signIn(browser);
    expect([302, 303]).toContain(answer.status);
    expect(seen(page)).toContain('Welcome, ada.');
    expect(seen(page)).toContain('You are ada.');
    const again = await browser.get('/');
    expect(seen(again)).not.toContain('Welcome');
    expect(seen(again)).toContain('You are ada.');
    expect(again.setCookies).toEqual([]);
  });

  it('sets one cookie, with all its attributes, and the text of it unchanged', async () => {
    const { answer } = await signIn(visit());
    expect(answer.setCookies).toHaveLength(1);
    const [pair, ...attributes] = answer.setCookies[0]!.toLowerCase()
      .split('; ')
      .map((part) => part.split('=')[0]);
    expect(pair).toBe('session');
    expect(attributes.filter((name) => name !== 'max-age').sort()).toEqual(['expires', 'httponly', 'path', 'samesite']);
    expect(answer.setCookies[0]).toMatch(/^session=[\w-]{43}; /);
    expect(answer.setCookies[0]).toMatch(/; path=\/(;|$)/i);
    expect(answer.setCookies[0]).toMatch(/; samesite=lax(;|$)/i);
    const [, expires] = /expires=([^;]+)/i.exec(answer.setCookies[0]!)!;
    expect(Date.parse(expires!) - Date.now()).toBeGreaterThan(29 * 86_400_000);
  });

  it('keeps what was there before signing in, under another id; the old one is dead', async () => {
    const browser = visit();
    expect(await count(browser)).toBe(1);
    const thief = browser.copy();
    const { page } = await signIn(browser);
    expect(browser.cookies.get('session')).not.toBe(thief.cookies.get('session'));
    expect(seen(page)).toContain('Counted visits: 1');
    expect(seen(await thief.get('/'))).toContain('Counted visits: 0');
  });

  it('counts every one of many visits at once', async () => {
    const browser = visit();
    await count(browser);
    const counted = await Promise.all(Array.from({ length: 30 }, () => count(browser)));
    expect(Math.max(...counted)).toBe(31);
    expect(seen(await browser.get('/'))).toContain('Counted visits: 31');
  });

  it('signs out: the session is gone, for who copied its cookie too', async () => {
    const browser = visit();
    await signIn(browser);
    await count(browser);
    const thief = browser.copy();
    const answer = await browser.submit(await browser.get('/'), 'Sign out');
    const page = await browser.follow(answer);
    expect(seen(page)).toContain('Goodbye.');
    expect(seen(page)).toContain('Counted visits: 0');
    expect(seen(await browser.get('/'))).not.toContain('Goodbye.');
    expect(seen(await thief.get('/'))).toContain('Sign in');
  });

  it('a cookie that somebody made up is no session, and no error', async () => {
    const browser = visit();
    for (const value of ['x'.repeat(43), '%', '"\\', '../../etc/passwd', 'a'.repeat(3000)]) {
      browser.cookies.set('session', value);
      const page = await browser.get('/');
      expect(page.status).toBe(200);
      expect(seen(page)).toContain('Sign in');
    }
    await count(browser);
    expect(browser.cookies.get('session')).toMatch(/^[\w-]{43}$/);
  });
}
