/** The session of one socket, from its upgrade request on, for as long as both last. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import { inspect } from 'node:util';
import { runWithSession } from '../core/context.ts';
import { createSessionInterface, describe, type SessionOptions } from '../core/options.ts';
import { controlsOf, type Session } from '../core/session.ts';
import type { SessionInterface, SessionRequest } from '../core/session-interface.ts';
import { SessionConfigError, SessionHeadersSentError, SessionRevokedError } from '../errors.ts';
import { embeddedStore } from '../stores/embedded.ts';
import { type Origins, originCheck } from './ws-origins.ts';

export interface SocketSessionOptions {
  /**
   * Seconds between two looks at the store, at most, to notice what another process ended. Each is one read per socket,
   * and extends no session. Default 30; 0: never.
   */
  readonly checkEvery?: number;
  /** Pages that may open a socket. Default `same`: those of the host that is asked. */
  readonly origins?: Origins;
  /** Hears why a socket was refused, unless its origin is to blame. Default: prints the error. */
  readonly onError?: (error: unknown, req: IncomingMessage) => void;
}

/** Default of {@link SocketSessionOptions.onError}. */
export function printError(error: unknown): void {
  process.stderr.write(`${inspect(error)}\n`);
}

const LONGEST_CHECK = 86_400;

/**
 * Makes what opens the session of an upgrade request.
 * @throws SessionConfigError
 */
export function socketSessionOpener(
  options: SessionOptions | SessionInterface,
  { checkEvery = 30, origins = 'same' }: SocketSessionOptions,
): (req: IncomingMessage) => Promise<SocketSession> {
  if (typeof checkEvery !== 'number' || !(checkEvery >= 0 && checkEvery <= LONGEST_CHECK)) {
    throw new SessionConfigError('checkEvery', describe(checkEvery), `a number of seconds from 0 to ${LONGEST_CHECK}`);
  }
  const check = originCheck(origins);
  const sessionInterface = createSessionInterface(options, embeddedStore);
  return async (req) => {
    check(req);
    // What the headers said at the handshake: no response follows that could carry a cookie, so `secure` decides nothing.
    const request = { cookie: req.headers.cookie, secure: true };
    return new SocketSession(sessionInterface, request, await openSession(sessionInterface, request), checkEvery);
  };
}

async function openSession(sessionInterface: SessionInterface, request: SessionRequest): Promise<Session> {
  const session = (await sessionInterface.openSession(request)) ?? sessionInterface.makeNullSession();
  const controls = controlsOf(session);
  controls.detach?.();
  await controls.load?.();
  return session;
}

/** The message that is being handled, for calls from inside of it: they must not wait for its end. */
const messages = new AsyncLocalStorage<{ visitor: SocketSession; session: Session; isOpen: boolean }>();

export class SocketSession {
  /** As it was when the socket was opened, or at the last `reload`. */
  readonly session: Session;
  readonly #interface: SessionInterface;
  readonly #request: SessionRequest;
  readonly #ended = new AbortController();
  /** Whether the visitor had none when the socket was opened: then there is none that could end. */
  readonly #wasNew: boolean;
  #unwatch: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Resolves when the messages before are handled. */
  #turn: Promise<void> = Promise.resolve();

  /** @internal */
  constructor(sessionInterface: SessionInterface, request: SessionRequest, session: Session, checkEvery: number) {
    this.#interface = sessionInterface;
    this.#request = request;
    this.session = session;
    this.#wasNew = session.isNew;
    const controls = controlsOf(session);
    if (this.#wasNew) return;
    this.#unwatch = controls.watch?.(() => this.#revoke());
    if (controls.isAlive && checkEvery > 0) this.#checkLater(checkEvery * 1000);
  }

  /**
   * Aborts, with a `SessionRevokedError` as its reason, when the session is over: signed out, renewed under another id (as at
   * a sign-in), or expired. At once when it happened in this process, else at the next look at the store. A store that
   * does not answer says nothing of the session.
   */
  get revoked(): AbortSignal {
    return this.#ended.signal;
  }

  /**
   * Handles one message: reads the session anew, calls the function with it, both as the argument and as the imported
   * `session`, and saves what was changed when the function is done. When it throws, nothing is saved. Messages of a socket
   * are handled one after the other, in the order of the calls; a call from inside of another one is a part of that.
   * @throws SessionRevokedError when the session is over, before the function is called or at saving
   * @throws SessionStoreError | SessionConflictError | SessionEncodeError
   */
  async run<R>(handle: (session: Session) => R | Promise<R>): Promise<R> {
    const outer = messages.getStore();
    if (outer?.visitor === this && outer.isOpen) return handle(outer.session);
    const turn = this.#turn.then(() => this.#handle(handle));
    this.#turn = turn.then(ignore, ignore);
    return turn;
  }

  async #handle<R>(handle: (session: Session) => R | Promise<R>): Promise<R> {
    this.#ended.signal.throwIfAborted();
    const session = await openSession(this.#interface, this.#request);
    this.#verify(session);
    const message = { visitor: this, session, isOpen: true };
    let result: R;
    try {
      result = await messages.run(message, () => runWithSession({ session }, () => handle(session)));
    } finally {
      message.isOpen = false;
    }
    await this.#save(session);
    return result;
  }

  /** Drops what was changed in `session` since the last `save`, and reads it anew. @throws SessionRevokedError | SessionStoreError */
  async reload(): Promise<void> {
    this.#ended.signal.throwIfAborted();
    await this.session.reload();
    this.#verify(this.session);
  }

  /**
   * Saves what was changed in `session`. Changes that others made meanwhile stay, as everywhere.
   * @throws SessionRevokedError when the session is over: nothing was written
   * @throws SessionStoreError | SessionConflictError | SessionEncodeError
   */
  async save(): Promise<void> {
    this.#ended.signal.throwIfAborted();
    await this.#save(this.session);
  }

  /** Ends the watch for a revocation. Called when the socket closes; what is still being handled can be saved. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  async #save(session: Session): Promise<void> {
    if (this.#interface.isNullSession(session)) return;
    try {
      if (controlsOf(session).detach) await session.save();
      else await this.#saveElsewhere(session);
    } catch (error) {
      if (error instanceof SessionRevokedError) this.#revoke();
      throw error;
    }
  }

  /** For an interface of one's own, which knows only responses: it may have nothing to tell the client but what that has. */
  async #saveElsewhere(session: Session): Promise<void> {
    const { setCookie } = await this.#interface.saveSession(session, this.#request);
    if (setCookie === undefined) return;
    const told = this.#interface.readCookie({ cookie: setCookie.split(';', 1)[0], secure: true });
    if (told === this.#interface.readCookie(this.#request)) return;
    throw new SessionHeadersSentError('a socket has no response that could bring the session cookie of this change');
  }

  /** A session that was there, and is not any more, is not replaced by a fresh one: its messages are nobody's. */
  #verify(session: Session): void {
    if (session.isNew && !this.#wasNew) this.#revoke();
    this.#ended.signal.throwIfAborted();
  }

  #revoke(): void {
    this.close();
    this.#ended.abort(new SessionRevokedError());
  }

  /** Not all of them at once: those of many sockets that were opened together spread out over time. */
  #checkLater(longest: number): void {
    this.#timer = setTimeout(() => this.#check(longest), longest * (0.75 + Math.random() / 4));
    this.#timer.unref();
  }

  async #check(longest: number): Promise<void> {
    const timer = this.#timer;
    try {
      if (!(await controlsOf(this.session).isAlive?.())) this.#revoke();
    } catch {
      // The store is out of order, which it has told as an event: nothing is known of the session.
    }
    if (this.#timer === timer && timer !== undefined) this.#checkLater(longest);
  }
}

function ignore(): void {}
