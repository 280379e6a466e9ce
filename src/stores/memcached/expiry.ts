/** Deadlines as memcached has them: whole seconds, counted by the server's clock, which moves once a second. */
import { SessionEncodeError } from '../../errors.ts';

/** Seconds up to which a server takes a number as "from now", and beyond which as a date. */
const MAX_RELATIVE = 30 * 86_400;
/** 2038-01-19. A server takes a later date for one long past, without a word. */
const MAX_DATE = 2 ** 31 - 1;

/**
 * What Flask-Session writes for the same lifetime: seconds from now up to 30 days, so that the clocks need not agree; beyond,
 * a date in seconds since 1970. 0: never. A part of a second counts as one.
 *
 * @param expiresAt milliseconds since 1970; where it has just passed, a second is left
 * @throws SessionEncodeError beyond 2038-01-19
 */
export function toExptime(expiresAt: number, now: number): number {
  if (expiresAt === Number.POSITIVE_INFINITY) return 0;
  // Never 0, which would be for ever.
  const left = Math.max(1, Math.ceil((expiresAt - now) / 1000));
  if (left <= MAX_RELATIVE) return left;
  const date = Math.floor(expiresAt / 1000);
  if (date > MAX_DATE) throw new SessionEncodeError('memcached can hold no deadline after 2038-01-19');
  return date;
}

/** Of each of two generations. */
const REMEMBERED = 5000;
/** A record ends up to a second before or after its deadline, and the server tells what is left in whole seconds. */
const BLUR_MS = 2000;

/**
 * The deadlines that this process has set, as far as they are recent. A server tells what is left only in seconds that began
 * whenever its clock moved, and through the foreign clients not at all; what was asked for is exact. It is used only to
 * tell a deadline, never to decide whether a record is there.
 */
export class Deadlines {
  #young = new Map<string, number>();
  #old = new Map<string, number>();

  note(key: string, expiresAt: number): void {
    this.#young.set(key, expiresAt);
    if (this.#young.size < REMEMBERED) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  /**
   * @param left seconds that the server still counts, the running one included; undefined: it did not say
   * @returns where it is not known, a time that is not after the deadline
   */
  of(key: string, left: number | undefined, now: number): number {
    const known = this.#young.get(key) ?? this.#old.get(key);
    if (left === undefined) return known !== undefined && known > now ? known : now + 1;
    if (left === Number.POSITIVE_INFINITY) return left;
    const end = now + left * 1000;
    if (known !== undefined && Math.abs(known - end) < BLUR_MS) return Math.max(known, now + 1);
    return Math.max(end - 1000, now + 1);
  }
}
