/** One application, on every Node adapter, over stores that answer at once and stores that answer late. */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import express4 from 'express4';
import { sessions as expressSessions } from 'flacon/adapters/express';
import { sessions as nodeSessions, type SessionIncomingMessage } from 'flacon/adapters/node';
import { MemoryStore } from 'flacon/stores/memory';
import type { SessionEvent, SessionOptions, SessionStore } from '../../src/index.ts';

export type Handler = (req: SessionIncomingMessage, res: ServerResponse) => unknown;

export interface Running {
  readonly url: string;
  readonly events: SessionEvent[];
  close(): Promise<void>;
}

export const frameworks = ['node', 'express', 'express4'] as const;
export type Framework = (typeof frameworks)[number];

/** A store that answers at once, and the same behind a pause. */
export function stores(): Record<'synchronous' | 'asynchronous', SessionStore> {
  const memory = new MemoryStore();
  const later = new MemoryStore();
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 3));
  return {
    synchronous: memory,
    asynchronous: {
      name: 'later',
      read: (...args) => pause().then(() => later.read(...args)),
      write: (...args) => pause().then(() => later.write(...args)),
      touch: (...args) => pause().then(() => later.touch(...args)),
      delete: (...args) => pause().then(() => later.delete(...args)),
    },
  };
}

export async function serve(framework: Framework, options: SessionOptions, handler: Handler): Promise<Running> {
  const events: SessionEvent[] = [];
  const all: SessionOptions = { onEvent: (event) => events.push(event), ...options };
  const server = createServer(listener(framework, all, handler) as (req: IncomingMessage, res: ServerResponse) => void);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    events,
    close: () => closeServer(server),
  };
}

function listener(framework: Framework, options: SessionOptions, handler: Handler): unknown {
  if (framework === 'node') {
    const onError = (_error: unknown, _req: IncomingMessage, res: ServerResponse) => {
      if (res.headersSent) res.destroy();
      else res.writeHead(500, { 'Content-Type': 'text/plain' }).end('failed');
    };
    return nodeSessions(options, { onError })(handler);
  }
  const app = (framework === 'express' ? express() : express4()) as ReturnType<typeof express>;
  app.set('env', 'test');
  app.use(expressSessions(options));
  // Express 4 does not look at promises: a handler there calls next itself.
  app.use((req, res, next) => {
    Promise.resolve()
      .then(() => handler(req as never, res))
      .catch(next);
  });
  return app;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly setCookie: string[];
}

/** A client that keeps its session cookie. */
export class Client {
  cookie: string | undefined;
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  send(path = '/', method = 'GET'): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = this.cookie === undefined ? {} : { cookie: this.cookie };
      request(this.url + path, { method, headers }, (res) => {
        let body = '';
        res.setEncoding('utf8');
        res.on('data', (chunk: string) => {
          body += chunk;
        });
        res.on('error', reject);
        res.on('end', () => {
          const setCookie = res.headers['set-cookie'] ?? [];
          for (const text of setCookie) {
            if (text.startsWith('session=')) this.cookie = /Max-Age=0/.test(text) ? undefined : text.split(';', 1)[0];
          }
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body, setCookie });
        });
      })
        .on('error', reject)
        .end();
    });
  }
}
