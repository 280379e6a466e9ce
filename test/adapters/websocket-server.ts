/** A server with HTTP and WebSockets over one store, and visitors of it. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createSessionInterface,
  type SessionEvent,
  SessionInterface,
  type SessionOptions,
  type SessionStore,
} from 'flacon';
import { type SessionIncomingMessage, sessions } from 'flacon/adapters/node';
import { type SocketSession, type SocketSessionOptions, socketSessions } from 'flacon/adapters/ws';
import { WebSocket, WebSocketServer } from 'ws';
import { Client } from './servers.ts';

export interface SocketServer {
  readonly url: string;
  readonly events: SessionEvent[];
  /** Why sockets were refused. */
  readonly refused: unknown[];
  /** The server's side of every socket that was opened. */
  readonly visitors: SocketSession[];
  close(): Promise<void>;
}

export interface SocketServerOptions extends SocketSessionOptions {
  /** What a message does. Its answer, or the code of its error, is sent back as JSON. By default: nothing. */
  readonly onMessage?: (visitor: SocketSession, text: string) => unknown;
}

type Routes = Record<string, (req: SessionIncomingMessage) => unknown>;

/** Over HTTP: sign-in, sign-out and so on. */
const routes: Routes = {
  '/login': ({ session }) => session.set('user', 'ada'),
  '/renew': ({ session }) => session.regenerate(),
  '/logout': ({ session }) => session.destroy(),
  '/count': ({ session }) => session.update('http', (n: number | undefined = 0) => n + 1),
  '/both': ({ session }) => session.update('both', (n: number | undefined = 0) => n + 1),
  '/list': ({ session }) => session.set('list', [1]),
  '/show': () => {},
};

export async function startSockets(
  options: SessionOptions | SessionInterface,
  socketOptions: SocketServerOptions = {},
): Promise<SocketServer> {
  const events: SessionEvent[] = [];
  const refused: unknown[] = [];
  const visitors: SocketSession[] = [];
  const { onMessage, ...rest } = socketOptions;
  const web = createSessionInterface(
    options instanceof SessionInterface
      ? options
      : { onEvent: (event) => events.push(event), permanent: false, ...options },
  );
  const server = createServer(
    sessions(web)(async (req, res: ServerResponse) => {
      await routes[req.url as string]?.(req);
      res.end(JSON.stringify(req.session));
    }),
  );
  const wss = new WebSocketServer({ noServer: true });
  const sockets = socketSessions(web, { onError: (error) => refused.push(error), ...rest });
  server.on(
    'upgrade',
    sockets.upgrade(wss, (ws, visitor) => {
      visitors.push(visitor);
      ws.on('error', () => {});
      ws.on('message', async (data) => {
        try {
          ws.send(JSON.stringify((await onMessage?.(visitor, String(data))) ?? null));
        } catch (error) {
          ws.send(JSON.stringify({ code: (error as { code?: string }).code ?? String(error) }));
        }
      });
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    events,
    refused,
    visitors,
    async close() {
      for (const ws of wss.clients) ws.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The same records through another object: what is done there is noticed here as little as what another process does. */
export function elsewhere(store: SessionStore): SessionStore {
  return {
    name: 'elsewhere',
    read: (key) => store.read(key),
    write: (...args) => store.write(...args),
    touch: (...args) => store.touch(...args),
    delete: (key) => store.delete(key),
  };
}

/** A browser as far as these tests need one: its HTTP client keeps the cookie that its sockets send. */
export class SocketVisitor extends Client {
  /** The same visitor at another server. */
  at({ url }: SocketServer): SocketVisitor {
    const visitor = new SocketVisitor(url);
    visitor.cookie = this.cookie;
    return visitor;
  }

  /** @throws Error when the upgrade is refused */
  async connect(headers: Record<string, string> = {}): Promise<ClientSocket> {
    const ws = new WebSocket(this.url.replace('http', 'ws'), {
      headers: { ...(this.cookie === undefined ? {} : { cookie: this.cookie }), ...headers },
    });
    const socket = new ClientSocket(ws);
    await new Promise<void>((resolve, reject) => ws.once('open', resolve).once('error', reject));
    return socket;
  }
}

export class ClientSocket {
  readonly ws: WebSocket;
  /** The code that the socket was closed with. */
  readonly closed: Promise<number>;
  readonly #answers: unknown[] = [];
  readonly #waiting: ((answer: unknown) => void)[] = [];

  constructor(ws: WebSocket) {
    this.ws = ws;
    this.closed = new Promise((resolve) => ws.once('close', resolve));
    ws.on('message', (data) => {
      const answer: unknown = JSON.parse(String(data));
      const waiting = this.#waiting.shift();
      if (waiting) waiting(answer);
      else this.#answers.push(answer);
    });
  }

  /** Sends, and waits for the next answer. */
  ask(text: string): Promise<unknown> {
    this.ws.send(text);
    return this.next();
  }

  next(): Promise<unknown> {
    return this.#answers.length > 0
      ? Promise.resolve(this.#answers.shift())
      : new Promise((resolve) => this.#waiting.push(resolve));
  }

  async end(): Promise<void> {
    this.ws.close();
    await this.closed;
  }
}
