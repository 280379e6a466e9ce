import type { IncomingMessage } from 'node:http';
import type { SessionRequest } from '../core/session-interface.ts';
import { isForwardedHttps, warnOfUntrustedProxy } from './forwarded-proto.ts';

/** A Node request as a session interface sees it. Nothing is computed before it is asked for. */
export class NodeRequest implements SessionRequest {
  readonly #req: IncomingMessage & { readonly secure?: boolean };
  /** A request whose body was not read to its end may have lost its socket by the time of the answer. */
  readonly #socket: IncomingMessage['socket'] & { readonly encrypted?: boolean };
  readonly #trustProxy: boolean;

  /** @param trustProxy whether `X-Forwarded-Proto` counts, where the framework has no view of its own */
  constructor(req: IncomingMessage & { readonly secure?: boolean }, trustProxy = false) {
    this.#req = req;
    this.#socket = req.socket;
    this.#trustProxy = trustProxy;
  }

  get cookie(): string | undefined {
    return this.#req.headers.cookie;
  }

  /** The framework's own view where it has one (Express: `trust proxy`), else the socket's. */
  get secure(): boolean {
    const forwarded = this.#req.headers['x-forwarded-proto'];
    const proto = Array.isArray(forwarded) ? forwarded.join() : forwarded;
    if (this.#trustProxy && proto !== undefined) return isForwardedHttps(proto);
    if (this.#frameworkSays() ?? this.#socket?.encrypted) return true;
    if (proto !== undefined && isForwardedHttps(proto)) warnOfUntrustedProxy();
    return false;
  }

  #frameworkSays(): boolean | undefined {
    try {
      return this.#req.secure;
    } catch {
      return undefined;
    }
  }
}
