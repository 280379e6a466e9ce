/** The dictionary is in the cookie: signed in the open as Flask's own session, or sealed in the secure profile. */
import type { Codec, OpenRecord } from '../codecs/codec.ts';
import type { CookieSerializer, LoadedCookie } from '../codecs/cookie-serializer.ts';
import { BadSignatureError, SessionDecodeError, SessionHeadersSentError } from '../errors.ts';
import type { SessionEffects } from './effects.ts';
import { emit, type NotResumedReason, type SessionEventListener } from './events.ts';
import { endOf, hasPassed, idleTimeOf, type OwnExpiry, recordedExpiry } from './expiry.ts';
import { EMPTY, PlainRecord } from './plain-record.ts';
import { decide, type Rules } from './policy.ts';
import { controlsOf, Session, type SessionControls } from './session.ts';
import { SessionInterface, type SessionInterfaceOptions, type SessionRequest } from './session-interface.ts';
import { CREATED, PERMANENT, type SessionHooks, SessionState } from './state.ts';

export interface CookieSessionOptions extends SessionInterfaceOptions {
  /** Undefined without a secret key: every session is then a null session. */
  readonly serializer: CookieSerializer | undefined;
  readonly codec: Codec;
  readonly rules: Rules;
  /** Seconds after which a session ends however much it is used; undefined: never. */
  readonly absoluteTimeout: number | undefined;
  readonly permanent: boolean;
  /** Seconds that a cookie may be dated ahead of this host's clock. */
  readonly leeway: number;
  readonly onEvent: SessionEventListener | undefined;
}

/** Flask's `SecureCookieSessionInterface`. */
export class SecureCookieSessionInterface extends SessionInterface {
  readonly absoluteTimeout: number | undefined;
  /** Whether a new session is permanent. */
  readonly permanent: boolean;
  readonly #options: CookieSessionOptions;

  constructor(options: CookieSessionOptions) {
    super(options);
    this.absoluteTimeout = options.absoluteTimeout;
    this.permanent = options.permanent;
    this.#options = options;
  }

  override get opensLazily(): boolean {
    return true;
  }

  override savesUntouched(request: SessionRequest): boolean {
    return this.#options.rules.refresh === 'always' && this.readCookie(request) !== undefined;
  }

  override openSession(request: SessionRequest): Session | null {
    if (!this.#options.serializer) return null;
    const content = new CookieContent(this, this.readCookie(request));
    return new Session(content.state, content);
  }

  /** Reads a cookie's text into a state; verifying is put off until a handler asks for something. */
  read(text: string, content: CookieContent): void {
    const { serializer, codec, leeway, rules } = this.#options;
    let loaded: LoadedCookie;
    try {
      loaded = (serializer as CookieSerializer).loads(text, {
        // Its own end, which may be later than any other's, is inside.
        maxAge: Number.POSITIVE_INFINITY,
        now: this.now() / 1000,
        leeway,
      });
      const record = codec.open(loaded.payload);
      if (this.#isOver(record, loaded.issuedAt)) {
        this.refuse('expired', content);
        return;
      }
      content.issuedAt = loaded.issuedAt;
      content.reissue = !loaded.current && !rules.flask;
      content.state.isNew = false;
      content.state.rebase(record);
    } catch (error) {
      this.refuse(reasonOf(error), content, error);
    }
  }

  /** @param issuedAt seconds since 1970. An idle time is counted in whole seconds from there, as Flask does. */
  #isOver(record: OpenRecord, issuedAt: number): boolean {
    const own = recordedExpiry(record);
    const now = this.now();
    if (hasPassed(own, now) || this.#deadline(record.get(CREATED), issuedAt) <= now) return true;
    const idle = own ? Math.ceil(idleTimeOf(own)) : Math.floor(this.lifetime);
    return Math.floor(now / 1000) - issuedAt > idle;
  }

  /**
   * @param created seconds since 1970, as the record says; anything else says nothing
   * @returns milliseconds since 1970
   */
  #deadline(created: unknown, issuedAt: number): number {
    if (this.absoluteTimeout === undefined) return Number.POSITIVE_INFINITY;
    return ((typeof created === 'number' ? created : issuedAt) + this.absoluteTimeout) * 1000;
  }

  /** When the session ends unless it is used again, in milliseconds since 1970. */
  endOf(state: SessionState): number {
    const now = this.now();
    const { expiry } = state;
    const idle = expiry ? endOf(expiry, now) : now + this.lifetime * 1000;
    return Math.min(idle, this.#deadline(state.get(CREATED), now / 1000));
  }

  override expirationTime(session: Session): number | undefined {
    return session.permanent ? this.endOf((controlsOf(session) as CookieContent).state) : undefined;
  }

  /** A cookie that does not hold a session gives a fresh one and an event, where Flask may answer 500. */
  refuse(reason: NotResumedReason, content: CookieContent, cause?: unknown): void {
    content.state.isNew = true;
    content.state.rebase(this.initial());
    emit(this.#options.onEvent, { type: 'not-resumed', reason, ...(cause === undefined ? {} : { cause }) });
  }

  tellTooLate(error: SessionHeadersSentError): void {
    emit(this.#options.onEvent, { type: 'late-save-failed', error });
  }

  initial(): PlainRecord {
    const values: [string, unknown][] = [];
    if (this.absoluteTimeout !== undefined) values.push([CREATED, Math.floor(this.now() / 1000)]);
    if (this.permanent) values.push([PERMANENT, true]);
    return new PlainRecord(values);
  }

  override saveSession(session: Session, request: SessionRequest): SessionEffects {
    const content = controlsOf(session) as CookieContent;
    const { state } = content;
    const { rules } = this.#options;
    if (!state.loaded && rules.refresh !== 'always') return { vary: state.accessed };
    const { accessed } = state;
    let { expiry } = state;
    if (hasPassed(expiry, this.now())) {
      // Its own date came before it was saved: it is not kept.
      content.destroy();
      expiry = undefined;
    }
    const facts = {
      accessed,
      modified: state.modified,
      nested: state.settle(),
      pending: state.hasOperations,
      empty: state.isEmpty(rules.flask),
      isNew: state.isNew,
      permanent: Boolean(state.get(PERMANENT)),
      offered: this.readCookie(request) !== undefined,
      ended: state.destroyed,
      endChanged: false,
      ownIdleTime: false,
      renamed: false,
      reissue: content.reissue && accessed,
      due: this.#isDue(content, accessed, expiry),
    };
    const decision = decide(facts, rules);
    if (decision.cookie === 'keep') return { vary: decision.vary };
    const effects = decision.cookie === 'clear' ? this.clearCookie(request) : this.#issue(session, request);
    if (facts.isNew && decision.cookie === 'set') emit(this.#options.onEvent, { type: 'created' });
    if (facts.ended) emit(this.#options.onEvent, { type: 'destroyed' });
    return rules.flask ? effects : { ...effects, private: true };
  }

  #issue(session: Session, request: SessionRequest): SessionEffects {
    const { state } = controlsOf(session) as CookieContent;
    const { serializer, codec } = this.#options;
    const text = (serializer as CookieSerializer).dumps(codec.write(state.base, state.patch()), this.now() / 1000);
    return this.setCookie(text, this.expirationTime(session), request);
  }

  #isDue(content: CookieContent, accessed: boolean, own: OwnExpiry | undefined): boolean {
    const { refresh } = this.#options.rules;
    if (typeof refresh !== 'number' || !accessed || content.issuedAt === undefined) return false;
    return this.now() / 1000 - content.issuedAt >= (own ? idleTimeOf(own) : this.lifetime) * refresh;
  }
}

function reasonOf(error: unknown): NotResumedReason {
  if (error instanceof BadSignatureError) {
    return error.code === 'ERR_SESSION_SIGNATURE_EXPIRED' ? 'expired' : 'bad-signature';
  }
  if (error instanceof SessionDecodeError) return 'undecodable';
  throw error;
}

/** One request's session, and the cookie it came from. */
class CookieContent implements SessionControls, SessionHooks {
  readonly state = new SessionState();
  /** When the cookie was made, in seconds since 1970; undefined when there is none that counts. */
  issuedAt: number | undefined;
  reissue = false;
  readonly #owner: SecureCookieSessionInterface;
  readonly #text: string | undefined;
  readonly permanent: boolean;
  /** The response's headers take the session along. */
  #isTaken = false;
  #headersSent = false;

  constructor(owner: SecureCookieSessionInterface, text: string | undefined) {
    this.#owner = owner;
    this.#text = text;
    this.state.hooks = this;
    this.state.keepsCreated = owner.absoluteTimeout !== undefined;
    this.permanent = owner.permanent;
    if (owner.permanent) this.state.permanentAfterClear = 'set';
    if (text) this.state.postpone();
    else this.state.rebase(owner.initial());
  }

  expiresAt(): number {
    return this.#owner.endOf(this.state);
  }

  readNow(): void {
    this.#owner.read(this.#text as string, this);
  }

  undecodable(cause: unknown): void {
    this.#owner.refuse('undecodable', this, cause);
  }

  destroy(): void {
    this.late();
    this.state.reset(this.#owner.initial());
    this.state.isNew = true;
    this.state.modified = true;
    this.state.destroyed = true;
    this.reissue = false;
    this.issuedAt = undefined;
  }

  reload(): void {
    this.state.reset(EMPTY);
    this.state.modified = false;
    if (this.#text) this.readNow();
    else this.state.rebase(this.#owner.initial());
  }

  headersLeaving(): void {
    this.#isTaken = true;
  }

  headersSent(): void {
    this.#headersSent = true;
    if (this.#isTaken || !this.state.loaded) return;
    const nested = this.state.settle();
    // Changed before anybody knew that the headers were leaving.
    if (this.state.hasOperations && (this.state.modified || nested)) this.#owner.tellTooLate(tooLate());
  }

  detach(): void {
    this.#headersSent = true;
  }

  /** The response takes the session along. After it, a change deep inside is refused here, as others were at once. */
  save(): void {
    if (this.#headersSent && this.state.loaded && this.state.settle()) this.late();
  }

  isAlive(): boolean {
    const again = new CookieContent(this.#owner, this.#text);
    void again.state.base;
    return !again.state.isNew;
  }

  late(): void {
    if (this.#headersSent) throw tooLate();
  }
}

function tooLate(): SessionHeadersSentError {
  return new SessionHeadersSentError(
    'the response has begun and took the session cookie with it: change the session before the first byte is sent, or keep it in a store',
  );
}
