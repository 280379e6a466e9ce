/** examples/astro, and what else its page says, in a production build on @astrojs/node. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startApplication } from './application.ts';
import { Browser } from './browser.ts';
import { describeJourney, seen, signIn } from './journey.ts';
import { describePage } from './page.ts';

const files = {
  'src/pages/static.astro': '---\nexport const prerender = true;\n---\n<p>prerendered</p>',
  'src/pages/untouched.astro': '<p>untouched</p>',
  'src/pages/broken.astro': `---
Astro.locals.session.user = 'dropped';
throw new Error('on purpose');
---
<p>not reached</p>`,
  'src/pages/500.astro': '<p>error page</p>',
  'src/pages/unsaved.astro': `---
Astro.locals.session.set('function', () => {});
---
<p>not saved</p>`,
  'src/pages/imported.ts': `import { session } from 'flacon';
export const GET = async () => {
  await null;
  session.user = 'imported';
  return new Response('ok');
};`,
  'src/components/Late.astro': `---
await new Promise((resolve) => setTimeout(resolve, 50));
Astro.locals.session.visits = 7;
---
<p>late {Astro.locals.session.user}</p>`,
  'src/pages/streamed.astro': `---
import Late from '../components/Late.astro';
---
<p>soon</p><Late />`,
  'src/pages/theirs.ts': `export const GET = async ({ session, locals, cookies }) => {
  session.set('user', 'theirs');
  locals.session.user = 'ours';
  cookies.set('another', 'a b');
  return new Response(await session.get('user'));
};`,
};

const application = await startApplication({
  example: 'astro',
  files,
  build: ['astro/bin/astro.mjs', 'build'],
  start: () => ['dist/server/entry.mjs'],
});
const { missing = '' } = application;

describe.skipIf(missing)(`Astro${missing}`, () => {
  const visit = () => new Browser(application.url);
  describeJourney(application);
  describePage('astro');

  it('leaves prerendered pages, and those that do not use the session, as they are', async () => {
    const page = await visit().get('/static/');
    expect(page.text).toBe(readFileSync(join(application.folder, 'dist/client/static/index.html'), 'utf8'));
    for (const { status, setCookies, headers } of [page, await visit().get('/untouched')]) {
      expect(status).toBe(200);
      expect(setCookies).toEqual([]);
      expect(headers.get('vary') ?? '').not.toMatch(/cookie/i);
    }
    expect((await visit().get('/')).headers.get('vary')).toMatch(/cookie/i);
  });

  it('shows the error page, and drops what a page wrote before it failed', async () => {
    const browser = visit();
    await signIn(browser);
    const page = await browser.get('/broken');
    expect(page.status).toBe(500);
    expect(seen(page)).toContain('error page');
    expect(application.output()).toContain('on purpose');
    expect(seen(await browser.get('/'))).toContain('You are ada.');
  });

  it('shows the error page when the session cannot be saved', async () => {
    const page = await visit().get('/unsaved');
    expect(page.status).toBe(500);
    expect(page.text).not.toContain('not saved');
    expect(page.setCookies).toEqual([]);
    expect(application.output()).toContain('SessionEncodeError');
  });

  it('has the imported session, too', async () => {
    const browser = visit();
    await browser.get('/imported');
    expect(seen(await browser.get('/'))).toContain('You are imported.');
  });

  it('saves what is changed while a page is streamed', async () => {
    const browser = visit();
    await signIn(browser);
    expect((await browser.get('/streamed')).text).toContain('late ada');
    expect(seen(await browser.get('/'))).toContain('Counted visits: 7');
  });

  it('stands beside the session of Astro', async () => {
    const browser = visit();
    expect((await browser.get('/theirs')).text).toBe('theirs');
    expect([...browser.cookies.keys()].sort()).toEqual(['another', 'astro-session', 'session']);
    expect(seen(await browser.get('/'))).toContain('You are ours.');
  });
});
