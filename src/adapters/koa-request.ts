import type { Context } from 'koa';
import type { SessionRequest } from '../core/session-interface.ts';
import { isForwardedHttps, warnOfUntrustedProxy } from './forwarded-proto.ts';

/** A Koa request as a session interface sees it. Nothing is computed before it is asked for. */
export class KoaSessionRequest implements SessionRequest {
  readonly #ctx: Context;

  constructor(ctx: Context) {
    this.#ctx = ctx;
  }

  get cookie(): string | undefined {
    return this.#ctx.req.headers.cookie;
  }

  /** Koa's own view: `X-Forwarded-Proto` counts where `app.proxy` is set. */
  get secure(): boolean {
    // Koa looks at the socket, which a request that was given up may have lost.
    if (!this.#ctx.req.socket) return false;
    if (this.#ctx.protocol.toLowerCase() === 'https') return true;
    const forwarded = String(this.#ctx.req.headers['x-forwarded-proto'] ?? '');
    if (!this.#ctx.app.proxy && isForwardedHttps(forwarded)) warnOfUntrustedProxy();
    return false;
  }
}
