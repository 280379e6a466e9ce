/**
 * Every error of this package: one class per kind, a stable `code` to switch on, the `cause` when there is one. No message
 * ever contains a secret, a session id or session data.
 */

export type SessionErrorCode =
  | 'ERR_SESSION_BAD_SIGNATURE'
  | 'ERR_SESSION_SIGNATURE_EXPIRED'
  | 'ERR_SESSION_DECODE'
  | 'ERR_SESSION_ENCODE'
  | 'ERR_SESSION_CONFIG'
  | 'ERR_SESSION_KEY'
  | 'ERR_SESSION_STORE'
  | 'ERR_SESSION_STORE_TIMEOUT'
  | 'ERR_SESSION_CONFLICT'
  | 'ERR_SESSION_NO_CONTEXT'
  | 'ERR_SESSION_NOT_LOADED'
  | 'ERR_SESSION_READ_ONLY'
  | 'ERR_SESSION_COOKIE_TOO_LARGE'
  | 'ERR_SESSION_COOKIE_INVALID'
  | 'ERR_SESSION_HEADERS_SENT'
  | 'ERR_SESSION_REVOKED'
  | 'ERR_SESSION_ORIGIN';

/** The base of every error that this package throws on purpose. */
export class SessionError<Code extends SessionErrorCode = SessionErrorCode> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A signature that no key made, or text that carries none (itsdangerous `BadSignature`). */
export class BadSignatureError extends SessionError<'ERR_SESSION_BAD_SIGNATURE' | 'ERR_SESSION_SIGNATURE_EXPIRED'> {
  constructor(
    message: string,
    code: 'ERR_SESSION_BAD_SIGNATURE' | 'ERR_SESSION_SIGNATURE_EXPIRED' = 'ERR_SESSION_BAD_SIGNATURE',
  ) {
    super(code, message);
  }
}

/** The signature is right, its age is not: older than allowed, or dated in the future (itsdangerous `SignatureExpired`). */
export class SignatureExpiredError extends BadSignatureError {
  /** When it was signed, in seconds since 1970. */
  readonly timestamp: number;

  constructor(message: string, timestamp: number) {
    super(message, 'ERR_SESSION_SIGNATURE_EXPIRED');
    this.timestamp = timestamp;
  }
}

/** Bytes that are not a record of the expected format, or break a bound (depth, length, count). */
export class SessionDecodeError extends SessionError<'ERR_SESSION_DECODE'> {
  constructor(message: string, options?: { cause?: unknown }) {
    super('ERR_SESSION_DECODE', message, options);
  }
}

/** A value that the format cannot hold. Thrown before anything is sent or stored. */
export class SessionEncodeError extends SessionError<'ERR_SESSION_ENCODE'> {
  constructor(message: string, options?: { cause?: unknown }) {
    super('ERR_SESSION_ENCODE', message, options);
  }
}

/** A configuration that cannot work. Thrown at start. */
export class SessionConfigError extends SessionError<'ERR_SESSION_CONFIG'> {
  /** The option's name, as the user wrote it. */
  readonly option: string;
  /** What was given, in words: never a secret. */
  readonly given: string;
  /** What would be right, in words. */
  readonly expected: string;

  constructor(option: string, given: string, expected: string, options?: { cause?: unknown }) {
    super('ERR_SESSION_CONFIG', `${option}: got ${given}; expected ${expected}`, options);
    this.option = option;
    this.given = given;
    this.expected = expected;
  }
}

/** `session.pop` of a key that is not there, without a default (Python's `KeyError`). Which key is not said: it is data. */
export class SessionKeyError extends SessionError<'ERR_SESSION_KEY'> {
  constructor() {
    super(
      'ERR_SESSION_KEY',
      'session.pop: there is no such key; give a default where it may be missing: session.pop(key, undefined)',
    );
  }
}

/** The store failed (`ERR_SESSION_STORE`) or did not answer within the deadline (`ERR_SESSION_STORE_TIMEOUT`). */
export class SessionStoreError extends SessionError<'ERR_SESSION_STORE' | 'ERR_SESSION_STORE_TIMEOUT'> {
  /** The store's name, as in its `name` member. */
  readonly store: string;
  readonly operation: string;

  constructor(store: string, operation: string, message: string, options?: { cause?: unknown; timeout?: boolean }) {
    super(options?.timeout ? 'ERR_SESSION_STORE_TIMEOUT' : 'ERR_SESSION_STORE', message, options);
    this.store = store;
    this.operation = operation;
  }
}

/** Two commits kept meeting each other for longer than the retry budget. Nothing was written. */
export class SessionConflictError extends SessionError<'ERR_SESSION_CONFLICT'> {
  constructor(attempts: number) {
    super(
      'ERR_SESSION_CONFLICT',
      `the record changed under each of ${attempts} attempts to save it; nothing was written`,
    );
  }
}

/** The imported `session` was used where no request is being served. */
export class SessionContextError extends SessionError<'ERR_SESSION_NO_CONTEXT'> {
  constructor() {
    super(
      'ERR_SESSION_NO_CONTEXT',
      'session was used outside of a request: it exists only in code that runs, however indirectly, below the sessions() middleware',
    );
  }
}

/** A lazy session was used before its record was read. */
export class SessionNotLoadedError extends SessionError<'ERR_SESSION_NOT_LOADED'> {
  constructor() {
    super(
      'ERR_SESSION_NOT_LOADED',
      'the session is lazy and its record was not read yet: `await session.load()` first',
    );
  }
}

/** A write to a session that cannot keep it: no secret key is set, or the store is out and the policy allows reading on. */
export class SessionReadOnlyError extends SessionError<'ERR_SESSION_READ_ONLY'> {
  constructor(why: string) {
    super('ERR_SESSION_READ_ONLY', why);
  }
}

/** A write after the response's headers left, to a session that needs a cookie to keep it. */
export class SessionHeadersSentError extends SessionError<'ERR_SESSION_HEADERS_SENT'> {
  constructor(why: string) {
    super('ERR_SESSION_HEADERS_SENT', why);
  }
}

/** The session that a socket was opened with is over: logged out, renewed under another id, or expired. */
export class SessionRevokedError extends SessionError<'ERR_SESSION_REVOKED'> {
  constructor() {
    super('ERR_SESSION_REVOKED', 'the session that this socket was opened with is over; nothing was written');
  }
}

/** A page of another site tried to open a socket with the visitor's cookie (RFC 6455, section 10.2). */
export class SessionOriginError extends SessionError<'ERR_SESSION_ORIGIN'> {
  constructor() {
    super(
      'ERR_SESSION_ORIGIN',
      'a socket was refused because its Origin is not the host that was asked: name the origins of your pages in `origins`',
    );
  }
}

/** A cookie that browsers would drop without a word: name and value exceed what they keep (RFC 6265bis section 5.6). */
export class SessionCookieTooLargeError extends SessionError<'ERR_SESSION_COOKIE_TOO_LARGE'> {
  /** Octets of name and value together. */
  readonly size: number;
  /** Octets that browsers keep. */
  readonly limit: number;

  constructor(size: number, limit: number) {
    super(
      'ERR_SESSION_COOKIE_TOO_LARGE',
      `the session cookie has ${size} octets, browsers keep ${limit}: store less in it, or use a server-side store`,
    );
    this.size = size;
    this.limit = limit;
  }
}
