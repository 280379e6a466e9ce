/** What goes wrong between this client and a server. */

/**
 * - `ECONNECTION`: there is no connection, or it broke. What was sent last may have been carried out.
 * - `ETIMEDOUT`: no answer in time. What was sent may have been carried out, or still be.
 * - `EAUTH`: the server asks for a user name and a password, or for other ones.
 * - `EPROTOCOL`: the answer is none of the meta protocol, or none to what was asked.
 * - `ESERVER`: the server's own failure, in its own words.
 * - `EFULL`: too many commands wait for an answer already; this one was not sent.
 * - `ECLOSED`: the client was closed.
 */
export type MemcachedErrorCode = 'ECONNECTION' | 'ETIMEDOUT' | 'EAUTH' | 'EPROTOCOL' | 'ESERVER' | 'EFULL' | 'ECLOSED';

/** Its message never holds a key, a record or a password. The engine hands it on as the cause of a `SessionStoreError`. */
export class MemcachedError extends Error {
  override readonly name = 'MemcachedError';
  readonly code: MemcachedErrorCode;

  constructor(code: MemcachedErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
