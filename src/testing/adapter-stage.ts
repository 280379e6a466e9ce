/** Part of the adapter suite: what a test is, and what it is played on. */
import type { SessionEvent } from '../core/events.ts';
import { createSessionInterface, type SessionOptions } from '../core/options.ts';
import type { Awaitable } from '../core/store.ts';
import { MemoryStore } from '../stores/memory.ts';
import type { AdapterAnswer, AdapterApp, AdapterRequest, AdapterServer } from './adapter-app.ts';
import { HttpVisitor } from './http-visitor.ts';
import { WatchedStore } from './watched-store.ts';

/** Where the sessions of a test live: in a store that answers at once, in one that answers late, in the cookie. */
export type Kind = 'synchronous' | 'asynchronous' | 'cookie';

export type Handler = (request: AdapterRequest) => Awaitable<AdapterAnswer | string>;

export interface Setup extends Partial<Pick<AdapterApp, 'mount' | 'trustProxy' | 'compress'>> {
  /** More options of the session interface; a list of two for two interfaces. */
  readonly sessions?: SessionOptions | readonly SessionOptions[];
}

/** Fastify takes the last protocol in the list for the visitor's, most others the first. */
export type ForwardedProto = 'first' | 'last';

export interface Stage {
  readonly kind: Kind;
  readonly forwardedProto: ForwardedProto;
  /** Not used where sessions live in the cookie. */
  readonly store: WatchedStore;
  readonly events: SessionEvent[];
  /** A server with this handler, and a browser that was never there. */
  start(handler: Handler, setup?: Setup): Promise<HttpVisitor>;
}

export interface AdapterTest {
  readonly name: string;
  /** Default: all. */
  readonly kinds?: readonly Kind[];
  run(stage: Stage): Promise<void>;
}

export const STORED: readonly Kind[] = ['synchronous', 'asynchronous'];
const SECRET = 'a secret of the adapter suite, long enough';

export type Serve = (app: AdapterApp) => Awaitable<AdapterServer>;

/** Plays one test, and stops what it started. */
export async function play(
  serve: Serve,
  kind: Kind,
  test: AdapterTest,
  forwardedProto: ForwardedProto = 'first',
): Promise<void> {
  const servers: AdapterServer[] = [];
  const events: SessionEvent[] = [];
  const store = new WatchedStore(new MemoryStore(), kind === 'asynchronous');
  const stage: Stage = {
    kind,
    forwardedProto,
    store,
    events,
    async start(handler, { sessions = {}, mount = '', trustProxy = false, compress = false } = {}) {
      const base: SessionOptions = {
        ...(kind === 'cookie' ? { store: 'cookie', secretKey: SECRET } : { store }),
        onEvent: (event) => events.push(event),
      };
      const server = await serve({
        mount,
        trustProxy,
        compress,
        sessions: [sessions].flat().map((more) => createSessionInterface({ ...base, ...more })),
        async handle(request) {
          const answer = await handler(request);
          return typeof answer === 'string' ? { body: answer } : answer;
        },
      });
      servers.push(server);
      return new HttpVisitor(server.url);
    },
  };
  try {
    await test.run(stage);
  } finally {
    store.release();
    for (const server of servers) await server.close();
  }
}

/** Counts the visits of a session: a write. */
export function visit(request: AdapterRequest, name?: 'session' | 'second'): number {
  return request.session(name).update<number>('visits', (visits) => (visits ?? 0) + 1);
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
