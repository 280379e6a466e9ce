/** A load generator that costs little: pipelined requests over a few connections, answers counted by their fixed length. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const CONNECTIONS = 4;
const PIPELINED = 16;

export class Load {
  readonly #port: number;
  readonly #sockets: Socket[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  async open(): Promise<void> {
    for (let i = 0; i < CONNECTIONS; i++) {
      const socket = connect(this.#port, '127.0.0.1');
      await once(socket, 'connect');
      this.#sockets.push(socket);
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** One request on a connection of its own; the whole answer. */
  async once(path: string, cookie?: string): Promise<string> {
    const socket = connect(this.#port, '127.0.0.1');
    socket.end(text(path, cookie, true));
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  }

  /** @returns when `count` answers, all as long as the first one and with status 200, have arrived */
  async run(path: string, cookie: string | undefined, count: number): Promise<void> {
    const request = text(path, cookie, false);
    await Promise.all(this.#sockets.map((socket) => drive(socket, request, Math.ceil(count / CONNECTIONS))));
  }
}

function text(path: string, cookie: string | undefined, last: boolean): string {
  return `GET ${path} HTTP/1.1\r\nHost: bench\r\n${cookie ? `Cookie: ${cookie}\r\n` : ''}${last ? 'Connection: close\r\n' : ''}\r\n`;
}

function drive(socket: Socket, request: string, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let asked = 0;
    let answered = 0;
    let pending = '';
    const ask = () => {
      const more = Math.min(PIPELINED - (asked - answered), count - asked);
      if (more <= 0) return;
      asked += more;
      socket.write(request.repeat(more));
    };
    const onData = (chunk: Buffer) => {
      pending += chunk.toString('latin1');
      // An answer: head, blank line, two bytes of body, chunked or not.
      for (;;) {
        const head = pending.indexOf('\r\n\r\n');
        if (head < 0) break;
        const chunked = /transfer-encoding: chunked/i.test(pending.slice(0, head));
        const end = chunked ? pending.indexOf('0\r\n\r\n', head + 4) + 5 : head + 6;
        if (end < head + 6 || pending.length < end) break;
        if (!pending.startsWith('HTTP/1.1 200') || !pending.slice(head, end).includes('ok')) {
          socket.off('data', onData);
          reject(new Error(`unexpected answer: ${pending.slice(0, 200)}`));
          return;
        }
        pending = pending.slice(end);
        answered++;
      }
      if (answered >= count) {
        socket.off('data', onData);
        resolve();
      } else ask();
    };
    socket.on('data', onData);
    ask();
  });
}
