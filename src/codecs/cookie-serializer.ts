/** What a session cookie's value is made with: signed in the open (url-safe.ts) or sealed (sealed.ts). */

export interface CookieSerializer {
  /**
   * @param now seconds since 1970; a fraction is dropped, as in Flask
   * @throws SessionEncodeError when `now` is not between 1970 and 9999
   */
  dumps(payload: Uint8Array, now: number): string;

  /**
   * Work is linear in the text, whatever it is.
   * @throws BadSignatureError when no key made it, for this purpose
   * @throws SignatureExpiredError when one did, at another time than {@link LoadOptions} allows
   * @throws SessionDecodeError when it is genuine and its content cannot be unpacked
   */
  loads(text: string, options: LoadOptions): LoadedCookie;
}

export interface LoadOptions {
  /** Seconds that may have passed since it was issued. `Number.POSITIVE_INFINITY`: any. */
  maxAge: number;
  /** Seconds since 1970; a fraction is dropped, as in Flask. */
  now: number;
  /** Seconds that it may be dated ahead of `now`, for hosts whose clocks differ. Default 0, as in Flask. */
  leeway?: number;
}

export interface LoadedCookie {
  payload: Uint8Array;
  /** Seconds since 1970. */
  issuedAt: number;
  /** Whether the newest key made it. If not, issue it again. */
  current: boolean;
}
