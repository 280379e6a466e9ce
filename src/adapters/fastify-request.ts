import type { FastifyRequest } from 'fastify';
import type { SessionRequest } from '../core/session-interface.ts';
import { isForwardedHttps, warnOfUntrustedProxy } from './forwarded-proto.ts';

/** A Fastify request as a session interface sees it. Nothing is computed before it is asked for. */
export class FastifySessionRequest implements SessionRequest {
  readonly #request: FastifyRequest;

  constructor(request: FastifyRequest) {
    this.#request = request;
  }

  get cookie(): string | undefined {
    return this.#request.raw.headers.cookie;
  }

  /** Fastify's own view: of several protocols in `X-Forwarded-Proto` it believes the last, its nearest proxy's. */
  get secure(): boolean {
    if (this.#request.protocol?.toLowerCase() === 'https') return true;
    const forwarded = String(this.#request.raw.headers['x-forwarded-proto'] ?? '');
    if (isForwardedHttps(forwarded.slice(forwarded.lastIndexOf(',') + 1))) warnOfUntrustedProxy();
    return false;
  }
}
