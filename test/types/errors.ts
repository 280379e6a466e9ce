/** The error classes as a union to switch on: what a handler of theirs may rely on at compile time. */
import {
  type BadSignatureError,
  type SessionConfigError,
  SessionError,
  type SessionErrorCode,
  type SessionStoreError,
} from 'flacon/errors';

declare const error: SessionError;
declare const store: SessionStoreError;
declare const signature: BadSignatureError;
declare const config: SessionConfigError;

const code: SessionErrorCode = error.code;
const timedOut: boolean = store.code === 'ERR_SESSION_STORE_TIMEOUT';
const base: SessionError = signature;

// @ts-expect-error the codes are a closed list
error.code === 'ERR_SESSION_UNHEARD_OF';
// @ts-expect-error a store's error has one of two codes
store.code === 'ERR_SESSION_DECODE';
// @ts-expect-error a code is not rewritten
error.code = 'ERR_SESSION_STORE';
// @ts-expect-error the option is text
config.option = 1;
// @ts-expect-error a code is required
new SessionError();

export { base, code, timedOut };
