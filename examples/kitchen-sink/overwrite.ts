/** A session interface around another one: what the package calls its seam. Here it damages records, for tests. */
import {
  ServerSideSessionInterface,
  type Session,
  type SessionEffects,
  SessionInterface,
  type SessionRequest,
} from 'flacon';

/** Saves as the interface inside does, and then overwrites the records for which that was asked. */
export class OverwritingInterface extends SessionInterface {
  readonly #inside: SessionInterface;
  readonly #overwrites = new WeakMap<Session, { readonly sid: string; readonly record: Uint8Array }>();

  constructor(inside: SessionInterface) {
    super();
    this.#inside = inside;
  }

  /** Does nothing for a session that has no record. */
  overwriteRecord(session: Session, record: Uint8Array): void {
    if (session.sid !== null) this.#overwrites.set(session, { sid: session.sid, record });
  }

  override openSession(request: SessionRequest) {
    return this.#inside.openSession(request);
  }

  override get opensLazily(): boolean {
    return this.#inside.opensLazily;
  }

  override savesUntouched(request: SessionRequest): boolean {
    return this.#inside.savesUntouched(request);
  }

  override saveSession(session: Session, request: SessionRequest) {
    const overwrite = this.#overwrites.get(session);
    const effects = this.#inside.saveSession(session, request);
    return overwrite ? this.#overwritten(effects, overwrite.sid, overwrite.record) : effects;
  }

  async #overwritten(saved: SessionEffects | Promise<SessionEffects>, sid: string, record: Uint8Array) {
    const effects = await saved;
    if (this.#inside instanceof ServerSideSessionInterface) {
      const { store } = this.#inside;
      const key = this.#inside.storeKey(sid);
      for (let there = await store.read(key); there; ) {
        const result = await store.write(key, record, there.expiresAt, there.bytes);
        there = typeof result === 'object' ? result.conflict : undefined;
      }
    }
    return effects;
  }
}
