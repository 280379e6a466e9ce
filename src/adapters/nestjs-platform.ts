/** Puts sessions in front of everything that a Nest application serves, in the way of the framework that it runs on. */
import { describe } from '../core/options.ts';
import type { SessionInterface } from '../core/session-interface.ts';
import { SessionConfigError } from '../errors.ts';
import { sessions as expressSessions } from './express.ts';
import { sessions as fastifySessions } from './fastify.ts';

/** What is used of Nest's `HttpAdapter`. */
export interface NestHttpAdapter {
  getType(): string;
  /** Express: middleware for every request. */
  use?(middleware: unknown): unknown;
  /** Fastify: a plugin. */
  register?(plugin: unknown): unknown;
}

/**
 * Called before the application has a route or a middleware of its own, so that all of them have the session.
 * @throws SessionConfigError on any other platform
 */
export function installSessions(
  adapter: NestHttpAdapter,
  sessionInterface: SessionInterface,
  property: string | undefined,
): void {
  const options = property === undefined ? {} : { property };
  const platform = adapter.getType();
  if (platform === 'express') adapter.use?.(expressSessions(sessionInterface, options));
  else if (platform === 'fastify') adapter.register?.(fastifySessions(sessionInterface, options));
  else throw new SessionConfigError('platform', describe(platform), "Nest's express or fastify");
}
