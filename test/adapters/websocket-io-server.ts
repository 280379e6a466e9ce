/** A server with HTTP and Socket.IO over one store, and sockets to it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSessionInterface, type Session, type SessionEvent, type SessionOptions } from 'flacon';
import { sessions as middleware } from 'flacon/adapters/express';
import { sessions } from 'flacon/adapters/node';
import { type SocketSession, type SocketSessionOptions, socketIoSessions } from 'flacon/adapters/socket-io';
import { Server, type Socket } from 'socket.io';
import { type Socket as ClientSocket, io as connect } from 'socket.io-client';
import type { Client } from './servers.ts';

export interface IoServer {
  readonly url: string;
  readonly io: Server;
  readonly events: SessionEvent[];
  readonly refused: unknown[];
  readonly visitors: SocketSession[];
  close(): Promise<void>;
}

export async function startIo(
  options: SessionOptions,
  socketOptions: SocketSessionOptions & { readonly engine?: boolean } = {},
): Promise<IoServer> {
  const events: SessionEvent[] = [];
  const refused: unknown[] = [];
  const visitors: SocketSession[] = [];
  const { engine, ...rest } = socketOptions;
  const web = createSessionInterface({ onEvent: (event) => events.push(event), permanent: false, ...options });
  const server = createServer(
    sessions(web)((req, res) => {
      if (req.url === '/login') req.session.set('user', 'ada');
      if (req.url === '/logout') req.session.destroy();
      if (req.url === '/count') req.session.update('both', (n: number | undefined = 0) => n + 1);
      res.end(JSON.stringify(req.session));
    }),
  );
  const io = new Server(server);
  if (engine) {
    io.engine.use(middleware(web));
    io.on('connection', (socket) => {
      const { session } = socket.request as typeof socket.request & { session: Session };
      socket.on('run', (_name, answer) => answer(session.toJSON()));
      socket.on('reload', (_name, answer) => session.reload().then(() => answer(session.toJSON())));
      socket.on('count', async (_name, answer) => {
        session.update('both', (n: number | undefined = 0) => n + 1);
        await session.save();
        answer(null);
      });
    });
  } else {
    const visitorOf = socketIoSessions(web, { onError: (error) => refused.push(error), ...rest });
    io.use(visitorOf);
    io.of('/private').use(visitorOf);
    io.of('/private').use((socket, next) =>
      next(visitorOf.of(socket).session.has('admin') ? undefined : new Error('no')),
    );
    io.on('connection', (socket) => serve(socket, visitorOf.of(socket), visitors));
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    io,
    events,
    refused,
    visitors,
    async close() {
      await io.close();
      server.closeAllConnections();
    },
  };
}

function serve(socket: Socket, visitor: SocketSession, visitors: SocketSession[]): void {
  visitors.push(visitor);
  visitor.revoked.addEventListener('abort', () => socket.emit('over'));
  socket.on('run', (_name, answer) => visitor.run((session) => session.toJSON()).then(answer));
  socket.on('count', (_name, answer) =>
    visitor.run((session) => session.update('both', (n: number | undefined = 0) => n + 1)).then(answer),
  );
}

export type Transport = 'polling' | 'websocket' | 'polling, then websocket';

/** @throws Error when the connection is refused */
export function open(
  client: Client,
  transport: Transport,
  path = '',
  headers: Record<string, string> = {},
): Promise<ClientSocket> {
  const transports = transport.split(', then ') as ('polling' | 'websocket')[];
  const socket = connect(client.url + path, {
    transports,
    forceNew: true,
    reconnection: false,
    extraHeaders: { ...(client.cookie === undefined ? {} : { cookie: client.cookie }), ...headers },
  });
  return new Promise((resolve, reject) => {
    socket.once('connect', () => {
      // The transport may have changed before the middleware was done.
      if (socket.io.engine.transport.name === transports.at(-1)) resolve(socket);
      else socket.io.engine.once('upgrade', () => resolve(socket));
    });
    socket.once('connect_error', (error) => {
      socket.close();
      reject(error);
    });
  });
}
