import type { IncomingMessage } from 'node:http';
import type { SessionRequest } from '../core/session-interface.ts';

let warned = false;

/** A Node request as a session interface sees it. Nothing is computed before it is asked for. */
export class NodeRequest implements SessionRequest {
  readonly #req: IncomingMessage & { readonly secure?: boolean };

  constructor(req: IncomingMessage & { readonly secure?: boolean }) {
    this.#req = req;
  }

  get cookie(): string | undefined {
    return this.#req.headers.cookie;
  }

  /** The framework's own view where it has one (Express: `trust proxy`), else the socket's. */
  get secure(): boolean {
    const { secure, socket, headers } = this.#req;
    if (secure ?? (socket as { encrypted?: boolean }).encrypted) return true;
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
}
