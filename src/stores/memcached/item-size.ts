/** How large an item may be. */
import { SessionStoreError } from '../../errors.ts';

/** What an item takes on a server besides key and content, at the most. */
const OVERHEAD = 64;

/** @returns bytes, rounded up */
export function itemSize(key: string, content: number): number {
  return key.length + content + OVERHEAD;
}

/** @param size bytes of the item */
export function tooLarge(size: number): SessionStoreError {
  const message = `session store memcached: a record of ${size} bytes, with its key, is more than the server takes (its option -I)`;
  return new SessionStoreError('memcached', 'write', message);
}
