/** A server-side interface that resumes the sessions of another library where the visitor has none of ours yet. */
import { Binding } from '../core/binding.ts';
import type { SessionEffects } from '../core/effects.ts';
import { hasPassed } from '../core/expiry.ts';
import { NullSession } from '../core/null-session.ts';
import { createSessionInterface, describe, type SessionOptions } from '../core/options.ts';
import { ServerSideSessionInterface } from '../core/server-session.ts';
import { controlsOf, Session } from '../core/session.ts';
import type { SessionInterface, SessionRequest } from '../core/session-interface.ts';
import type { Awaitable } from '../core/store.ts';
import { SessionConfigError, SessionStoreError } from '../errors.ts';
import { embeddedStore } from '../stores/embedded.ts';
import type { Former } from './former.ts';
import { Moves } from './moves.ts';

export interface TakingOver {
  /**
   * Seconds after the move for which a request with nothing but the old cookie finds the session. Default: for as long as
   * that cookie would have lasted, so that nobody is logged out whose browser never got the new one.
   */
  readonly grace?: number | undefined;
}

export class MigratingSessionInterface extends ServerSideSessionInterface {
  readonly #former: Former;
  readonly #moves: Moves;
  /** The former ids of sessions that were opened with the old cookie. */
  readonly #formerIds = new WeakMap<Session, string>();

  /** @param timeout seconds that one operation of the former store may take */
  constructor(ours: ServerSideSessionInterface, former: Former, grace: number, timeout: number) {
    super(ours);
    this.#former = former;
    this.#moves = new Moves(this, former, grace, timeout);
  }

  /** Where the old cookie is offered, a store has to be asked before the handler runs. */
  override get opensLazily(): boolean {
    return false;
  }

  override openSession(request: SessionRequest): Awaitable<Session> {
    if (!this.#former.isOffered(request)) return super.openSession(request);
    return this.readCookie(request) ? this.#openEither(request) : this.#openFormer(request);
  }

  async #openEither(request: SessionRequest): Promise<Session> {
    const session = await super.openSession(request);
    const { state } = bindingOf(session);
    await bindingOf(session).load();
    return state.isNew && state.readOnly === undefined ? this.#openFormer(request, session) : session;
  }

  /** @param instead what to go on with where there is nothing to take over */
  async #openFormer(request: SessionRequest, instead?: Session): Promise<Session> {
    const id = this.#former.idFrom(request);
    if (id === undefined) this.emit({ type: 'not-resumed', reason: 'bad-signature', from: this.#former.library });
    let sid: string | undefined;
    try {
      sid = id === undefined ? undefined : await this.#moves.sidFor(id);
    } catch (error) {
      if (this.onStoreError === 'fail' || !(error instanceof SessionStoreError)) throw error;
      return new NullSession(OUT_OF_ORDER) as Session;
    }
    if (id === undefined || sid === undefined) return instead ?? super.openSession(request);
    const binding = new Binding(this, sid);
    const session = new Session(binding.state, binding);
    await binding.load();
    if (!binding.state.isNew) this.#formerIds.set(session, id);
    return session;
  }

  override saveSession(session: Session, request: SessionRequest): Awaitable<SessionEffects> {
    const formerId = this.#formerIds.get(session);
    if (formerId !== undefined) return this.#saveTaken(session, request, formerId);
    if (!isOver(bindingOf(session)) || !this.#former.isOffered(request)) return super.saveSession(session, request);
    // Signed out with both cookies: what the other one leads to would sign the visitor in again.
    const offered = this.#former.idFrom(request);
    return offered === undefined ? super.saveSession(session, request) : this.#saveEnded(session, request, offered);
  }

  /** The visitor gets our cookie in place of theirs; nothing is sent for a request that did not use the session. */
  async #saveTaken(session: Session, request: SessionRequest, formerId: string): Promise<SessionEffects> {
    const binding = bindingOf(session);
    const { state } = binding;
    if (!state.accessed || state.readOnly !== undefined) return super.saveSession(session, request);
    if (isOver(binding)) return this.#saveEnded(session, request, formerId);
    binding.reissue = true;
    const effects = await super.saveSession(session, request);
    try {
      await this.#moves.retire(formerId);
    } catch (error) {
      // An event has told. The record stays until it expires, and is not moved again.
      if (!(error instanceof SessionStoreError)) throw error;
    }
    return this.#withoutTheirs(effects, request);
  }

  /** Theirs ends first: a failure then leaves the visitor signed in, and the response says so. */
  async #saveEnded(session: Session, request: SessionRequest, formerId: string): Promise<SessionEffects> {
    await this.#moves.end(formerId);
    return this.#withoutTheirs(await super.saveSession(session, request), request);
  }

  #withoutTheirs(effects: SessionEffects, request: SessionRequest): SessionEffects {
    return effects.setCookie ? { ...effects, moreCookies: this.#former.clear(request) } : effects;
  }
}

const OUT_OF_ORDER = 'a session store is out of order, so that sessions are empty and read-only for the moment';

function bindingOf(session: Session): Binding {
  return controlsOf(session) as Binding;
}

/** Ended, or emptied, or given an end that has come (`setExpiry`), which comes to the same. */
function isOver({ state, owner }: Binding): boolean {
  return state.destroyed || (state.modified && (state.isEmpty() || hasPassed(state.expiry, owner.now())));
}

/** @throws SessionConfigError */
export function migrating(options: SessionOptions, former: Former, { grace }: TakingOver): MigratingSessionInterface {
  const ours = createSessionInterface(options, embeddedStore);
  if (!(ours instanceof ServerSideSessionInterface)) {
    const expected = `a session store: the sessions of ${former.library} are not moved into cookies`;
    throw new SessionConfigError('store', describe(options.store), expected);
  }
  refuseSameName(ours, former);
  if (grace !== undefined && !(typeof grace === 'number' && grace >= 0)) {
    throw new SessionConfigError('grace', describe(grace), 'a number of seconds, at least 0');
  }
  return new MigratingSessionInterface(ours, former, grace ?? Number.POSITIVE_INFINITY, options.storeTimeout ?? 5);
}

/** @throws SessionConfigError */
export function refuseSameName(ours: SessionInterface, former: Former): void {
  if (ours.cookieName !== former.cookieName) return;
  const expected = `another name than that of ${former.library}'s cookie, so that the two can be told apart`;
  throw new SessionConfigError('cookie.name', JSON.stringify(ours.cookieName), expected);
}
