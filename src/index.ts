/** Flask's sessions for TypeScript servers. Stores, adapters and codecs have entry points of their own. */

export {
  ByteArray,
  DateTime,
  Decimal,
  Extension,
  Float,
  FrozenSet,
  Markup,
  PlainDate,
  PlainTime,
  TimeDelta,
  Tuple,
  UUID,
} from './codecs/values.ts';
export { hasSession, session } from './core/context.ts';
export type { CookieAttributes } from './core/cookie.ts';
export { SecureCookieSessionInterface } from './core/cookie-session.ts';
export type { SessionEffects } from './core/effects.ts';
export type { NotResumedReason, SessionEvent, SessionEventListener } from './core/events.ts';
export type { Expiry } from './core/expiry.ts';
export { NullSession } from './core/null-session.ts';
export { createSessionInterface, type RecordFormat, type SessionOptions } from './core/options.ts';
export type { Refresh } from './core/policy.ts';
export { ServerSideSessionInterface } from './core/server-session.ts';
export { Session, type SessionControls, type SessionData } from './core/session.ts';
export { SessionInterface, type SessionInterfaceOptions, type SessionRequest } from './core/session-interface.ts';
export type { Awaitable, SessionStore, StoredRecord, WriteResult } from './core/store.ts';
export * from './errors.ts';
