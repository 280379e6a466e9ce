/** A browser in a test: it keeps its cookies and makes requests over HTTP. */
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly setCookie: readonly string[];
  readonly bytes: Uint8Array;
  readonly text: string;
  /** False when the connection broke before the body's end. */
  readonly complete: boolean;
  /** Status codes of what came before the answer: 103. */
  readonly informational: readonly number[];
}

export interface Sending {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  /** Hears of the first byte of the head, and of each part of the body. */
  onHead?(): void;
  onData?(text: string): void;
  readonly signal?: AbortSignal;
}

export class HttpVisitor {
  readonly url: string;
  readonly cookies = new Map<string, string>();

  constructor(url: string) {
    this.url = url;
  }

  /** Another browser with a copy of this one's cookies. */
  twin(): HttpVisitor {
    const twin = new HttpVisitor(this.url);
    for (const [name, value] of this.cookies) twin.cookies.set(name, value);
    return twin;
  }

  /** @throws what the connection failed with before there was an answer */
  send(path = '/', { method = 'GET', headers = {}, body, onHead, onData, signal }: Sending = {}): Promise<HttpAnswer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return new Promise((resolve, reject) => {
      const informational: number[] = [];
      const options = {
        method,
        agent: false as const,
        headers: { ...(cookie ? { cookie } : {}), ...headers },
        ...(signal ? { signal } : {}),
      };
      const sent = request(new URL(path, this.url), options, (res) => {
        onHead?.();
        const chunks: Uint8Array[] = [];
        res.on('data', (chunk: Uint8Array) => {
          chunks.push(chunk);
          onData?.(Buffer.from(chunk).toString());
        });
        res.on('error', () => {});
        res.on('close', () => {
          const setCookie = res.headers['set-cookie'] ?? [];
          for (const text of setCookie) this.#keep(text);
          const bytes = Buffer.concat(chunks);
          const { statusCode: status = 0, complete } = res;
          resolve({ status, headers: res.headers, setCookie, bytes, text: bytes.toString(), complete, informational });
        });
      });
      sent.on('information', (info) => informational.push(info.statusCode));
      sent.on('error', reject);
      sent.end(body);
    });
  }

  #keep(setCookie: string): void {
    const [pair = ''] = setCookie.split(';', 1);
    const at = pair.indexOf('=');
    if (/; Max-Age=0(;|$)/i.test(setCookie)) this.cookies.delete(pair.slice(0, at));
    else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}

/**
 * Sends bytes as they are, for what no client would send.
 * @param isEnough told all that came so far (Latin-1); else the server's end of the connection is waited for
 */
export function sendRaw(url: string, text: string, isEnough: (received: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text, 'latin1'));
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      received += chunk;
      if (isEnough(received)) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
  });
}
