/** The dictionary is in the cookie: signed in the open as Flask's own session, or sealed in the secure profile. */
import type { Codec } from '../codecs/codec.ts';
import type { CookieSerializer, LoadedCookie } from '../codecs/cookie-serializer.ts';
import { BadSignatureError, SessionDecodeError, SessionHeadersSentError } from '../errors.ts';
import type { SessionEffects } from './effects.ts';
import { emit, type NotResumedReason, type SessionEventListener } from './events.ts';
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
  readonly #options: CookieSessionOptions;

  constructor(options: CookieSessionOptions) {
    super(options);
    this.absoluteTimeout = options.absoluteTimeout;
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
        maxAge: Math.floor(this.lifetime),
        now: this.now() / 1000,
        leeway,
      });
      const record = codec.open(loaded.payload);
      const created = record.get(CREATED);
      const { absoluteTimeout } = this;
      if (
        absoluteTimeout !== undefined &&
        (typeof created === 'number' ? created : loaded.issuedAt) + absoluteTimeout <= this.now() / 1000
      ) {
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

  /** A cookie that does not hold a session gives a fresh one and an event, where Flask may answer 500. */
  refuse(reason: NotResumedReason, content: CookieContent, cause?: unknown): void {
    content.state.isNew = true;
    content.state.rebase(this.initial());
    emit(this.#options.onEvent, { type: 'not-resumed', reason, ...(cause === undefined ? {} : { cause }) });
  }

  initial(): PlainRecord {
    const values: [string, unknown][] = [];
    if (this.absoluteTimeout !== undefined) values.push([CREATED, Math.floor(this.now() / 1000)]);
    if (this.#options.permanent) values.push([PERMANENT, true]);
    return new PlainRecord(values);
  }

  override saveSession(session: Session, request: SessionRequest): SessionEffects {
    const content = controlsOf(session) as CookieContent;
    const { state } = content;
    const { rules } = this.#options;
    if (!state.loaded && rules.refresh !== 'always') return { vary: state.accessed };
    const { accessed } = state;
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
      permanentChanged: false,
      renamed: false,
      reissue: content.reissue && accessed,
      due: this.#isDue(content, accessed),
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

  #isDue(content: CookieContent, accessed: boolean): boolean {
    const { refresh } = this.#options.rules;
    if (typeof refresh !== 'number' || !accessed || content.issuedAt === undefined) return false;
    return this.now() / 1000 - content.issuedAt >= this.lifetime * refresh;
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
  #headersSent = false;

  constructor(owner: SecureCookieSessionInterface, text: string | undefined) {
    this.#owner = owner;
    this.#text = text;
    this.state.hooks = this;
    this.state.keepsCreated = owner.absoluteTimeout !== undefined;
    if (text) this.state.postpone();
    else this.state.rebase(owner.initial());
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

  headersSent(): void {
    this.#headersSent = true;
  }

  late(): void {
    if (!this.#headersSent) return;
    throw new SessionHeadersSentError(
      'the response has begun and took the session cookie with it: change the session before the first byte is sent, or keep it in a store',
    );
  }
}
