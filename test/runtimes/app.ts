/**
 * The application that is served on every runtime, written as a consumer of the package would write it. Each mount has
 * sessions of its own kind; below all of them the same small pages. `smoke.ts` asks for them.
 */
import { session as imported, type Session, type SessionOptions, type SessionStore } from 'flacon';
import { sessions } from 'flacon/adapters/fetch';
import { MemoryStore } from 'flacon/stores/memory';

/** The moment of the recorded vector `flask/default/set`, in milliseconds since 1970. */
const RECORDED_AT = Date.UTC(2024, 2, 1, 9, 5, 7);

type Page = (session: Session, url: URL) => string | Promise<string> | Response;
type Handler = (request: Request) => Promise<Response>;

/** @param onDisk more stores, by the names of their mounts, where the runtime has a file system */
export function application(onDisk: Readonly<Record<string, SessionStore>> = {}): Handler {
  const memory = new MemoryStore();
  const planted = new MemoryStore();
  // Keys hold the bare id, so that a record can be planted under it; every format is read whatever is written.
  const flask = { profile: 'flask', store: planted } as const;
  const mounts: Record<string, SessionOptions> = {
    memory: { store: memory },
    sealed: { store: 'cookie', secretKey: 'a secret of at least thirty-two bytes' },
    signed: { store: 'cookie', secretKey: 'dev', profile: 'flask', now: () => RECORDED_AT },
    msgpack: { ...flask, format: 'msgpack' },
    json: { ...flask, format: 'json' },
    pickle: { ...flask, format: 'pickle' },
  };
  for (const [name, store] of Object.entries(onDisk)) mounts[name] = { store };
  const served = new Map(Object.entries(mounts).map(([name, options]) => [name, mount(options)]));

  return async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    const [, name = ''] = pathname.split('/');
    if (name === 'plant') {
      const bytes = new Uint8Array(await request.arrayBuffer());
      planted.write(`session:${searchParams.get('sid')}`, bytes, Date.now() + 60_000, undefined);
      return new Response('planted');
    }
    if (name === 'stores') return Response.json(Object.entries(onDisk).map(([name, store]) => [name, store.name]));
    return (await served.get(name)?.(request)) ?? new Response('no such mount', { status: 404 });
  };
}

function mount(options: SessionOptions): Handler {
  const withSession = sessions(options, {
    onError: (error) => new Response((error as Error).name, { status: 500 }),
  });
  return withSession(async (request: Request, session) => {
    const url = new URL(request.url);
    const page = PAGES[url.pathname.split('/')[2] ?? ''];
    if (!page) return new Response('no such page', { status: 404 });
    const answer = await page(session, url);
    return typeof answer === 'string' ? new Response(answer) : answer;
  });
}

const PAGES: Record<string, Page> = {
  visits: (session) => String(session.update('visits', (n) => Number(n ?? 0) + 1)),
  show: (session) => JSON.stringify(session),
  set(session, url) {
    for (const [key, value] of url.searchParams) session.set(key, JSON.parse(value));
    return 'set';
  },
  /** Read before all that run at the same time have written. */
  async increment(session) {
    session.get('count');
    await pause(100);
    session.update('count', (n) => Number(n ?? 0) + 1);
    return 'counted';
  },
  /** No session is passed along: it is found across `await`, timers and microtasks. */
  async imported() {
    await pause(5);
    await new Promise<void>((resolve) => {
      setTimeout(() => {
        imported.set('timer', true);
        queueMicrotask(() => {
          imported.set('microtask', true);
          resolve();
        });
      }, 5);
    });
    return 'found';
  },
  regenerate(session) {
    session.regenerate();
    return 'regenerated';
  },
  destroy(session) {
    session.destroy();
    return 'destroyed';
  },
  flash(session) {
    session.flash('Saved.', 'success');
    return 'flashed';
  },
  flashes: (session) => JSON.stringify(session.takeFlashes()),
  /** Writes when the headers have left. Without a store that is refused; the body says so. */
  stream(given, url) {
    const session = url.searchParams.has('imported') ? imported : given;
    session.set('early', true);
    const text = new TextEncoder();
    let pulls = 0;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (pulls++ === 0) return controller.enqueue(text.encode('first '));
        await pause(20);
        try {
          session.set('late', true);
          controller.enqueue(text.encode('last'));
        } catch (error) {
          controller.enqueue(text.encode((error as Error).name));
        }
        controller.close();
      },
    });
    return new Response(body);
  },
  fail(): never {
    throw new RangeError('on purpose');
  },
};

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
