/** What has to be known of another library to take its sessions over. One implementation for each library. */
import type { OpenRecord } from '../codecs/codec.ts';
import type { SessionRequest } from '../core/session-interface.ts';
import type { SessionStore } from '../core/store.ts';

/** A session as the other library would have resumed it. */
export interface FormerSession {
  /** What handlers put into it; what the library itself keeps is under `own`. */
  readonly record: OpenRecord;
  /** Keys of the record that are the library's, and are not taken over. */
  readonly own: readonly string[];
  /** Whether its cookie outlives the browser's session. */
  readonly lasting: boolean;
  /** Milliseconds for which its cookie was made, where that is known. */
  readonly maxAge?: number | undefined;
}

export interface Former {
  /** For events: the name of the package. */
  readonly library: string;
  /** The cookie's name: another one than ours. */
  readonly cookieName: string;

  /** Whether the request carries such a cookie, good or bad. Asked at every request, so it looks no further. */
  isOffered(request: SessionRequest): boolean;
  /** The id in the cookie; undefined when none of the secrets made its signature. Never throws for what a client sent. */
  idFrom(request: SessionRequest): string | undefined;
  /** Only `read` and `delete` are used, both by that id. */
  readonly store: SessionStore;
  /**
   * @param now milliseconds since 1970
   * @returns undefined when the library would not have resumed it: it has expired
   * @throws SessionDecodeError when it is no session
   */
  open(bytes: Uint8Array, now: number): FormerSession | undefined;
  /** Set-Cookie values that delete the cookie. */
  clear(request: SessionRequest): readonly string[];
}
