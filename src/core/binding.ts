/** Ties one request's session to its record: the id, what was read under it, and what has to become of it. */
import type { OpenRecord } from '../codecs/codec.ts';
import {
  SessionDecodeError,
  SessionHeadersSentError,
  SessionNotLoadedError,
  SessionRevokedError,
  SessionStoreError,
} from '../errors.ts';
import type { SessionEvent } from './events.ts';
import type { GuardedStore } from './guarded-store.ts';
import { EMPTY, PlainRecord } from './plain-record.ts';
import type { SessionControls } from './session.ts';
import { CREATED, PERMANENT, type SessionHooks, SessionState } from './state.ts';
import { type Awaitable, chain, isPromise, type StoredRecord } from './store.ts';

/** What a binding needs of the interface that made it. */
export interface BindingOwner {
  readonly store: GuardedStore;
  readonly storeIsSynchronous: boolean;
  readonly onStoreError: 'fail' | 'null-session';
  readonly rules: { readonly flask: boolean };
  readonly absoluteTimeout: number | undefined;
  readonly permanent: boolean;
  readonly now: () => number;
  generateSid(): string;
  storeKey(sid: string): string;
  openRecord(bytes: Uint8Array): OpenRecord;
  isOver(record: OpenRecord): boolean;
  /** When the session ends unless it is used again, in milliseconds since 1970. */
  endOf(state: SessionState): number;
  emit(event: SessionEvent): void;
  commit(binding: Binding): Awaitable<void>;
}

export class Binding implements SessionControls, SessionHooks {
  readonly state = new SessionState();
  readonly owner: BindingOwner;
  /** The id that the client sent and that may be one of ours; undefined when it sent none. */
  readonly offered: string | undefined;
  /** The cookie was verified by an old key. */
  reissue = false;
  /** What the store holds under the present id, as far as this request knows. */
  stored: StoredRecord | undefined;
  /** The record that `regenerate` leaves behind. */
  former: { readonly sid: string; readonly key: string; readonly stored: StoredRecord } | undefined;
  /** The id is another one than the client's: the cookie must say so, even when the record has long moved. */
  renamed = false;
  /** The keys of records that `destroy` leaves behind. */
  readonly doomed = new Set<string>();
  /** The key of a session that `destroy` ended and that another one has followed in the same request. */
  replaced: string | undefined;
  /** What a commit under way writes to. */
  writing: { readonly sid: string; readonly key: string } | undefined;
  /** The record was found gone when there was something to write: nothing more is written for this session. */
  gone = false;
  /** A commit of this request has succeeded. */
  saved = false;
  /** Whether the response's headers leave the client with this session's cookie; undefined: they said nothing of it. */
  cookieSent: boolean | undefined;
  /** The cookie's end was changed by this request, by a save that was asked for included. */
  endChanged = false;
  #sid: string | undefined;
  /** `none`: there is no response, and nothing is saved by itself. */
  #headers: 'open' | 'leaving' | 'sent' | 'none' = 'open';
  #loading: Awaitable<void> | undefined;
  #late: Promise<void> | undefined;
  #running: Promise<unknown> | undefined;

  constructor(owner: BindingOwner, offered: string | undefined) {
    this.owner = owner;
    this.offered = offered;
    this.#sid = offered;
    this.state.hooks = this;
    this.state.permanentAfterClear = owner.rules.flask ? 'as-before' : owner.permanent ? 'set' : 'none';
    this.state.keepsCreated = owner.absoluteTimeout !== undefined;
    if (offered === undefined) this.#begin();
    else this.state.postpone();
  }

  sid(): string {
    this.#sid ??= this.owner.generateSid();
    return this.#sid;
  }

  get permanent(): boolean {
    return this.owner.permanent;
  }

  expiresAt(): number {
    return this.owner.endOf(this.state);
  }

  get key(): string {
    return this.owner.storeKey(this.sid());
  }

  /** Takes up the record that was found under the offered id, or begins anew when there is none to take up. */
  adopt(record: StoredRecord | undefined): void {
    if (!record) {
      this.#begin('unknown-id');
      return;
    }
    try {
      const base = this.owner.openRecord(record.bytes);
      if (this.owner.isOver(base)) {
        this.doomed.add(this.key);
        this.#begin('expired');
        return;
      }
      this.stored = record;
      this.state.isNew = false;
      this.state.rebase(base);
      // A record of before there was an absolute limit: its time begins now.
      if (this.state.keepsCreated && typeof base.get(CREATED) !== 'number') this.state.stamp(CREATED, this.#seconds());
    } catch (error) {
      if (!(error instanceof SessionDecodeError)) throw error;
      this.undecodable(error);
    }
  }

  undecodable(cause: unknown): void {
    this.#begin('undecodable', cause);
  }

  /** A fresh session under a fresh id, never the one that the client sent. */
  #begin(reason?: 'unknown-id' | 'expired' | 'undecodable', cause?: unknown): void {
    this.#sid = undefined;
    this.stored = undefined;
    this.reissue = false;
    this.state.isNew = true;
    this.state.rebase(this.#initial());
    if (reason) this.owner.emit({ type: 'not-resumed', reason, ...(cause === undefined ? {} : { cause }) });
  }

  #initial(): PlainRecord {
    const values: [string, unknown][] = [];
    if (this.owner.absoluteTimeout !== undefined) values.push([CREATED, this.#seconds()]);
    if (this.owner.permanent) values.push([PERMANENT, true]);
    return new PlainRecord(values);
  }

  #seconds(): number {
    return Math.floor(this.owner.now() / 1000);
  }

  /** For the state, when a handler first asks for something: only a store that answers at once can be read by then. */
  readNow(): void {
    const record = this.owner.storeIsSynchronous ? this.#read() : undefined;
    if (record === undefined || isPromise(record)) throw new SessionNotLoadedError();
    this.#settle(record);
  }

  load(): Awaitable<void> {
    if (this.state.loaded) return undefined;
    this.#loading ??= chain(this.#read(), (record) => {
      this.#loading = undefined;
      if (!this.state.loaded) this.#settle(record);
    });
    return this.#loading;
  }

  /** A `regenerate` that was not saved yet is dropped with the rest. */
  reload(): Awaitable<void> {
    return this.exclusively(() => {
      this.state.modified = false;
      this.gone = false;
      this.saved = false;
      if (this.former) {
        this.#sid = this.former.sid;
        this.stored = this.former.stored;
        this.former = undefined;
        this.renamed = false;
      }
      if (this.stored === undefined && this.state.loaded && this.state.readOnly === undefined) {
        this.state.reset(this.#initial());
        return undefined;
      }
      return chain(this.#read(), (record) => {
        this.state.reset(EMPTY);
        this.state.readOnly = undefined;
        this.#settle(record);
      });
    });
  }

  /** An outage is an answer, too, where the policy says so. */
  #read(): Awaitable<{ found: StoredRecord | undefined } | 'outage'> {
    const answer = (found: StoredRecord | undefined) => ({ found });
    try {
      const record = this.owner.store.read(this.key);
      return isPromise(record) ? record.then(answer, (error) => this.#outage(error)) : answer(record);
    } catch (error) {
      return this.#outage(error);
    }
  }

  #outage(error: unknown): 'outage' {
    if (this.owner.onStoreError === 'fail' || !(error instanceof SessionStoreError)) throw error;
    return 'outage';
  }

  #settle(record: { found: StoredRecord | undefined } | 'outage'): void {
    if (record !== 'outage') {
      this.adopt(record.found);
      return;
    }
    this.state.rebase(EMPTY);
    // Nobody knows: as with any null session.
    this.state.isNew = false;
    this.state.readOnly = 'the session store is out of order, so that sessions are empty and read-only for the moment';
  }

  regenerate(): boolean {
    const { state } = this;
    state.requireWritable();
    if (state.isEmpty()) return false;
    if (this.#headers !== 'open') {
      throw new SessionHeadersSentError('the response has begun: a new session id could no longer reach the client');
    }
    if (this.stored && !this.former) this.former = { sid: this.sid(), key: this.key, stored: this.stored };
    this.stored = undefined;
    this.#sid = undefined;
    this.renamed = true;
    state.modified = true;
    return true;
  }

  destroy(): void {
    this.state.requireWritable();
    if (this.former) this.doomed.add(this.former.key);
    if (this.writing) this.doomed.add(this.writing.key);
    if (this.#sid !== undefined && (this.stored || !this.state.loaded)) this.doomed.add(this.key);
    this.replaced = [...this.doomed][0];
    this.former = undefined;
    this.renamed = false;
    this.#sid = undefined;
    this.stored = undefined;
    this.state.reset(this.#initial());
    this.state.isNew = true;
    this.state.modified = true;
    this.state.destroyed = true;
    this.gone = false;
    this.saved = false;
    // The cookie can no longer be cleared, the record can be deleted.
    if (this.#headers === 'sent') this.#saveSoon();
  }

  /** @throws SessionRevokedError on a socket, where no response could tell the client */
  save(): Awaitable<void> {
    return chain(this.owner.commit(this), () => {
      if (this.gone && this.#headers === 'none') throw new SessionRevokedError();
    });
  }

  detach(): void {
    this.#headers = 'none';
  }

  watch(gone: () => void): () => void {
    if (this.offered === undefined) return () => {};
    return this.owner.store.watch(this.owner.storeKey(this.offered), gone);
  }

  isAlive(): Awaitable<boolean> {
    const again = new Binding(this.owner, this.offered);
    return chain(again.load(), () => !again.state.isNew);
  }

  /**
   * Runs one after the other: a commit starts from what the one before it wrote. Without one under way, at once.
   */
  exclusively<T>(run: () => Awaitable<T>): Awaitable<T> {
    const result = this.#running ? this.#running.then(run) : run();
    if (!isPromise(result)) return result;
    const running: Promise<unknown> = result.then(
      () => this.#ended(running),
      () => this.#ended(running),
    );
    this.#running = running;
    return result;
  }

  written(): void {
    this.writing = undefined;
  }

  #ended(running: Promise<unknown>): void {
    if (this.#running === running) this.#running = undefined;
  }

  /** Changes are waiting that no save has seen. */
  get #isDirty(): boolean {
    const nested = this.state.settle();
    return this.state.hasOperations && (this.state.modified || nested) && !this.gone;
  }

  get #isLate(): boolean {
    return this.doomed.size > 0 || (this.#clientHasCookie && this.#isDirty);
  }

  /** Whether the client can come back to this session, once the headers have left. */
  get #clientHasCookie(): boolean {
    return this.cookieSent ?? !this.state.isNew;
  }

  /** Called when the response begins: from here on, no other cookie can be decided on. */
  headersLeaving(): void {
    this.#headers = 'leaving';
  }

  /** Called when the response's headers have left. What was changed while they did is late, too. */
  headersSent(): void {
    const missed = this.#headers === 'open' && this.state.loaded && !this.state.isEmpty();
    this.#headers = 'sent';
    if (this.#isLate) this.#saveSoon();
    else if ((this.saved || missed) && this.#isDirty) this.owner.emit({ type: 'late-save-failed', error: tooLate() });
  }

  /** A change after the headers: saved soon where the client already has the id, refused where it cannot get one. */
  late(): void {
    if (this.#headers === 'none' && !this.#clientHasCookie) throw noCookie();
    if (this.#headers !== 'sent') return;
    if (!this.#clientHasCookie) throw tooLate();
    this.#saveSoon();
  }

  #saveSoon(): void {
    this.#late ??= Promise.resolve().then(() => this.#saveLate());
  }

  /** Saves what was changed after the headers, in place too; undefined when there is nothing to wait for. */
  settleLate(): Promise<void> | undefined {
    if (this.#headers !== 'sent' || !this.state.loaded) return undefined;
    return this.#late || this.#running || this.#isLate ? this.#settleAll() : undefined;
  }

  async #settleAll(): Promise<void> {
    await this.#late;
    await this.#running;
    if (this.#isLate) await this.#saveLate();
  }

  async #saveLate(): Promise<void> {
    this.#late = undefined;
    try {
      await this.owner.commit(this);
    } catch (error) {
      this.owner.emit({ type: 'late-save-failed', error });
    }
  }
}

function tooLate(): SessionHeadersSentError {
  return new SessionHeadersSentError(
    'the response has begun without a session cookie, so this change could never be read again: write to a new session before the first byte is sent',
  );
}

function noCookie(): SessionHeadersSentError {
  return new SessionHeadersSentError(
    'a socket has no response that could bring a session cookie: begin the session over HTTP, then open the socket',
  );
}
