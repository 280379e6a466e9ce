/** The Fetch adapter: what its handlers get, and what the step-by-step form answers. */
import type { Session } from 'flacon';
import { type CookieToSet, type SavedSession, sessionOpener, sessions } from 'flacon/adapters/fetch';
import { MemoryStore } from 'flacon/stores/memory';
import type { ServerRequest } from 'srvx';

const withSession = sessions({ store: new MemoryStore() });

const plain: (request: Request) => Promise<Response> = withSession((_request, session) => {
  const id: number | undefined = session.user?.id;
  return new Response(String(id));
});

/** What the runtime hands over beside the request comes after the session; a request of the server's own class stays one. */
const worker: (request: Request, env: { KEY: string }) => Promise<Response> = withSession(
  async (_request, _session, env: { KEY: string }) => new Response(env.KEY),
);
const served = withSession((request: ServerRequest) => new Response(request.ip));

/** Bun's `server.upgrade(request)` leaves nothing to answer. */
const upgraded: (request: Request) => Promise<Response | undefined> = withSession((request) =>
  request.headers.has('upgrade') ? undefined : new Response('hello'),
);

// @ts-expect-error an answer is a Response
withSession(() => 'text');
// @ts-expect-error there is no default store on the edge
sessions();

async function byHand(open = sessionOpener({ store: new MemoryStore() })): Promise<readonly CookieToSet[]> {
  const opened = await open({ cookie: null, secure: true });
  const session: Session = opened.session;
  const size: number = opened.run(() => session.size);
  const saved: SavedSession = await opened.save();
  const sameSite: 'lax' | 'strict' | 'none' | undefined = saved.cookies[0]?.options.sameSite;
  await opened.finish();
  return size > 0 && sameSite ? saved.cookies : [];
}

export { byHand, plain, served, upgraded, worker };
