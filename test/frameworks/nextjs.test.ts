/** examples/nextjs, and what else the adapter promises, in a production build. */
import { type NextOptions, sessions } from 'flacon/adapters/next';
import { describe, expect, it } from 'vitest';
import { startApplication } from './application.ts';
import { Browser } from './browser.ts';
import { count, describeJourney, seen, signIn } from './journey.ts';
import { describePage, shownFiles } from './page.ts';

const SESSION = `import { session } from 'flacon';
import { getSession, withSession } from '../../lib/session';
`;

const files = {
  // The proxy.
  ...shownFiles('nextjs').others,
  // A page that says nothing of the session is rendered once, when it is built.
  'app/static/page.tsx': 'export default () => <p>static</p>;',
  'app/write-in-page/page.tsx': `${SESSION}
export default async function Page() {
  const session = await getSession();
  session.user = 'lost';
  return <p>written</p>;
}`,
  'app/saved-in-page/page.tsx': `${SESSION}
const visit = withSession(() => session.update('visits', (visits = 0) => visits + 1));
export default async function Page() {
  return <p>visit {await visit()}</p>;
}`,
  'app/outside/page.tsx': `import { session } from 'flacon';
export const dynamic = 'force-dynamic';
export default () => <p>{session.user}</p>;`,
  'app/twice/page.tsx': `${SESSION}
const [first, second] = await Promise.resolve([getSession, getSession]);
export default async function Page() {
  return <p>{(await first()) === (await second()) ? 'one' : 'two'}</p>;
}`,
  'app/stay/page.tsx': `${SESSION}
const signIn = withSession(async () => {
  session.regenerate();
  session.user = 'grace';
});
async function stay() {
  'use server';
  await signIn();
}
async function refused() {
  'use server';
  (await getSession()).user = 'nobody';
}
async function broken() {
  'use server';
  await withSession(() => {
    session.user = 'kept';
    throw new Error('on purpose');
  })();
}
export default async function Page() {
  const { user } = await getSession();
  return (
    <>
      <p>{user ?? 'nobody'} here</p>
      <form action={stay}><button>Stay</button></form>
      <form action={refused}><button>Refused</button></form>
      <form action={broken}><button>Broken</button></form>
    </>
  );
}`,
  'app/stay/error.tsx': `'use client';
export default () => <p>error page</p>;`,
  'app/streamed/page.tsx': `import { Suspense } from 'react';
${SESSION}
async function Late() {
  await new Promise((resolve) => setTimeout(resolve, 50));
  return <p>late {(await getSession()).user}</p>;
}
export default () => <Suspense fallback={<p>soon</p>}><Late /></Suspense>;`,
  'app/handler/route.ts': `import { notFound, redirect } from 'next/navigation';
import { NextRequest, NextResponse } from 'next/server';
${SESSION}
const helper = withSession(async () => (await getSession()).user);
export const GET = withSession(async (request: NextRequest) => {
  const how = request.nextUrl.searchParams.get('how');
  if (how === 'nothing') return new Response('nothing');
  session.user = how ?? undefined;
  if (how === 'unsaved') session.set('function', () => {});
  if (how === 'redirect' || how === 'unsaved') redirect('/');
  if (how === 'missing') notFound();
  if (how === 'throw') throw new Error('on purpose');
  if (how === 'nested') return Response.json({ user: await helper() });
  if (how === 'stream') {
    let i = 0;
    return new Response(new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        session.visits = ++i;
        controller.enqueue(new TextEncoder().encode(String(i)));
        if (i === 3) controller.close();
      },
    }));
  }
  const response = NextResponse.json({ how }, { headers: { 'Cache-Control': 'public, max-age=60' } });
  response.cookies.set('theirs', 'a b');
  return response;
});`,
  'app/proxied/route.ts': `import { sessions } from 'flacon/adapters/next';
import { session } from 'flacon';
import { cookies, headers } from 'next/headers';
const { withSession } = sessions({ cookie: { name: 'second' } }, { cookies, headers, trustProxy: true });
export const POST = withSession(async () => {
  session.user = 'ada';
  return new Response('ok');
});`,
  'app/sealed/route.ts': `import { sessions } from 'flacon/adapters/next';
import { session } from 'flacon';
import { cookies, headers } from 'next/headers';
const { withSession, getSession } = sessions(
  { store: 'cookie', cookie: { name: 'sealed' }, secretKey: 'of these tests alone, and long enough' },
  { cookies, headers },
);
export const GET = async () => Response.json({ user: (await getSession()).user ?? null });
export const POST = withSession(async () => {
  session.user = 'ada';
  return new Response('ok');
});`,
  'lib/watched.ts': `import { sessions } from 'flacon/adapters/next';
import { MemoryStore } from 'flacon/stores/memory';
import { cookies, headers } from 'next/headers';
class Watched extends MemoryStore {
  touches = 0;
  override touch(key: string, expiresAt: number) {
    this.touches++;
    return super.touch(key, expiresAt);
  }
}
const shared = globalThis as { watched?: Watched };
shared.watched ??= new Watched();
export const store = shared.watched;
export const { withSession, getSession } = sessions(
  { store, refresh: 0, cookie: { name: 'watched' } },
  { cookies, headers },
);`,
  'app/watched/page.tsx': `import { getSession } from '../../lib/watched';
export default async () => <p>{(await getSession()).user} watched</p>;`,
  'app/watched/touches/route.ts': `import { session } from 'flacon';
import { store, withSession } from '../../../lib/watched';
export const POST = withSession(async () => {
  session.user = 'ada';
  return Response.json({ touches: store.touches });
});
export const GET = async (request: Request) => Response.json({ touches: store.touches, at: request.url });`,
  'lib/renewed.ts': `import { session } from 'flacon';
import { sessions } from 'flacon/adapters/next';
import { embeddedStore } from 'flacon/stores/embedded';
import { cookies, headers } from 'next/headers';
const next = { cookies, headers };
const secretKey = 'of these tests alone, and long enough';
const store = embeddedStore();
export const rolling = sessions({ store, absoluteTimeout: false, refresh: 0, cookie: { name: 'rolling' } }, next);
export const sealed = sessions({ store: 'cookie', secretKey, refresh: 0, cookie: { name: 'renewed' } }, next);
export const count = () => session.update('visits', (visits = 0) => visits + 1);`,
  'app/renewed/begin/route.ts': `import { count, rolling, sealed } from '../../../lib/renewed';
export async function POST() {
  await rolling.withSession(count)();
  await sealed.withSession(count)();
  return new Response('begun');
}`,
  'app/renewed/page.tsx': `import { session } from 'flacon';
import { count, rolling, sealed } from '../../lib/renewed';
export default async function Page({ searchParams }: { searchParams: Promise<{ how?: string }> }) {
  const { how } = await searchParams;
  if (how === 'regenerate') await rolling.withSession(() => session.regenerate())();
  if (how === 'change') await sealed.withSession(count)();
  const visits = await rolling.withSession(count)();
  const taken = await sealed.withSession(() => session.takeFlashes().length)();
  return <p>{\`\${visits} visits, \${taken} messages\`}</p>;
}`,
  'app/own/route.ts': `import { Session, SessionInterface, type SessionRequest } from 'flacon';
import { sessions } from 'flacon/adapters/next';
import { session } from 'flacon';
import { cookies, headers } from 'next/headers';
class Own extends SessionInterface {
  openSession() {
    return new Session();
  }
  saveSession(_session: Session, request: SessionRequest) {
    return this.setCookie('a=b', undefined, request);
  }
}
const { withSession } = sessions(new Own(), { cookies, headers });
export const POST = withSession(async () => new Response(String(session.size)));`,
  'app/guarded/page.tsx': `${SESSION}
export default async () => <p>inside: {(await getSession()).user}</p>;`,
};

it('says at start that it needs the functions of Next.js', () => {
  const headers = async () => new Headers();
  expect(() => sessions({}, { headers } as unknown as NextOptions)).toThrow(
    expect.objectContaining({ code: 'ERR_SESSION_CONFIG', option: 'cookies' }),
  );
});

const application = await startApplication({
  example: 'nextjs',
  files,
  build: ['next/dist/bin/next', 'build'],
  start: (port) => ['node_modules/next/dist/bin/next', 'start', '-p', String(port), '-H', '127.0.0.1'],
});
const { missing = '' } = application;

describe.skipIf(missing)(`Next.js${missing}`, () => {
  const visit = () => new Browser(application.url);
  describeJourney(application);
  describePage('nextjs', ['tsconfig.json']);

  it('renders a page that does not ask for the session when it is built', async () => {
    expect(application.output()).toMatch(/○ \/static/);
    expect(application.output()).toMatch(/ƒ \/\n/);
    const page = await visit().get('/static');
    expect(page.headers.get('cache-control')).toContain('s-maxage');
    expect(page.setCookies).toEqual([]);
    expect((await visit().get('/')).headers.get('cache-control')).toContain('no-store');
  });

  it('refuses to write into the session of a server component', async () => {
    const browser = visit();
    await signIn(browser);
    expect((await browser.get('/write-in-page')).status).toBe(500);
    expect(application.output()).toContain('ERR_SESSION_READ_ONLY');
    expect(seen(await browser.get('/'))).toContain('You are ada.');
  });

  it('saves in a server component what needs no cookie, and refuses what does', async () => {
    const browser = visit();
    await count(browser);
    expect(seen(await browser.get('/saved-in-page'))).toContain('visit 2');
    expect(seen(await browser.get('/saved-in-page'))).toContain('visit 3');
    expect((await visit().get('/saved-in-page')).status).toBe(500);
  });

  it('renders on where a cookie would only be renewed, and fails where it would be missed', async () => {
    const browser = visit();
    await browser.post('/renewed/begin');
    expect(browser.cookies.size).toBe(2);
    expect(seen(await browser.get('/renewed'))).toContain('2 visits, 0 messages');
    expect(seen(await browser.get('/renewed'))).toContain('3 visits, 0 messages');
    expect((await browser.get('/renewed?how=change')).status).toBe(500);
    expect((await browser.get('/renewed?how=regenerate')).status).toBe(500);
  });

  it('says so where the imported session is used outside of withSession', async () => {
    expect((await visit().get('/outside')).status).toBe(500);
    expect(application.output()).toContain('ERR_SESSION_NO_CONTEXT');
  });

  it('has one session for all the components of a page', async () => {
    expect(seen(await visit().get('/twice'))).toContain('one');
  });

  it('renders the page after an action with the session that the action left, under its new id', async () => {
    const browser = visit();
    await count(browser);
    const page = await browser.get('/stay');
    expect(seen(page)).toContain('nobody here');
    const after = await browser.submit(page, 'Stay');
    expect(after.status).toBe(200);
    expect(after.setCookies).toHaveLength(1);
    expect(seen(after)).toContain('grace here');
    expect(seen(await browser.get('/stay'))).toContain('grace here');
  });

  it('refuses to write in an action that is not made by withSession', async () => {
    const browser = visit();
    await signIn(browser);
    const after = await browser.submit(await browser.get('/stay'), 'Refused');
    expect(after.status).toBe(500);
    expect(seen(await browser.get('/'))).toContain('You are ada.');
  });

  it('saves before the error of an action goes on', async () => {
    const browser = visit();
    await signIn(browser);
    const after = await browser.submit(await browser.get('/stay'), 'Broken');
    expect(after.status).toBe(500);
    expect(application.output()).toContain('on purpose');
    expect(seen(await browser.get('/'))).toContain('You are kept.');
  });

  it('answers an action that a script calls', async () => {
    const browser = visit();
    await signIn(browser);
    const [, id] = /name="\$ACTION_ID_(\w+)"/.exec((await browser.get('/')).text)!;
    const answer = await browser.post('/', '[]', { 'next-action': id!, 'content-type': 'text/plain;charset=UTF-8' });
    expect(answer.headers.get('x-action-redirect')).toMatch(/^\//);
    expect(answer.setCookies).toHaveLength(1);
    expect(seen(await browser.get('/'))).toContain('Sign in');
  });

  it('reads the session late in a page that is streamed', async () => {
    const browser = visit();
    await signIn(browser);
    const { text } = await browser.get('/streamed');
    expect(text).toContain('soon');
    expect(text).toMatch(/late (<!-- -->)?ada/);
  });

  it('moves the end of a session that a page reads', async () => {
    const browser = visit();
    await browser.post('/watched/touches');
    const touches = async () => JSON.parse((await browser.get('/watched/touches')).text).touches;
    const before = await touches();
    const page = await browser.get('/watched');
    expect(seen(page)).toContain('ada watched');
    expect(page.setCookies).toEqual([]);
    expect(await touches()).toBe(before + 1);
  });

  describe('in a route handler', () => {
    it('keeps the answer and its cookies beside ours, out of shared caches', async () => {
      const browser = visit();
      const { headers, setCookies, text } = await browser.get('/handler?how=json');
      expect(JSON.parse(text)).toEqual({ how: 'json' });
      expect(headers.get('vary')?.toLowerCase()).toContain('cookie');
      expect(headers.get('cache-control')).toBe('private, max-age=60');
      expect(setCookies.map((cookie) => cookie.split('=')[0]).sort()).toEqual(['session', 'theirs']);
      expect(seen(await browser.get('/'))).toContain('You are json.');
    });

    it('says nothing of a session that was not used', async () => {
      const { headers, setCookies } = await visit().get('/handler?how=nothing');
      expect(headers.get('vary')?.toLowerCase() ?? '').not.toContain('cookie');
      expect(setCookies).toEqual([]);
    });

    it('saves before redirect()', async () => {
      const browser = visit();
      const answer = await browser.get('/handler?how=redirect');
      expect(answer.status).toBe(307);
      expect(seen(await browser.follow(answer))).toContain('You are redirect.');
    });

    it('does not redirect when the session cannot be saved', async () => {
      const answer = await visit().get('/handler?how=unsaved');
      expect(answer.status).toBe(500);
      expect(answer.headers.get('location')).toBeNull();
      expect(application.output()).toContain('msgpack: a function');
    });

    it('refuses a cookie that Next.js would send as another one', async () => {
      const answer = await visit().post('/own');
      expect(answer.status).toBe(500);
      expect(answer.setCookies).toEqual([]);
      expect(application.output()).toContain('Next.js sends cookie values percent-encoded');
    });

    it.each([
      ['missing', 404],
      ['throw', 500],
    ])('saves before %s', async (how, status) => {
      const browser = visit();
      await signIn(browser);
      expect((await browser.get(`/handler?how=${how}`)).status).toBe(status);
      expect(seen(await browser.get('/'))).toContain(`You are ${how}.`);
    });

    it('shares its session with what it calls', async () => {
      expect(JSON.parse((await visit().get('/handler?how=nested')).text)).toEqual({ user: 'nested' });
    });

    it('saves what a streamed answer changes', async () => {
      const browser = visit();
      expect((await browser.get('/handler?how=stream')).text).toBe('123');
      expect(seen(await browser.get('/'))).toContain('Counted visits: 3');
    });
  });

  it('takes the word of a trusted proxy that the visitor uses https', async () => {
    const { setCookies } = await visit().post('/proxied', '', { 'x-forwarded-proto': 'https' });
    expect(setCookies[0]).toMatch(/^second=.*; Secure/);
    const untrusted = await visit().post('/visits', '', { 'x-forwarded-proto': 'https' });
    expect(untrusted.setCookies[0]).not.toContain('Secure');
  });

  it('keeps sessions in a sealed cookie', async () => {
    const browser = visit();
    await browser.post('/sealed');
    expect(JSON.parse((await browser.get('/sealed')).text)).toEqual({ user: 'ada' });
  });

  it('guards pages in proxy.ts', async () => {
    const browser = visit();
    expect((await browser.get('/guarded')).headers.get('location')).toMatch(/\/$/);
    await signIn(browser);
    expect(seen(await browser.get('/guarded'))).toContain('inside: ada');
  });
});
