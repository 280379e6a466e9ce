/** What stands between a client and a memcached: one that answers as a test tells it, and one that writes down what is asked. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Peer {
  readonly address: string;
  /** Connections that are open. */
  readonly open: number;
  stop(): Promise<void>;
}

/** Answers the greeting as a server does, and what comes after with what `reply` makes of it (each byte a character). */
export async function startPeer(reply: (command: string, socket: Socket) => string | undefined): Promise<Peer> {
  return listen((socket) => {
    let greeted = false;
    socket.on('data', (chunk: Buffer) => {
      let text = chunk.toString('latin1');
      if (!greeted) {
        greeted = true;
        text = text.replace('stats settings\r\n', '');
        socket.write('STAT cas_enabled yes\r\nSTAT item_size_max 1048576\r\nEND\r\n');
      }
      const answer = text === '' ? undefined : reply(text, socket);
      if (answer !== undefined) socket.write(answer, 'latin1');
    });
  });
}

/** Sends the bytes to whoever connects, as they are, and at once. */
export function startBabbler(bytes: Uint8Array, thenEnd: boolean): Promise<Peer> {
  return listen((socket) => {
    // What is not read hides the end.
    socket.resume();
    socket.write(bytes);
    if (thenEnd) socket.end();
  });
}

export interface Recorder extends Peer {
  /** Lines of commands, without those of the greeting and without data blocks; cleared by reading it. */
  commands(): string[];
}

/** Passes everything on to a real server. */
export async function startRecorder(port: number): Promise<Recorder> {
  let seen = '';
  const peer = await listen((socket) => {
    const upstream = connect({ port, host: '127.0.0.1' });
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString('latin1');
    });
    socket.on('close', () => upstream.destroy());
    upstream.on('error', () => socket.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  return {
    ...peer,
    get open() {
      return peer.open;
    },
    commands() {
      const lines = seen.match(/^(?:m[gsda]|mn|gets?|cas|set|add)(?: |$)[^\r\n]*(?=\r\n)/gm) ?? [];
      seen = '';
      return lines;
    },
  };
}

async function listen(serve: (socket: Socket) => void): Promise<Peer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    address: `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    get open() {
      return sockets.size;
    },
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
