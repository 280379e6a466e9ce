/** What saving a session does to a response. An adapter applies it; nothing here touches one. */

export interface SessionEffects {
  /** One `Set-Cookie` header value, to be added beside those that are there. */
  readonly setCookie?: string;
  /** Further `Set-Cookie` values, only beside `setCookie`: they clear what another library set (`flacon/connect`). */
  readonly moreCookies?: readonly string[];
  /** The response depends on the cookie: `Vary: Cookie`. */
  readonly vary?: boolean;
  /** The response is this visitor's alone: no shared cache may keep it (RFC 9111, section 5.2.2.7). */
  readonly private?: boolean;
}

/** The value of `Vary` with `Cookie` in it, as Werkzeug's header set adds it. */
export function withVary(existing: string | undefined): string {
  if (!existing) return 'Cookie';
  const names = existing.split(',').map((name) => name.trim().toLowerCase());
  return names.includes('cookie') ? existing : `${existing}, Cookie`;
}

/** The value of `Cache-Control` that keeps a response with somebody's cookie out of shared caches. */
export function withPrivate(existing: string | undefined): string {
  if (!existing) return 'private';
  const directives = existing.split(',').map((directive) => directive.trim());
  const names = directives.map((directive) => directive.toLowerCase());
  if (names.includes('private') || names.includes('no-store')) return existing;
  const kept = directives.filter((_, i) => names[i] !== 'public' && !names[i]?.startsWith('s-maxage'));
  return ['private', ...kept].filter(Boolean).join(', ');
}
