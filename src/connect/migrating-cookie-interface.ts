/** From one cookie to another: sessions that are in a cookie of another library, and are to be in ours. */
import type { SecureCookieSessionInterface } from '../core/cookie-session.ts';
import type { SessionEffects } from '../core/effects.ts';
import { emit, type SessionEventListener } from '../core/events.ts';
import { controlsOf, type Session } from '../core/session.ts';
import { SessionInterface, type SessionRequest } from '../core/session-interface.ts';
import { PERMANENT, type SessionState } from '../core/state.ts';
import { type Awaitable, chain, type StoredRecord } from '../core/store.ts';
import { SessionDecodeError } from '../errors.ts';
import { takeOverMessages } from './connect-flash.ts';
import type { Former, FormerSession } from './former.ts';

/** What is the same of any session in a cookie. */
interface CookieContent {
  readonly state: SessionState;
  reissue: boolean;
}

/** Nothing is in a store, so nothing needs to be retired; a copy of the old cookie is as good as it was there. */
export class MigratingCookieInterface extends SessionInterface {
  readonly #ours: SecureCookieSessionInterface;
  readonly #former: Former;
  readonly #onEvent: SessionEventListener | undefined;
  readonly #taken = new WeakSet<Session>();

  constructor(ours: SecureCookieSessionInterface, former: Former, onEvent: SessionEventListener | undefined) {
    super({
      cookie: { name: ours.cookieName },
      lifetime: ours.lifetime,
      refreshEachRequest: ours.refreshEachRequest,
      now: ours.now,
    });
    this.#ours = ours;
    this.#former = former;
    this.#onEvent = onEvent;
  }

  override get opensLazily(): boolean {
    return true;
  }

  override savesUntouched(request: SessionRequest): boolean {
    return this.#ours.savesUntouched(request);
  }

  override openSession(request: SessionRequest): Session | null {
    const session = this.#ours.openSession(request);
    if (session === null || !this.#former.isOffered(request)) return session;
    const { state } = contentOf(session);
    // Reads our cookie, where there is one.
    void state.base;
    return state.isNew ? this.#takeOver(session, request) : session;
  }

  #takeOver(session: Session, request: SessionRequest): Session {
    const former = this.#read(request);
    if (!former) return session;
    const content = contentOf(session);
    const { state } = content;
    const initial = this.#ours.initial();
    state.rebase(former.record);
    takeOverMessages(state);
    for (const key of initial.keys()) if (key !== PERMANENT) state.stamp(key, initial.get(key));
    if (former.lasting) state.stamp(PERMANENT, true);
    state.isNew = false;
    content.reissue = true;
    this.#taken.add(session);
    return session;
  }

  #read(request: SessionRequest): FormerSession | undefined {
    const from = this.#former.library;
    const id = this.#former.idFrom(request);
    if (id === undefined) {
      emit(this.#onEvent, { type: 'not-resumed', reason: 'bad-signature', from });
      return undefined;
    }
    try {
      const former = this.#former.open((this.#former.store.read(id) as StoredRecord).bytes, this.now());
      return former && former.record.size > 0 ? former : undefined;
    } catch (cause) {
      if (!(cause instanceof SessionDecodeError)) throw cause;
      emit(this.#onEvent, { type: 'not-resumed', reason: 'undecodable', from, cause });
      return undefined;
    }
  }

  override saveSession(session: Session, request: SessionRequest): Awaitable<SessionEffects> {
    return chain(this.#ours.saveSession(session, request), (effects) => {
      // Theirs goes when ours is set in its place, and when the visitor signs out of either.
      if (!effects.setCookie || !this.#former.isOffered(request)) return effects;
      if (this.#taken.has(session)) emit(this.#onEvent, { type: 'migrated', from: this.#former.library });
      return { ...effects, moreCookies: this.#former.clear(request) };
    });
  }

  override readCookie(request: SessionRequest): string | undefined {
    return this.#ours.readCookie(request);
  }
}

function contentOf(session: Session): CookieContent {
  return controlsOf(session) as unknown as CookieContent;
}
