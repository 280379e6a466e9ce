import * as crypto from 'node:crypto';

/**
 * A new session id: URL-safe base64 without padding of random bytes (Flask-Session's `secrets.token_urlsafe`).
 * @param bytes of entropy: 32 gives 43 characters
 */
export function generateSid(bytes: number): string {
  return crypto.randomBytes(bytes).toString('base64url');
}

const SHAPE = /^[A-Za-z0-9_-]{8,200}$/;

/**
 * Whether a client's text can be an id that this package or Flask-Session made. What cannot is never looked up, so that
 * no id reaches a store as a path, a command or a key that is too long.
 */
export function isSid(text: string): boolean {
  return SHAPE.test(text);
}

/** What stands for the id at rest, so that a dump of the store opens no session. */
export function hashSid(sid: string): string {
  // In one call where the runtime has it (Node 20.12): less than half the time.
  if (typeof crypto.hash === 'function') return crypto.hash('sha256', sid, 'base64url');
  return crypto.createHash('sha256').update(sid).digest('base64url');
}
