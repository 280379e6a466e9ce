/** A brake on guessing passwords: after some failures from one address, it has to wait. */

const MOST_FAILURES = 20;
const WINDOW_MS = 10 * 60_000;
const MOST_ADDRESSES = 10_000;

const failures = new Map<string, { count: number; until: number }>();

/** Seconds to wait before the next try; 0: none. */
export function secondsToWait(address: string): number {
  const entry = failures.get(address);
  if (!entry || entry.until <= Date.now()) return 0;
  return entry.count < MOST_FAILURES ? 0 : Math.ceil((entry.until - Date.now()) / 1000);
}

export function noteFailure(address: string): void {
  const entry = failures.get(address);
  if (entry && entry.until > Date.now()) {
    entry.count++;
    return;
  }
  failures.delete(address);
  // A Map keeps the order of insertion: the first one is the oldest.
  const [oldest] = failures.keys();
  if (failures.size >= MOST_ADDRESSES && oldest !== undefined) failures.delete(oldest);
  failures.set(address, { count: 1, until: Date.now() + WINDOW_MS });
}
