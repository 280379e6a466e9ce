/** The dictionary is on the server: the cookie holds an id, a store holds the record (Flask-Session's interfaces). */
import type { Codec, OpenRecord } from '../codecs/codec.ts';
import type { Signer } from '../codecs/signer.ts';
import { SessionConflictError } from '../errors.ts';
import { Binding, type BindingOwner } from './binding.ts';
import { commit, move, type Outcome } from './commit.ts';
import type { SessionEffects } from './effects.ts';
import { emit, type SessionEvent, type SessionEventListener } from './events.ts';
import { endOf, hasPassed, idleTimeOf, type OwnExpiry, recordedExpiry } from './expiry.ts';
import { GuardedStore } from './guarded-store.ts';
import { type Decision, decide, type Rules } from './policy.ts';
import { controlsOf, Session } from './session.ts';
import { SessionInterface, type SessionInterfaceOptions, type SessionRequest } from './session-interface.ts';
import { generateSid, hashSid, isSid } from './sid.ts';
import { CREATED, PERMANENT, type SessionState } from './state.ts';
import { type Awaitable, chain, isPromise, type SessionStore, type StoredRecord } from './store.ts';

export interface ServerSideOptions extends SessionInterfaceOptions {
  readonly store: SessionStore;
  /** Every format that is read; the first one writes. */
  readonly codecs: readonly Codec[];
  /** Opens records, of this and of older formats. @throws SessionDecodeError */
  readonly open: (record: Uint8Array) => OpenRecord;
  readonly rules: Rules;
  /** Seconds after which a session ends however much it is used; undefined: never. */
  readonly absoluteTimeout: number | undefined;
  /** Whether a new session is permanent. */
  readonly permanent: boolean;
  readonly keyPrefix: string;
  /** Whether the key holds a hash of the id in place of the id. */
  readonly hashIds: boolean;
  /** Signs the id in the cookie (Flask-Session's SESSION_USE_SIGNER). */
  readonly signer: Signer | undefined;
  /** Bytes of randomness in an id. */
  readonly idLength: number;
  /** Seconds that one store operation may take. */
  readonly storeTimeout: number;
  readonly onStoreError: 'fail' | 'null-session';
  /** Read a record only when asked: `await session.load()`. A store that answers at once is always read lazily. */
  readonly lazy: boolean;
  readonly onEvent: SessionEventListener | undefined;
}

/** How long a key that `regenerate` left is remembered, so that requests still under way do not clear the new cookie. */
const RENAMED_MEMORY_MS = 60_000;
const RENAMED_MEMORY_KEYS = 10_000;
/** The coarsest unit in which a store keeps deadlines. */
const STORE_PRECISION_MS = 1000;

/**
 * What became of the record: `emptied`, nothing was left to keep; `gone` while there was something to write, `untouchable`: gone, with nothing lost;
 * `renamed`: gone to another id, by a request of this process.
 */
type Result = 'undecodable' | 'kept' | 'emptied' | 'gone' | 'untouchable' | 'renamed';

export class ServerSideSessionInterface extends SessionInterface implements BindingOwner {
  readonly store: GuardedStore;
  readonly rules: Rules;
  readonly absoluteTimeout: number | undefined;
  readonly permanent: boolean;
  readonly onStoreError: 'fail' | 'null-session';
  readonly storeIsSynchronous: boolean;
  readonly openRecord: (record: Uint8Array) => OpenRecord;
  readonly codecs: readonly Codec[];
  readonly #options: ServerSideOptions;
  readonly #readsLazily: boolean;
  readonly #renamed = new Map<string, { readonly key: string | undefined; readonly until: number }>();

  /** @param from options, or an interface whose options this one shares: for subclasses of what `createSessionInterface` made */
  constructor(from: ServerSideOptions | ServerSideSessionInterface) {
    const options = from instanceof ServerSideSessionInterface ? from.#options : from;
    super(options);
    this.#options = options;
    this.codecs = options.codecs;
    this.store = new GuardedStore(options.store, options.storeTimeout, options.onEvent);
    this.rules = options.rules;
    this.absoluteTimeout = options.absoluteTimeout;
    this.permanent = options.permanent;
    this.onStoreError = options.onStoreError;
    this.openRecord = options.open;
    this.storeIsSynchronous = options.store.synchronous === true;
    this.#readsLazily = this.storeIsSynchronous || options.lazy;
  }

  override get opensLazily(): boolean {
    return this.#readsLazily;
  }

  override savesUntouched(request: SessionRequest): boolean {
    return this.rules.refresh === 'always' && this.readCookie(request) !== undefined;
  }

  override openSession(request: SessionRequest): Awaitable<Session> {
    const binding = this.#bind(request);
    const session = new Session(binding.state, binding);
    if (binding.state.loaded || this.#readsLazily) return session;
    return chain(binding.load(), () => session);
  }

  /** The id of a new session. Override it for ids of your own: 8 to 200 letters, digits, `-` and `_`, at least 128 random bits. */
  generateSid(): string {
    return generateSid(this.#options.idLength);
  }

  storeKey(sid: string): string {
    return this.#options.keyPrefix + (this.#options.hashIds ? hashSid(sid) : sid);
  }

  emit(event: SessionEvent): void {
    emit(this.#options.onEvent, event);
  }

  /** Whether a record's absolute deadline has passed, or a date of its own: a Flask application keeps neither. */
  isOver(record: OpenRecord): boolean {
    return this.#deadline(record.get(CREATED)) <= this.now() || hasPassed(recordedExpiry(record), this.now());
  }

  /** @param created seconds since 1970, as the record says; anything else says nothing */
  #deadline(created: unknown): number {
    if (this.absoluteTimeout === undefined) return Number.POSITIVE_INFINITY;
    const from = typeof created === 'number' ? created * 1000 : this.now();
    return from + this.absoluteTimeout * 1000;
  }

  #bind(request: SessionRequest): Binding {
    const text = this.readCookie(request);
    if (!text) return new Binding(this, undefined);
    let sid = text;
    let reissue = false;
    const { signer } = this.#options;
    if (signer) {
      const verified = signer.verify(text);
      if (!verified) {
        this.emit({ type: 'not-resumed', reason: 'bad-signature' });
        return new Binding(this, undefined);
      }
      sid = verified.value;
      reissue = !verified.current && !this.rules.flask;
    }
    if (!isSid(sid)) {
      this.emit({ type: 'not-resumed', reason: 'malformed-id' });
      return new Binding(this, undefined);
    }
    const binding = new Binding(this, sid);
    binding.reissue = reissue;
    return binding;
  }

  override saveSession(session: Session, request: SessionRequest): Awaitable<SessionEffects> {
    const binding = controlsOf(session) as Binding;
    const { state } = binding;
    if (!state.loaded) {
      // Untouched. Only Flask's refresh at every request makes it worth reading.
      if (this.rules.refresh !== 'always') return { vary: state.accessed };
      const accessed = state.accessed;
      return chain(binding.load(), () => {
        state.accessed = accessed;
        return binding.exclusively(() => this.#finish(session, request));
      });
    }
    return binding.exclusively(() => this.#finish(session, request));
  }

  #finish(session: Session, request: SessionRequest): Awaitable<SessionEffects> {
    const binding = controlsOf(session) as Binding;
    if (binding.state.readOnly !== undefined) return { vary: binding.state.accessed };
    const decision = this.#decide(binding, this.readCookie(request) !== undefined);
    return chain(this.#perform(binding, decision), (result) =>
      result === 'undecodable' ? this.#finish(session, request) : this.#effects(session, request, decision, result),
    );
  }

  #decide(binding: Binding, offered: boolean): Decision {
    const { state } = binding;
    let { expiry } = state;
    if (hasPassed(expiry, this.now())) {
      // Its own date came before it was saved: it is not kept.
      binding.destroy();
      expiry = undefined;
    }
    binding.endChanged ||= hasNewEnd(state, expiry);
    const facts = {
      accessed: state.accessed,
      modified: state.modified,
      nested: state.settle(),
      pending: state.hasOperations,
      empty: state.isEmpty(),
      isNew: state.isNew,
      permanent: Boolean(state.get(PERMANENT)),
      endChanged: binding.endChanged,
      ownIdleTime: expiry?.idle !== undefined,
      offered,
      ended: state.destroyed,
      renamed: binding.renamed,
      reissue: binding.reissue,
      due: this.#isDue(binding, expiry),
    };
    return decide(facts, this.rules);
  }

  #isDue(binding: Binding, own: OwnExpiry | undefined): boolean {
    const { refresh } = this.rules;
    if (typeof refresh !== 'number' || !binding.stored || !binding.state.accessed) return false;
    const { expiresAt } = binding.stored;
    const isLate = (lifetime: number) => expiresAt - this.now() < lifetime * 1000 * (1 - refresh);
    if (!own) return isLate(this.lifetime) && this.endOf(binding.state) > expiresAt;
    const end = this.endOf(binding.state, own);
    // Who does not know of the session's own end (Flask, a request that read the record before) may have moved it.
    if (expiresAt >= end + STORE_PRECISION_MS) return true;
    // A date stays where it is, and where the store put it.
    const moves = own.at === undefined ? end > expiresAt : end >= expiresAt + STORE_PRECISION_MS;
    return moves && isLate(idleTimeOf(own));
  }

  endOf(state: SessionState, own: OwnExpiry | undefined = state.expiry): number {
    const idle = own ? endOf(own, this.now()) : this.now() + Math.floor(this.lifetime) * 1000;
    return Math.min(idle, this.#deadline(state.get(CREATED)));
  }

  /** For `session.save()`: what the response would do to the record, now. */
  commit(binding: Binding): Awaitable<void> {
    if (!binding.state.loaded || binding.state.readOnly !== undefined) return undefined;
    return binding.exclusively(() => {
      const decision = this.#decide(binding, binding.offered !== undefined);
      return chain(this.#perform(binding, decision), (result) =>
        result === 'undecodable' ? this.#again(binding) : undefined,
      );
    });
  }

  #again(binding: Binding): Awaitable<void> {
    return chain(this.#perform(binding, this.#decide(binding, true)), () => undefined);
  }

  #perform(binding: Binding, decision: Decision): Awaitable<Result> {
    const [key] = binding.doomed;
    if (key === undefined) return this.#performData(binding, decision);
    // Before the record goes: who then finds it gone must not clear the cookie of the session that follows.
    if (key === binding.replaced && decision.data === 'write' && !this.#goesOn(key)) this.#remember(key, undefined);
    return chain(this.#end(key), () => {
      binding.doomed.delete(key);
      if (binding.doomed.size === 0 && binding.state.destroyed) this.emit({ type: 'destroyed' });
      return this.#perform(binding, decision);
    });
  }

  /** A logout under an id that has just been renamed ends the session under its new one. */
  #end(key: string): Awaitable<unknown> {
    return chain(this.store.delete(key), (ended) => {
      const renamed = ended ? undefined : this.#renamedTo(key);
      return renamed === undefined ? undefined : this.#end(renamed);
    });
  }

  #performData(binding: Binding, decision: Decision): Awaitable<Result> {
    const { state, stored, former } = binding;
    if (decision.data === 'keep' || binding.gone) return 'kept';
    // What only this package added (the beginning of an old record) is worth a write when one is due anyway.
    if (decision.data === 'touch' && !state.hasOperations) return this.#touch(binding);
    if (binding.saved && !state.hasOperations && !former) return 'kept';
    const sid = binding.sid();
    const commitment: Commitment = { sid, key: this.storeKey(sid), stored, former };
    const target = {
      store: this.store,
      open: this.openRecord,
      codecs: this.#options.codecs,
      expiresAt: () => this.endOf(state),
    };
    binding.writing = commitment;
    const written = former
      ? move(target, state, former.key, former.stored, commitment.key)
      : commit(target, state, commitment.key, stored);
    const noted = chain(written, (outcome) => this.#note(binding, commitment, outcome));
    if (!isPromise(noted)) binding.writing = undefined;
    else
      noted.then(
        () => binding.written(),
        () => binding.written(),
      );
    return noted;
  }

  #touch(binding: Binding): Awaitable<Result> {
    const failed = (error: unknown): Result => {
      // Under the policy to go on without the store, a session that was only read has lost nothing.
      if (this.onStoreError === 'fail') throw error;
      return 'kept';
    };
    const done = (alive: boolean): Result => (alive ? 'kept' : 'untouchable');
    try {
      const touched = this.store.touch(binding.key, this.endOf(binding.state));
      return isPromise(touched) ? touched.then(done, failed) : done(touched);
    } catch (error) {
      return failed(error);
    }
  }

  /**
   * Takes note of what a commit did, so that the next one of this request starts from it. Meanwhile the handler may have
   * gone on: renamed the session, or ended it.
   */
  #note(binding: Binding, { sid, key, stored, former }: Commitment, outcome: Outcome): Result {
    if (outcome === 'undecodable') return outcome;
    if (outcome === 'taken') throw new SessionConflictError(1);
    if (binding.state.destroyed && binding.doomed.has(key)) return 'kept';
    const isStillThis = binding.sid() === sid;
    if (outcome === 'gone') {
      binding.gone = true;
      this.emit({ type: 'gone' });
      return this.#goesOn(former?.key ?? key) ? 'renamed' : 'gone';
    }
    if (binding.former === former) binding.former = undefined;
    binding.saved = true;
    if (outcome === 'emptied') {
      binding.stored = undefined;
      if (stored || former) this.emit({ type: 'destroyed' });
      return 'emptied';
    }
    if (former) this.#remember(former.key, key);
    if (former) this.emit({ type: 'regenerated' });
    else if (!stored) this.emit({ type: 'created' });
    if (binding.replaced !== undefined) this.#remember(binding.replaced, key);
    binding.replaced = undefined;
    if (isStillThis) binding.stored = outcome;
    else binding.former = { sid, key, stored: outcome };
    binding.state.committed(() => this.openRecord(outcome.bytes));
    return 'kept';
  }

  #effects(session: Session, request: SessionRequest, decision: Decision, result: Result): SessionEffects {
    const binding = controlsOf(session) as Binding;
    const effects = this.#cookieEffects(session, request, decision, result);
    if (effects.setCookie) binding.cookieSent = decision.cookie === 'set' && result === 'kept';
    const vary = decision.vary || effects.vary === true;
    return this.rules.flask || !effects.setCookie ? { ...effects, vary } : { ...effects, vary, private: true };
  }

  #cookieEffects(session: Session, request: SessionRequest, decision: Decision, result: Result): SessionEffects {
    const binding = controlsOf(session) as Binding;
    // What the client holds by now may be the cookie of a newer session: only a lost write is worth clearing it.
    if (result === 'renamed' || result === 'untouchable') return {};
    if (binding.gone || result === 'emptied') return this.clearCookie(request);
    // Emptied here, but a parallel request has put something in: the session goes on.
    if (decision.cookie === 'clear') return binding.stored ? {} : this.clearCookie(request);
    if (decision.cookie === 'keep') return {};
    // Ended while it was being saved.
    if (binding.doomed.size > 0) return this.clearCookie(request);
    const sid = binding.sid();
    const { signer } = this.#options;
    return this.setCookie(signer ? signer.sign(sid) : sid, this.expirationTime(session), request);
  }

  /**
   * With an absolute timeout the cookie is set once, to that deadline; the store knows when it is idle. The cookie of a
   * session with an end of its own tells that end.
   */
  override expirationTime(session: Session): number | undefined {
    const expiresAt = super.expirationTime(session);
    if (expiresAt === undefined || this.absoluteTimeout === undefined) return expiresAt;
    const { state } = controlsOf(session) as Binding;
    const own = state.expiry;
    return own ? this.endOf(state, own) : this.#deadline(state.get(CREATED));
  }

  /** @param newKey undefined while it is not known yet */
  #remember(key: string, newKey: string | undefined): void {
    const now = this.now();
    for (const [old, { until }] of this.#renamed) {
      if (until > now && this.#renamed.size < RENAMED_MEMORY_KEYS) break;
      this.#renamed.delete(old);
    }
    this.#renamed.set(key, { key: newKey, until: now + RENAMED_MEMORY_MS });
  }

  #renamedTo(key: string): string | undefined {
    return this.#goesOn(key)?.key;
  }

  #goesOn(key: string) {
    const entry = this.#renamed.get(key);
    return entry && entry.until > this.now() ? entry : undefined;
  }
}

/** Whether the cookie has to tell another end than the record, as it was read, asked for. */
function hasNewEnd(state: SessionState, own: OwnExpiry | undefined): boolean {
  if (!state.hasOperations) return false;
  const before = recordedExpiry(state.base);
  if (own?.idle !== before?.idle || own?.at !== before?.at) return true;
  return Boolean(state.get(PERMANENT)) !== Boolean(state.base.get(PERMANENT));
}

/** What a commit set out with. */
interface Commitment {
  readonly sid: string;
  readonly key: string;
  readonly stored: StoredRecord | undefined;
  readonly former: Binding['former'];
}
