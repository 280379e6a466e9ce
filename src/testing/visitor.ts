/** A browser in a test: it keeps its cookie and makes requests to a session interface, without any HTTP. */
import { runWithSession } from '../core/context.ts';
import type { SessionEffects } from '../core/effects.ts';
import { SessionExchange } from '../core/exchange.ts';
import type { Session } from '../core/session.ts';
import type { SessionInterface } from '../core/session-interface.ts';

export interface Visit<T> {
  /** What the handler answered. */
  readonly value: T;
  readonly effects: SessionEffects;
}

export class Visitor {
  readonly sessions: SessionInterface;
  /** The value of the session cookie that the next request sends; undefined: none. */
  cookie: string | undefined;

  constructor(sessions: SessionInterface, cookie?: string) {
    this.sessions = sessions;
    this.cookie = cookie;
  }

  /** Another browser with a copy of this one's cookie: a second request of the same visitor, at the same time. */
  twin(): Visitor {
    return new Visitor(this.sessions, this.cookie);
  }

  /** One request. The handler's error comes out of here after the session was saved, as a framework does it. */
  async visit<T>(handler: (session: Session) => T | Promise<T>): Promise<Visit<T>> {
    const { cookieName } = this.sessions;
    const cookie = this.cookie === undefined ? undefined : `${cookieName}=${this.cookie}`;
    const exchange = new SessionExchange(this.sessions, { cookie, secure: true });
    await exchange.open();
    try {
      const value = await runWithSession(exchange, () => handler(exchange.session));
      return { value, effects: this.#take(await exchange.save()) };
    } catch (error) {
      this.#take(await exchange.save());
      throw error;
    } finally {
      await exchange.finish();
    }
  }

  #take(effects: SessionEffects): SessionEffects {
    if (effects.setCookie === undefined) return effects;
    const value = effects.setCookie.slice(effects.setCookie.indexOf('=') + 1).split(';', 1)[0] as string;
    this.cookie = /; Max-Age=0(;|$)/.test(effects.setCookie) ? undefined : value;
    return effects;
  }
}
