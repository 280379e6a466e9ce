import type { IncomingMessage } from 'node:http';
import type { SessionRequest } from '../core/session-interface.ts';

let warned = false;

/** A Node request as a session interface sees it. Nothing is computed before it is asked for. */
export class NodeRequest implements SessionRequest {
  readonly #req: IncomingMessage & { readonly secure?: boolean };
  /** A request whose body was not read to its end may have lost its socket by the time of the answer. */
  readonly #socket: IncomingMessage['socket'] & { readonly encrypted?: boolean };

  constructor(req: IncomingMessage & { readonly secure?: boolean }) {
    this.#req = req;
    this.#socket = req.socket;
  }

  get cookie(): string | undefined {
    return this.#req.headers.cookie;
  }

  /** The framework's own view where it has one (Express: `trust proxy`), else the socket's. */
  get secure(): boolean {
    const { headers } = this.#req;
    if (this.#frameworkSays() ?? this.#socket?.encrypted) return true;
    if (!warned && headers['x-forwarded-proto'] === 'https') {
      warned = true;
      process.emitWarning(
        'a request came through a proxy that ends TLS, but the proxy is not trusted, so session cookies are sent without Secure. ' +
          "Express: app.set('trust proxy', 1). node:http: sessions({ cookie: { secure: true } })",
        { code: 'FLACON_UNTRUSTED_PROXY' },
      );
    }
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
