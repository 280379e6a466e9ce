/** A request of the Fetch API as a session interface sees it. */
import type { SessionRequest } from '../core/session-interface.ts';
import { isForwardedHttps, warnOfUntrustedProxy } from './forwarded-proto.ts';

/** The part of a `Request` that is looked at. */
export interface FetchRequestLike {
  readonly headers: { get(name: string): string | null };
  readonly url: string;
}

/** Nothing is computed before it is asked for: some servers make `headers` and `url` only then. */
export class FetchRequest implements SessionRequest {
  readonly #request: FetchRequestLike;
  readonly #trustProxy: boolean;

  /** @param trustProxy whether `X-Forwarded-Proto` counts */
  constructor(request: FetchRequestLike, trustProxy = false) {
    this.#request = request;
    this.#trustProxy = trustProxy;
  }

  get cookie(): string | undefined {
    return this.#request.headers.get('cookie') ?? undefined;
  }

  get secure(): boolean {
    const proto = this.#request.headers.get('x-forwarded-proto');
    if (this.#trustProxy && proto !== null) return isForwardedHttps(proto);
    if (/^https:/i.test(this.#request.url)) return true;
    if (proto !== null && isForwardedHttps(proto)) warnOfUntrustedProxy();
    return false;
  }
}
