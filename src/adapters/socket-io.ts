/** Socket.IO 4, over any of its transports. */
import type { IncomingMessage } from 'node:http';
import type { SessionOptions } from '../core/options.ts';
import type { SessionInterface } from '../core/session-interface.ts';
import { SessionOriginError } from '../errors.ts';
import { printError, type SocketSession, type SocketSessionOptions, socketSessionOpener } from './ws-session.ts';

export type { Origins } from './ws-origins.ts';
export type { SocketSession, SocketSessionOptions } from './ws-session.ts';

/** What is needed of a `Socket` of `socket.io`. */
export interface SocketIoSocket {
  /** Of the handshake. */
  readonly request: IncomingMessage;
  /** The connection below, which several sockets may share. */
  readonly conn: { readonly readyState: string; once(event: 'close', listener: () => void): unknown };
  once(event: 'disconnect', listener: () => void): unknown;
  disconnect(close?: boolean): unknown;
}

export interface SocketIoSessions {
  /** The middleware, for `io.use(…)` or a namespace's. */
  (socket: SocketIoSocket, next: (error?: Error) => void): void;
  /**
   * The session of a socket that came through the middleware. It is not in `socket.data`: what is there is sent to other
   * servers by `fetchSockets`.
   * @throws TypeError for a socket that did not
   */
  of(socket: SocketIoSocket): SocketSession;
}

/**
 * Sessions for Socket.IO: those that the HTTP side keeps, when both are given the same interface. A socket whose session is
 * over is disconnected. A socket that is refused gets a `connect_error`.
 * @param options the interface, or options like those of the HTTP side
 * @throws SessionConfigError
 */
export function socketIoSessions(
  options: SessionOptions | SessionInterface,
  socketOptions: SocketSessionOptions = {},
): SocketIoSessions {
  const openSession = socketSessionOpener(options, socketOptions);
  const { onError = printError } = socketOptions;
  const visitors = new WeakMap<SocketIoSocket, SocketSession>();
  const middleware = (socket: SocketIoSocket, next: (error?: Error) => void): void => {
    const refuse = (error: unknown): void => {
      const isForeign = error instanceof SessionOriginError;
      // The client gets the message: it need not know more of a failure than that there was one.
      next(isForeign ? error : new Error('the session is unavailable'));
      if (!isForeign) onError(error, socket.request);
    };
    openSession(socket.request).then((visitor) => {
      visitors.set(socket, visitor);
      const close = (): void => visitor.close();
      socket.once('disconnect', close);
      // A socket that a later middleware refuses never disconnects, for it never was connected.
      if (socket.conn.readyState === 'open') socket.conn.once('close', close);
      else close();
      // After the listeners of the application, which may have a last word to send.
      visitor.revoked.addEventListener('abort', () => queueMicrotask(() => socket.disconnect(true)), { once: true });
      next();
    }, refuse);
  };
  const of = (socket: SocketIoSocket): SocketSession => {
    const visitor = visitors.get(socket);
    if (!visitor) throw new TypeError('this socket did not come through the middleware that the session is asked of');
    return visitor;
  };
  return Object.assign(middleware, { of });
}
