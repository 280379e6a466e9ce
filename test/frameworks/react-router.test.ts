/** examples/react-router, and what else its page says, in a production build on @react-router/serve. */
import { describe, expect, it } from 'vitest';
import { startApplication } from './application.ts';
import { Browser } from './browser.ts';
import { describeJourney, seen, signIn } from './journey.ts';
import { describePage } from './page.ts';

const files = {
  'app/routes.ts': `import { index, route } from '@react-router/dev/routes';
export default [
  index('routes/home.tsx'),
  route('visits', 'routes/visits.ts'),
  route('untouched', 'routes/untouched.tsx'),
  route('write/:how', 'routes/write.tsx'),
  route('imported', 'routes/imported.ts'),
  route('streamed', 'routes/streamed.tsx'),
];`,
  'app/routes/untouched.tsx': 'export default () => <p>untouched</p>;',
  'app/routes/write.tsx': `import { data } from 'react-router';
import { sessionContext } from '../session.server';
export function loader({ context, params }) {
  const session = context.get(sessionContext);
  session.user = params.how;
  if (params.how === 'broken') throw new Error('on purpose');
  if (params.how === 'refused') throw data('not yours', { status: 403 });
  if (params.how === 'unsaved') session.set('function', () => {});
  return null;
}
export default () => <p>written</p>;
export const ErrorBoundary = () => <p>error page</p>;`,
  'app/routes/imported.ts': `import { session } from 'flacon';
export async function loader() {
  await null;
  session.user = 'imported';
  return new Response('ok');
}`,
  'app/routes/streamed.tsx': `import { session } from 'flacon';
import { Suspense } from 'react';
import { Await } from 'react-router';
const later = async () => {
  await new Promise((resolve) => setTimeout(resolve, 50));
  session.visits = 7;
  return session.user;
};
export const loader = () => ({ now: session.user, user: later() });
export default ({ loaderData }) => (
  <>
    <p>now {loaderData.now}</p>
    <Suspense fallback={<p>soon</p>}>
      <Await resolve={loaderData.user}>{(user) => <p>late {user}</p>}</Await>
    </Suspense>
  </>
);`,
};

const application = await startApplication({
  example: 'react-router',
  files,
  build: ['@react-router/dev/bin.cjs', 'build'],
  start: () => ['node_modules/@react-router/serve/bin.cjs', 'build/server/index.js'],
});
const { missing = '' } = application;

describe.skipIf(missing)(`React Router${missing}`, () => {
  const visit = () => new Browser(application.url);
  describeJourney(application);
  describePage('react-router');

  it('says nothing of a session that was not used', async () => {
    const { status, headers, setCookies } = await visit().get('/untouched');
    expect(status).toBe(200);
    expect(headers.get('vary') ?? '').not.toMatch(/cookie/i);
    expect(setCookies).toEqual([]);
    expect((await visit().get('/')).headers.get('vary')).toMatch(/cookie/i);
  });

  it.each([
    ['broken', 500],
    ['refused', 403],
  ])('keeps what was written before the error page of a loader that is %s', async (how, status) => {
    const browser = visit();
    const page = await browser.get(`/write/${how}`);
    expect(page.status).toBe(status);
    expect(seen(page)).toContain('error page');
    expect(seen(await browser.get('/'))).toContain(`You are ${how}.`);
  });

  it('shows an error page when the session cannot be saved', async () => {
    const page = await visit().get('/write/unsaved');
    expect(page.status).toBe(500);
    expect(seen(page)).not.toContain('written');
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
    expect(text).toContain('soon');
    expect(text).toMatch(/late (<!-- -->)?ada/);
    expect(seen(await browser.get('/'))).toContain('Counted visits: 7');
  });

  it('answers what a script asks for', async () => {
    const browser = visit();
    await signIn(browser);
    expect((await browser.get('/_.data')).text).toContain('ada');
    const answer = await browser.post('/_.data?index', new URLSearchParams({ do: 'sign out' }));
    expect(answer.status).toBe(202);
    expect(answer.setCookies).toHaveLength(1);
    expect(seen(await browser.get('/'))).toContain('Goodbye.');
  });
});
