/** A TCP proxy on a loopback port that spoils what passes through it, for the tests of faults. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface FaultProxy {
  readonly port: number;
  /** Connections of clients that are open now. */
  readonly open: number;
  /** Connections of clients accepted since the start. */
  readonly accepted: number;
  /** Bytes that came back from the server since the start. */
  readonly replied: number;
  /** Lets `bytes` more bytes of replies through, then resets the connection on which the limit was reached. Once. */
  cutAfter(bytes: number): void;
  /** Replies come this many milliseconds late; 0: at once. */
  delay(milliseconds: number): void;
  /** Nothing passes in either direction, and nothing is closed, until `pass`. What came meanwhile is delivered then. */
  hold(): void;
  /** Resets all connections and refuses new ones, as a server that is down. */
  refuse(): Promise<void>;
  /** Resets all connections; new ones are accepted. */
  reset(): void;
  /** Ends every fault: listens again, delays and cuts nothing. */
  pass(): Promise<void>;
  /** Closes everything. Safe to call twice. */
  close(): Promise<void>;
}

/** @param target where the real server listens */
export async function startProxy(target: { readonly port: number; readonly host?: string }): Promise<FaultProxy> {
  const pairs = new Set<{ readonly client: Socket; readonly upstream: Socket }>();
  let accepted = 0;
  let replied = 0;
  let late = 0;
  let held = false;
  let left = Number.POSITIVE_INFINITY;

  const server = createServer((client) => {
    accepted++;
    const upstream = connect({ port: target.port, host: target.host ?? '127.0.0.1' });
    const pair = { client, upstream };
    pairs.add(pair);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    if (held) {
      client.pause();
      upstream.pause();
    }
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk: Buffer) => {
      replied += chunk.length;
      const pass = chunk.subarray(0, left);
      left -= pass.length;
      const cut = left === 0 && Number.isFinite(left);
      if (cut) left = Number.POSITIVE_INFINITY;
      const deliver = (): void => {
        if (client.destroyed) return;
        if (!cut) client.write(pass);
        // A reset could overtake the data: the half reply has to leave first.
        else client.write(pass, () => drop(pair));
      };
      if (late > 0) setTimeout(deliver, late).unref();
      else deliver();
    });
    for (const socket of [client, upstream]) {
      socket.on('error', () => drop(pair));
      socket.on('close', () => drop(pair));
    }
    client.on('end', () => upstream.end());
    upstream.on('end', () => client.end());
  });

  function drop(pair: { readonly client: Socket; readonly upstream: Socket }): void {
    if (!pairs.delete(pair)) return;
    pair.client.resetAndDestroy();
    pair.upstream.destroy();
  }
  function reset(): void {
    for (const pair of pairs) drop(pair);
  }
  const port = await listen(server, 0);

  return {
    port,
    get open() {
      return pairs.size;
    },
    get accepted() {
      return accepted;
    },
    get replied() {
      return replied;
    },
    cutAfter(bytes) {
      left = bytes;
    },
    delay(milliseconds) {
      late = milliseconds;
    },
    hold() {
      held = true;
      for (const { client, upstream } of pairs) {
        client.pause();
        upstream.pause();
      }
    },
    async refuse() {
      const closed = close(server);
      reset();
      await closed;
    },
    reset,
    async pass() {
      late = 0;
      left = Number.POSITIVE_INFINITY;
      held = false;
      for (const { client, upstream } of pairs) {
        client.resume();
        upstream.resume();
      }
      if (!server.listening) await listen(server, port);
    },
    async close() {
      const closed = close(server);
      reset();
      await closed;
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (server.listening) server.close(() => resolve());
    else resolve();
  });
}
