/** The meta protocol of memcached 1.6: values are bytes, every item has a CAS token, and a read tells what is left of its time. */
import { Connection, type ConnectionSettings } from './connection.ts';
import { type Distribution, type Locate, locator } from './distribution.ts';
import { MemcachedError } from './failure.ts';
import { itemSize, tooLarge } from './item-size.ts';
import type { Item, Items, Token } from './items.ts';
import { type WireKey, wireKey } from './key.ts';
import { flag, type Reply } from './reply.ts';
import type { ServerAddress } from './servers.ts';

/** A server's number for a content, and the connection on which it said so: after a restart the numbers begin anew. */
class CasToken {
  readonly cas: string;
  readonly #connection: Connection;
  readonly #epoch: number;

  constructor(cas: string, connection: Connection) {
    this.cas = cas;
    this.#connection = connection;
    this.#epoch = connection.epoch;
  }

  static isValid(token: Token, connection: Connection): token is CasToken {
    return token instanceof CasToken && token.#connection === connection && token.#epoch === connection.epoch;
  }
}

/** No server can be told to take less than this. */
const ALWAYS_FITS = 1024;

export class MetaClient implements Items {
  readonly atomic = true;
  readonly #connections: readonly Connection[];
  readonly #locate: Locate;

  /** Connects when it is first used. A server that is down fails the keys that it has; they go nowhere else. */
  constructor(servers: readonly ServerAddress[], distribution: Distribution, options: ConnectionSettings) {
    this.#connections = servers.map((server) => new Connection(server, options));
    this.#locate = locator(distribution, servers);
  }

  read<T>(key: string, make: (item: Item) => T): Promise<T | undefined> {
    const wire = wireKey(key);
    const connection = this.#of(wire);
    return connection.request(`mg ${wire.text}${wire.flags} v t c`, undefined, (reply) => {
      if (reply.line.startsWith('EN')) return undefined;
      const { value } = reply;
      const left = Number(flag(reply.line, 't') ?? Number.NaN);
      if (!value || !Number.isInteger(left)) throw unexpected();
      const token = tokenOf(reply, connection);
      return make({ bytes: value, left: left === -1 ? Number.POSITIVE_INFINITY : left, token });
    });
  }

  add(key: string, bytes: Uint8Array, exptime: number): Promise<Token | false> {
    return this.#store(key, bytes, `T${exptime} ME`);
  }

  replace(key: string, bytes: Uint8Array, exptime: number, token: Token): Promise<Token | false> {
    return this.#store(key, bytes, `T${exptime} C`, token);
  }

  removeIf(key: string, token: Token): Promise<boolean> {
    const wire = wireKey(key);
    const connection = this.#of(wire);
    if (!CasToken.isValid(token, connection)) return Promise.resolve(false);
    return connection.request(`md ${wire.text}${wire.flags} C${token.cas}`, undefined, isDone);
  }

  remove(key: string): Promise<boolean> {
    const wire = wireKey(key);
    return this.#of(wire).request(`md ${wire.text}${wire.flags}`, undefined, isDone);
  }

  touch(key: string, exptime: number): Promise<boolean> {
    const wire = wireKey(key);
    return this.#of(wire).request(`mg ${wire.text}${wire.flags} T${exptime}`, undefined, isDone);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #of({ bytes }: WireKey): Connection {
    return this.#connections[this.#locate(bytes)]!;
  }

  /** @param mode what is stored, and until when; the number of a token follows */
  #store(key: string, bytes: Uint8Array, mode: string, token?: Token): Promise<Token | false> {
    const wire = wireKey(key);
    const connection = this.#of(wire);
    const send = (): Promise<Token | false> => {
      if (token && !CasToken.isValid(token, connection)) return Promise.resolve(false);
      return connection.request(
        `ms ${wire.text} ${bytes.length}${wire.flags} ${mode}${token ? token.cas : ''} c`,
        bytes,
        (reply) => isDone(reply) && tokenOf(reply, connection),
      );
    };
    const size = itemSize(wire.text, bytes.length);
    return size <= ALWAYS_FITS ? send() : makeSureItFits(connection, wire, size).then(send);
  }
}

/** Before it is sent: a server deletes what is there when it refuses something larger. @throws SessionStoreError */
async function makeSureItFits(connection: Connection, { text, flags }: WireKey, size: number): Promise<void> {
  // Any command makes the server say what it takes before it is sent.
  if (connection.itemLimit === undefined) await connection.request(`mg ${text}${flags}`, undefined, isDone);
  if (size > (connection.itemLimit ?? Number.POSITIVE_INFINITY)) throw tooLarge(size);
}

/** Done, or not because something else is there, or nothing. */
function isDone({ line }: Reply): boolean {
  switch (line.slice(0, 3).trimEnd()) {
    case 'HD':
      return true;
    case 'EN':
    case 'NS':
    case 'EX':
    case 'NF':
      return false;
    default:
      throw unexpected();
  }
}

function tokenOf({ line }: Reply, connection: Connection): CasToken {
  const cas = flag(line, 'c');
  if (cas === undefined || !/^[1-9]\d{0,19}$/.test(cas)) throw unexpected();
  return new CasToken(cas, connection);
}

function unexpected(): MemcachedError {
  return new MemcachedError('EPROTOCOL', 'the server sent an answer that none of its commands has');
}
