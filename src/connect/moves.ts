/**
 * Moves a session of another library to an id of ours, once, however many requests arrive with the old cookie at the same
 * time, in however many processes. A note in our store says where it went (docs/decisions/migration.md).
 */
import * as crypto from 'node:crypto';
import type { OpenRecord } from '../codecs/codec.ts';
import { commit } from '../core/commit.ts';
import type { NotResumedReason } from '../core/events.ts';
import { GuardedStore } from '../core/guarded-store.ts';
import type { ServerSideSessionInterface } from '../core/server-session.ts';
import { CREATED, PERMANENT, SessionState } from '../core/state.ts';
import type { StoredRecord } from '../core/store.ts';
import { SessionDecodeError, SessionEncodeError } from '../errors.ts';
import { takeOverMessages } from './connect-flash.ts';
import type { Former, FormerSession } from './former.ts';

/** Where a former session went. Without `nonce`: nowhere, it was ended. */
interface Note {
  readonly nonce: string | undefined;
  /** Milliseconds since 1970. */
  readonly movedAt: number;
}

const NONCE = 'nonce';
const MOVED_AT = 'moved_at';
const NONCE_BYTES = 32;
/** How long former instances that are still running may go on extending a record that they read before it was moved. */
const STRAGGLERS_MS = 3600_000;
/** The lifetime of a cookie that is for ever (RFC 6265bis section 5.6.1). */
const MAX_NOTE_MS = 400 * 86_400_000;

export class Moves {
  readonly #ours: ServerSideSessionInterface;
  readonly #former: Former;
  /** Their store behind our deadline. */
  readonly #theirs: GuardedStore;
  /** Milliseconds. */
  readonly #grace: number;

  /** @param grace seconds for which an old cookie leads to the session that it was moved to */
  constructor(ours: ServerSideSessionInterface, former: Former, grace: number, timeout: number) {
    this.#ours = ours;
    this.#former = former;
    this.#theirs = new GuardedStore(former.store, timeout, (event) => ours.emit(event));
    this.#grace = grace * 1000;
  }

  /**
   * The id of ours under which a former session goes on. The first one to ask moves it.
   * @returns undefined when there is nothing to go on with; an event then says why
   * @throws SessionStoreError of either store
   */
  async sidFor(id: string): Promise<string | undefined> {
    const key = this.#noteKey(id);
    const before = await this.#ours.store.read(key);
    if (before) return this.#follow(before, id);
    const found = await this.#theirs.read(id);
    if (found) return this.#take(id, found);
    // Another request may have moved it between these two reads.
    const since = await this.#ours.store.read(key);
    return since ? this.#follow(since, id) : this.#refuse('unknown-id');
  }

  /**
   * Ends a former session for good: neither its record nor what became of it can be resumed, by a request that is under way
   * either.
   * @throws SessionStoreError of either store
   */
  async end(id: string): Promise<void> {
    const { store } = this.#ours;
    // First what is least ours: when it fails, nothing has ended.
    await this.#theirs.delete(id);
    const ended = await store.write(this.#noteKey(id), this.#note(undefined), this.#noteEnd(undefined), undefined);
    if (typeof ended === 'object') {
      const { nonce } = this.#read(ended.conflict);
      if (nonce) await store.delete(this.#ours.storeKey(sidOf(id, nonce)));
    }
  }

  /** Deletes the former record. It has been moved, so that nothing but space depends on it. @throws SessionStoreError */
  async retire(id: string): Promise<void> {
    await this.#theirs.delete(id);
  }

  async #take(id: string, found: StoredRecord): Promise<string | undefined> {
    let session: FormerSession | undefined;
    try {
      session = this.#former.open(found.bytes, this.#ours.now());
    } catch (error) {
      if (error instanceof SessionDecodeError) return this.#refuse('undecodable', error);
      throw error;
    }
    if (!session) return this.#refuse('expired');
    const nonce = crypto.randomBytes(NONCE_BYTES).toString('base64url');
    const sid = sidOf(id, nonce);
    try {
      // Nobody put anything into it: there is no more to go on with than in a fresh one.
      if (!(await this.#copy(session, sid))) return undefined;
    } catch (error) {
      if (error instanceof SessionEncodeError || error instanceof SessionDecodeError)
        return this.#refuse('undecodable', error);
      throw error;
    }
    // The copy first: where there is a note, there is a session.
    const end = this.#noteEnd(session.maxAge);
    const noted = await this.#ours.store.write(this.#noteKey(id), this.#note(nonce), end, undefined);
    if (typeof noted === 'object') {
      await this.#ours.store.delete(this.#ours.storeKey(sid));
      return this.#follow(noted.conflict, id);
    }
    this.#ours.emit({ type: 'migrated', from: this.#former.library });
    return sid;
  }

  /** @returns whether there was anything to copy */
  async #copy({ record, own, lasting }: FormerSession, sid: string): Promise<boolean> {
    const ours = this.#ours;
    const state = new SessionState();
    state.rebase(record);
    for (const key of own) state.delete(key);
    takeOverMessages(state);
    if (lasting) state.stamp(PERMANENT, true);
    else state.delete(PERMANENT);
    state.keepsCreated = ours.absoluteTimeout !== undefined;
    // When it began is not known: its time begins now.
    if (state.keepsCreated) state.stamp(CREATED, Math.floor(ours.now() / 1000));
    if (state.isEmpty()) return false;
    const target = {
      store: ours.store,
      open: ours.openRecord,
      codecs: ours.codecs,
      expiresAt: () => ours.endOf(state),
    };
    await commit(target, state, ours.storeKey(sid), undefined);
    return true;
  }

  #follow(stored: StoredRecord, id: string): string | undefined {
    const { nonce, movedAt } = this.#read(stored);
    if (nonce === undefined) return this.#refuse('unknown-id');
    return this.#ours.now() < movedAt + this.#grace ? sidOf(id, nonce) : this.#refuse('expired');
  }

  #refuse(reason: NotResumedReason, cause?: unknown): undefined {
    const from = this.#former.library;
    this.#ours.emit({ type: 'not-resumed', reason, from, ...(cause === undefined ? {} : { cause }) });
  }

  /**
   * Under a hash of the former id, so that our store does not tell it; with a character that no id of ours has, so that who
   * knows the former id cannot open the note as a session, and change or end it.
   */
  #noteKey(id: string): string {
    const name = crypto.createHash('sha256').update(`flacon moved ${this.#former.library} `).update(id);
    return this.#ours.storeKey(`moved:${name.digest('base64url')}`);
  }

  /** A note outlives the cookie that leads to it, and what may be left of the former record. */
  #noteEnd(maxAge: number | undefined): number {
    const cookie = Math.max(maxAge ?? 0, this.#ours.lifetime * 1000);
    return this.#ours.now() + Math.min(cookie + STRAGGLERS_MS, MAX_NOTE_MS);
  }

  /** As a record, so that whoever lists what is in the store can read it. */
  #note(nonce: string | undefined): Uint8Array {
    const [codec] = this.#ours.codecs as [ServerSideSessionInterface['codecs'][number]];
    const entries = new Map<string, unknown>([[MOVED_AT, this.#ours.now()]]);
    if (nonce !== undefined) entries.set(NONCE, nonce);
    return codec.write(undefined, { cleared: false, entries, moved: new Set() });
  }

  /** What cannot be read leads nowhere. */
  #read({ bytes }: StoredRecord): Note {
    try {
      const record: OpenRecord = this.#ours.openRecord(bytes);
      const [nonce, movedAt] = [record.get(NONCE), record.get(MOVED_AT)];
      return {
        nonce: typeof nonce === 'string' ? nonce : undefined,
        movedAt: typeof movedAt === 'number' ? movedAt : Number.NEGATIVE_INFINITY,
      };
    } catch (error) {
      if (!(error instanceof SessionDecodeError)) throw error;
      return { nonce: undefined, movedAt: Number.NEGATIVE_INFINITY };
    }
  }
}

/** Known to who has the former id and can read the note: neither is enough by itself. */
function sidOf(id: string, nonce: string): string {
  return crypto.createHmac('sha256', nonce).update('flacon session ').update(id).digest('base64url');
}
