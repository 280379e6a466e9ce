/** The beginning of every connection: authentication where it is asked for, and what the server will take. */
import { MemcachedError } from './failure.ts';
import type { Credentials } from './servers.ts';

export interface Greeting {
  /** Bytes, each as a character. */
  readonly text: string;
  /** True with the line that ends it. @throws MemcachedError */
  take(line: string): boolean;
  /** Bytes; undefined where the server (or a proxy in its place) does not say. */
  readonly itemLimit: number | undefined;
}

/**
 * Authentication is that of the text protocol (`memcached -Y file`): a `set` whose data are the name and the password. A
 * server that does not ask for it would keep them under the key of that `set`: hence the deadline, which is over.
 *
 * The size of the largest item is asked for because a server that is sent a larger one refuses it, and deletes the one that
 * was there.
 */
export function greeting(credentials: Credentials | undefined): Greeting {
  let authenticating = credentials !== undefined;
  let itemLimit: number | undefined;
  const login = credentials ? Buffer.from(`${credentials.username} ${credentials.password}`).toString('latin1') : '';
  return {
    text: `${authenticating ? `set login 0 -1 ${login.length}\r\n${login}\r\n` : ''}stats settings\r\n`,
    get itemLimit() {
      return itemLimit;
    },
    take(line) {
      if (authenticating) {
        if (line !== 'STORED') throw new MemcachedError('EAUTH', 'the server refused the user name and the password');
        authenticating = false;
        return false;
      }
      if (line.startsWith('STAT ')) {
        const limit = /^STAT item_size_max (\d{1,12})$/.exec(line);
        if (limit) itemLimit = Number(limit[1]);
        if (line === 'STAT cas_enabled no') {
          throw new MemcachedError('EPROTOCOL', 'the server compares nothing: start it without -C (--disable-cas)');
        }
        return false;
      }
      if (line === 'END' || line === 'ERROR') return true;
      if (/unauthenticated/.test(line)) {
        throw new MemcachedError('EAUTH', 'the server asks for a user name and a password');
      }
      throw new MemcachedError('EPROTOCOL', 'no server that speaks the text protocol of memcached');
    },
  };
}
