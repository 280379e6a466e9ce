/** WebSockets on a Node server, with `ws` or anything else that takes over an upgrade request. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SessionOptions } from '../core/options.ts';
import type { SessionInterface } from '../core/session-interface.ts';
import { SessionOriginError } from '../errors.ts';
import { printError, type SocketSession, type SocketSessionOptions, socketSessionOpener } from './ws-session.ts';

export type { Origins } from './ws-origins.ts';
export type { SocketSession, SocketSessionOptions } from './ws-session.ts';

/** What is needed of a `WebSocket` of `ws`. */
export interface ClosableSocket {
  close(code?: number, reason?: string): void;
}

/** What is needed of a `WebSocketServer` of `ws`, made with `noServer: true`. */
export interface UpgradingServer<W extends ClosableSocket> {
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer, done: (ws: W, req: IncomingMessage) => void): void;
}

export type UpgradeListener = (req: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface SocketSessions {
  /**
   * The session of an upgrade request. It is watched until the request's connection closes.
   * @throws SessionOriginError when a page of another site asks
   * @throws SessionStoreError when the store fails and the policy is to fail with it
   */
  open(req: IncomingMessage): Promise<SocketSession>;
  /**
   * A listener for a server's `upgrade` event: opens the session, then the socket. What cannot be opened is refused, with 403
   * for a foreign origin and else with 500. A socket whose session is over is closed with the code {@link REVOKED}.
   * @param connected is called with the open socket, as a listener of `connection` is, before any message can come
   */
  upgrade<W extends ClosableSocket>(
    server: UpgradingServer<W>,
    connected: (ws: W, visitor: SocketSession, req: IncomingMessage) => void,
  ): UpgradeListener;
}

/** The code that a socket is closed with when its session is over. 4000 to 4999 are the applications' (RFC 6455, section 7.4.2). */
export const REVOKED = 4401;

/**
 * Sessions for WebSockets: those that the HTTP side keeps, when both are given the same interface.
 * @param options the interface, or options like those of the HTTP side
 * @throws SessionConfigError
 */
export function socketSessions(
  options: SessionOptions | SessionInterface,
  socketOptions: SocketSessionOptions = {},
): SocketSessions {
  const openSession = socketSessionOpener(options, socketOptions);
  const open = async (req: IncomingMessage): Promise<SocketSession> => {
    const { socket } = req;
    const visitor = await openSession(req);
    if (socket.destroyed) visitor.close();
    else socket.once('close', () => visitor.close());
    return visitor;
  };
  const { onError = printError } = socketOptions;
  return {
    open,
    upgrade: (server, connected) => (req, socket, head) => {
      const refuse = (error: unknown): void => {
        const isForeign = error instanceof SessionOriginError;
        // A client that does not close its half would keep the connection.
        socket.once('finish', () => socket.destroy());
        socket.end(isForeign ? FORBIDDEN : FAILED);
        if (!isForeign) onError(error, req);
      };
      const accept = (visitor: SocketSession): void => {
        socket.removeListener('error', ignore);
        server.handleUpgrade(req, socket, head, (ws) => {
          closeWhenRevoked(ws, visitor);
          connected(ws, visitor, req);
        });
      };
      // Nobody else listens yet, and an error without a listener would end the process.
      socket.on('error', ignore);
      open(req)
        .then(accept, refuse)
        .catch((error: unknown) => {
          socket.destroy();
          onError(error, req);
        });
    },
  };
}

const FORBIDDEN = 'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
const FAILED = 'HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** After the listeners of the application, which may have a last word to send. */
function closeWhenRevoked(ws: ClosableSocket, { revoked }: SocketSession): void {
  const close = (): void => queueMicrotask(() => ws.close(REVOKED, 'session over'));
  if (revoked.aborted) close();
  else revoked.addEventListener('abort', close, { once: true });
}

function ignore(): void {}
