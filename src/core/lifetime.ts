/** A length of time as users write it: a number of seconds, or what Python would write as a `timedelta`. */

const SECONDS = {
  weeks: 604_800,
  days: 86_400,
  hours: 3600,
  minutes: 60,
  seconds: 1,
  milliseconds: 1e-3,
  microseconds: 1e-6,
} as const;

/** Seconds, whole or not, or the sum of parts by the names of `timedelta`; a `TimeDelta` is one, too. */
export type Lifetime = number | { readonly [Unit in keyof typeof SECONDS]?: number };

/** What a lifetime may look like, for error messages. */
export const LIFETIME_FORMS = `a number of seconds, or an object of ${Object.keys(SECONDS).join(', ')}`;

/** Python's dates end with the year 9999, and so do Flask's cookies: with more it answers every request with 500. */
export const MAX_LIFETIME = 250_000_000_000;

/** In seconds, to the microsecond; undefined when it is none. May be negative. */
export function lifetimeSeconds(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const parts = Object.entries(value);
  if (parts.length === 0) return undefined;
  let total = 0;
  for (const [unit, amount] of parts) {
    if (!Object.hasOwn(SECONDS, unit) || typeof amount !== 'number' || !Number.isFinite(amount)) return undefined;
    total += amount * SECONDS[unit as keyof typeof SECONDS];
  }
  return Math.round(total * 1e6) / 1e6;
}
