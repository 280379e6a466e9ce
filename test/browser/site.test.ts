import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Started, start, temporaryFolder } from '../examples/started.ts';
import { canSkip, launch } from './chromium.ts';

const PASSWORD = 'correct horse battery';

if (canSkip) console.warn('test/browser is skipped: no chromium on the PATH; set CHROMIUM_PATH');

describe.skipIf(canSkip)(
  `the site in a browser${canSkip ? ' (skipped: no chromium on the PATH; set CHROMIUM_PATH)' : ''}`,
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launch();
    });
    afterAll(() => browser?.close());

    test('signs in, outlives kill -9 of the server, signs out; the old cookie is dead', async () => {
      const folder = temporaryFolder();
      const first = await start('site/server.ts', {}, folder);
      const { port } = new URL(first.url);
      const context = await browser.newContext();
      const page = await context.newPage();

      await page.goto(`${first.url}/sign-up`);
      await page.getByLabel('Name').fill('Ada <b>Lovelace</b>');
      await page.getByLabel('Password').fill(PASSWORD);
      await page.locator('main').getByRole('button', { name: 'Sign up' }).click();
      await page.getByRole('status').getByText('Welcome, Ada <b>Lovelace</b>.').waitFor();
      await page.getByRole('button', { name: 'Add Hip flask to cart' }).click();

      await first.stop('SIGKILL');
      const second = await start('site/server.ts', { PORT: port }, folder);
      expect(second.url).toBe(first.url);

      await page.getByRole('link', { name: 'Signed in as' }).click();
      await page.getByRole('heading', { name: 'Where am I signed in' }).waitFor();
      expect(await page.locator('dl').textContent()).toContain('Chrome on');
      await page.getByRole('link', { name: 'Cart 1' }).click();
      await page.getByRole('heading', { name: 'Hip flask' }).waitFor();

      const old = await context.cookies();
      expect(old.map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite }))).toEqual([
        { name: 'session', httpOnly: true, sameSite: 'Lax' },
      ]);
      await page.getByRole('navigation').getByRole('button', { name: 'Sign out' }).click();
      await page.getByText('You are signed out.').waitFor();
      expect(await page.getByText('Ada').count()).toBe(0);
      // The Back button shows nothing of what was there.
      await page.goBack();
      expect(await page.getByText('Ada').count()).toBe(0);

      await context.clearCookies();
      await context.addCookies(old);
      await page.goto(`${second.url}/where`);
      expect(new URL(page.url()).pathname).toBe('/sign-in');
      expect(await page.getByText('Ada').count()).toBe(0);
      await context.close();
      await second.stop();
    });

    describe('every page', () => {
      let site: Started;
      beforeAll(async () => {
        site = await start('site/server.ts');
      });

      test.each([
        ['light, wide', { colorScheme: 'light', viewport: { width: 1200, height: 800 } }],
        ['dark, wide', { colorScheme: 'dark', viewport: { width: 1200, height: 800 } }],
        ['light, on a phone', { colorScheme: 'light', viewport: { width: 360, height: 740 } }],
        ['dark, on a phone', { colorScheme: 'dark', viewport: { width: 320, height: 640 } }],
      ] as const)('%s: fits, heeds the policy, and can be read', async (_title, options) => {
        const context = await browser.newContext(options);
        const page = await context.newPage();
        const complaints = watch(page);
        await page.goto(`${site.url}/sign-up`);
        await checkPage(page);
        await page.getByLabel('Name').fill(`A rather long name ${options.colorScheme} ${options.viewport.width}`);
        await page.getByLabel('Password').fill(PASSWORD);
        await page.locator('main').getByRole('button', { name: 'Sign up' }).click();
        await page.getByRole('button', { name: 'Add Erlenmeyer flask to cart' }).click();
        for (const path of ['/', '/cart', '/where', '/nowhere']) {
          await page.goto(site.url + path);
          await checkPage(page);
        }
        expect(complaints).toEqual([]);
        await context.close();
      });

      test('can be used with the keyboard alone', async () => {
        const context = await browser.newContext();
        const page = await context.newPage();
        await page.goto(site.url);
        await page.keyboard.press('Tab');
        await page.keyboard.press('Enter');
        await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('content');
        await page.keyboard.press('Tab');
        await page.keyboard.press('Enter');
        await page.getByText('Erlenmeyer flask is in your cart.').waitFor();
        await context.close();
      });
    });
  },
);

/** What the browser has to complain about, other than the answer 404 that a test asks for. */
function watch(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (!message.text().includes('404 (Not Found)')) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText;
    // The next page was asked for before this one was complete.
    if (reason !== 'net::ERR_ABORTED') complaints.push(`${reason}: ${request.url()}`);
  });
  return complaints;
}

/** Nothing sticks out at the side, every field has a label, and text stands out from what is behind it (WCAG AA). */
async function checkPage(page: Page): Promise<void> {
  const where = `${page.url()} at ${page.viewportSize()?.width}`;
  const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
  expect(overflow, where).toBeLessThanOrEqual(0);
  expect(await page.evaluate(UNLABELLED), where).toEqual([]);
  expect(await page.evaluate(FAINT), where).toEqual([]);
}

const UNLABELLED = `[...document.querySelectorAll('input:not([type=hidden])')]
  .filter((input) => !input.labels.length).map((input) => input.name)`;

/** As text, since this is the browser's code: contrast by WCAG 2.2, 1.4.3. */
const FAINT = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.body.querySelectorAll('*')) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join('');
    if (text === '' || element.closest('[aria-hidden], .hidden')) continue;
    const [a, b] = [luminance(rgba(getComputedStyle(element).color)), luminance(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) faint.push(text + ': ' + contrast.toFixed(2));
  }
  return faint;
})()`;
