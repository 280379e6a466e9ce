/** A brake on guessing passwords: after some failures from one address, it has to wait. */

const MOST_FAILURES = 10;
const WINDOW_MS = 10 * 60_000;
const MOST_ADDRESSES = 10_000;

const attempts = new Map<string, { count: number; readonly until: number }>();

/** Counts an attempt before it is made, so that many at the same time are no way around. @returns seconds to wait; 0: go on */
export function beginAttempt(address: string): number {
  const now = Date.now();
  const entry = attempts.get(address);
  if (!entry || entry.until <= now) {
    attempts.delete(address);
    // A Map keeps the order of insertion: the first one is the oldest.
    const [oldest] = attempts.keys();
    if (attempts.size >= MOST_ADDRESSES && oldest !== undefined) attempts.delete(oldest);
    attempts.set(address, { count: 1, until: now + WINDOW_MS });
    return 0;
  }
  if (entry.count >= MOST_FAILURES) return Math.ceil((entry.until - now) / 1000);
  entry.count++;
  return 0;
}

/** The attempt was none to worry about. */
export function forgiveAttempt(address: string): void {
  const entry = attempts.get(address);
  if (entry) entry.count--;
}
