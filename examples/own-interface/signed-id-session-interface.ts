/**
 * The session interface that tutorials write themselves: ids are UUIDs, signed in the cookie; records are JSON under the id.
 * What is left open is where the records are.
 *
 * A record is written whole, so that of two parallel requests the one that ends later wins, and JSON makes texts of dates.
 * The interface that comes with this package, on a store of yours, does better; see SessionStore.
 */
import { randomUUID } from 'node:crypto';
import {
  Session,
  type SessionEffects,
  SessionInterface,
  type SessionInterfaceOptions,
  type SessionRequest,
} from 'flacon';
import { type Key, Signer } from 'flacon/codecs/signer';

export abstract class SignedIdSessionInterface extends SessionInterface {
  readonly #signer: Signer;
  /** Ids that sessions had before they got another one in this request. */
  readonly #former = new WeakMap<Session, string>();

  constructor(secretKey: Key, options: SessionInterfaceOptions = {}) {
    super(options);
    this.#signer = new Signer(secretKey, { salt: 'flask-session', keyDerivation: 'hmac' });
  }

  /** The record's JSON; undefined when there is none, or its time is over. */
  protected abstract read(sid: string): Promise<string | undefined>;
  /** Keeps a record for `this.lifetime` seconds from now. */
  protected abstract write(sid: string, json: string): Promise<void>;
  protected abstract remove(sid: string): Promise<void>;

  override async openSession(request: SessionRequest): Promise<Session> {
    const signed = this.readCookie(request);
    if (!signed) return this.#begin(randomUUID(), {});
    // The tutorials let BadSignature escape, and a changed cookie then answers 500 for ever. It is no session, so it begins one.
    const sid = this.#signer.verify(signed)?.value;
    const json = sid === undefined ? undefined : await this.read(sid);
    // An id without a record is not taken up either: whoever planted it would know the new session's id.
    if (sid === undefined || json === undefined) return this.#begin(randomUUID(), {});
    return this.#begin(sid, JSON.parse(json));
  }

  override async saveSession(session: Session, request: SessionRequest): Promise<SessionEffects> {
    const sid = session.sid as string;
    if (session.size === 0) {
      if (!session.modified) return { vary: session.accessed };
      await this.remove(sid);
      return this.clearCookie(request);
    }
    // The tutorials write a record when it is new and never again: the first value stays for ever. Save every time.
    await this.write(sid, JSON.stringify(session));
    const former = this.#former.get(session);
    if (former !== undefined) await this.remove(former);
    if (!this.shouldSetCookie(session)) return { vary: session.accessed };
    return this.setCookie(this.#signer.sign(sid), this.expirationTime(session), request);
  }

  #begin(sid: string, data: object): Session {
    let current = sid;
    const session: Session = new Session(data, {
      sid: () => current,
      // `session.regenerate()`, for after a login: the same data goes on under an id that nobody has seen.
      regenerate: () => {
        if (!this.#former.has(session)) this.#former.set(session, current);
        current = randomUUID();
        session.modified = true;
        return true;
      },
    });
    return session;
  }
}
