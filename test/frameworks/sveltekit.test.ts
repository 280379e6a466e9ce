/** examples/sveltekit, and what else its page says, in a production build on @sveltejs/adapter-node. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startApplication } from './application.ts';
import { Browser } from './browser.ts';
import { count, describeJourney, seen, signIn } from './journey.ts';
import { describePage } from './page.ts';

const files = {
  'src/routes/static/+page.ts': 'export const prerender = true;',
  'src/routes/static/+page.svelte': '<p>prerendered</p>',
  'src/routes/untouched/+page.svelte': '<p>untouched</p>',
  'src/routes/broken/+page.server.ts': `export const load = ({ locals: { session } }) => {
  session.user = 'kept';
  throw new Error('on purpose');
};`,
  'src/routes/broken/+page.svelte': '<p>not reached</p>',
  'src/routes/refused/+page.server.ts': `import { error } from '@sveltejs/kit';
export const load = ({ locals: { session } }) => {
  session.user = 'refused';
  error(403, 'not yours');
};`,
  'src/routes/refused/+page.svelte': '<p>not reached</p>',
  'src/routes/imported/+server.ts': `import { text } from '@sveltejs/kit';
import { session } from 'flacon';
export const GET = async () => {
  await null;
  session.user = 'imported';
  return text('ok');
};`,
  'src/routes/streamed/+page.server.ts': `import { session } from 'flacon';
const later = async () => {
  await new Promise((resolve) => setTimeout(resolve, 50));
  session.visits = 7;
  return session.user;
};
export const load = ({ locals }) => ({ now: locals.session.user, user: later() });`,
  'src/routes/streamed/+page.svelte': `<script>let { data } = $props();</script>
<p>now {data.now}</p>{#await data.user}<p>soon</p>{:then user}<p>{user}</p>{/await}`,
  'src/routes/inner/+page.server.ts': `export const load = async ({ fetch }) => ({ inner: await (await fetch('/visits', { method: 'POST' })).json() });`,
  'src/routes/inner/+page.svelte': '<script>let { data } = $props();</script><p>inner {data.inner.visits}</p>',
  'src/routes/unsaved/+page.server.ts': `export const load = ({ locals: { session } }) => {
  session.set('function', () => {});
  return {};
};`,
  'src/routes/unsaved/+page.svelte': '<p>not saved</p>',
};

const application = await startApplication({
  example: 'sveltekit',
  files,
  build: ['vite/bin/vite.js', 'build'],
  start: () => ['build'],
  env: () => ({ PROTOCOL_HEADER: 'x-forwarded-proto' }),
});
const { missing = '' } = application;

describe.skipIf(missing)(`SvelteKit${missing}`, () => {
  const visit = (scheme = 'http') => new Browser(application.url, { 'x-forwarded-proto': scheme });
  describeJourney(application, visit);
  describePage('sveltekit');

  it('leaves prerendered pages, and those that do not use the session, as they are', async () => {
    const built = readFileSync(join(application.folder, 'build/client/../prerendered/static.html'), 'utf8');
    const page = await visit().get('/static');
    expect(page.text).toBe(built);
    for (const { status, setCookies, headers } of [page, await visit().get('/untouched')]) {
      expect(status).toBe(200);
      expect(setCookies).toEqual([]);
      expect(headers.get('vary') ?? '').not.toMatch(/cookie/i);
    }
  });

  it('tells caches that a page is the visitor’s own', async () => {
    const browser = visit();
    expect((await browser.get('/')).headers.get('vary')).toMatch(/cookie/i);
    const { headers } = await browser.post('/visits');
    expect(headers.get('cache-control')).toContain('private');
  });

  it.each([
    ['broken', 500, 'kept'],
    ['refused', 403, 'refused'],
  ])('keeps what was written before the error page of /%s', async (path, status, user) => {
    const browser = visit();
    const page = await browser.get(`/${path}`);
    expect(page.status).toBe(status);
    expect(page.setCookies).toHaveLength(1);
    expect(seen(await browser.get('/'))).toContain(`You are ${user}.`);
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
    const { text } = await browser.get('/streamed');
    expect(text).toContain('now ada');
    expect(text).toContain('soon');
    expect(seen(await browser.get('/'))).toContain('Counted visits: 7');
  });

  it('loses nothing to a request that the server makes to itself', async () => {
    const browser = visit();
    await count(browser);
    expect(seen(await browser.get('/inner'))).toContain('inner 2');
    expect(seen(await browser.get('/'))).toContain('Counted visits: 2');
  });

  it('answers what a script asks for', async () => {
    const browser = visit();
    await signIn(browser);
    const { text } = await browser.get('/__data.json');
    expect(text).toContain('ada');
    const answer = await browser.post('/?/signOut', new URLSearchParams(), { accept: 'application/json' });
    expect(JSON.parse(answer.text)).toMatchObject({ type: 'redirect', location: '/' });
    expect(seen(await browser.get('/'))).toContain('Goodbye.');
  });

  it('sends the cookie over https alone where the visitor uses it', async () => {
    const secure = await visit('https').post('/visits', '', { origin: application.url.replace('http:', 'https:') });
    expect(secure.setCookies[0]).toMatch(/; Secure/);
  });
});
