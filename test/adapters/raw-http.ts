// biome-ignore-all lint/suspicious/noExplicitAny: what a test's handler does is of no type
import { createServer, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export { pause };
export async function listen(l: any) {
  const server = createServer(l);
  await new Promise<void>((r) => server.listen(0, '127.0.0.1', r));
  return {
    server,
    port: (server.address() as any).port as number,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
/** status|body or 'HANG' or error */
export function get(port: number, path = '/', headers: any = {}, ms = 800, method = 'GET', body?: any): Promise<any> {
  return new Promise((resolve) => {
    const req = request({ port, host: '127.0.0.1', path, headers, method }, (res: IncomingMessage) => {
      const chunks: Buffer[] = [];
      res.on('data', (c) => chunks.push(c));
      const t = setTimeout(() => {
        resolve({ hang: 'body', status: res.statusCode, length: Buffer.concat(chunks).length, headers: res.headers });
        req.destroy();
      }, ms);
      res.on('error', () => {});
      res.on('close', () => {
        clearTimeout(t);
        resolve({
          status: res.statusCode,
          body: Buffer.concat(chunks).toString('latin1'),
          length: Buffer.concat(chunks).length,
          headers: res.headers,
          trailers: res.trailers,
          complete: res.complete,
        });
      });
    });
    const t0 = setTimeout(() => {
      resolve({ hang: 'head' });
      req.destroy();
    }, ms);
    req.on('response', () => clearTimeout(t0));
    req.on('error', (e) => {
      clearTimeout(t0);
      resolve({ error: String(e) });
    });
    req.end(body);
  });
}
export function raw(port: number, text: string, ms = 300): Promise<string> {
  return new Promise((resolve) => {
    const s = connect(port, '127.0.0.1');
    let out = '';
    s.on('data', (d) => (out += d));
    s.on('error', () => {});
    s.write(text);
    setTimeout(() => {
      s.destroy();
      resolve(out);
    }, ms);
  });
}
export async function trapping<T>(run: () => Promise<T>): Promise<{ value: T; crashes: string[] }> {
  const crashes: string[] = [];
  const h = (e: any) => {
    crashes.push(String(e));
  };
  process.on('unhandledRejection', h);
  process.on('uncaughtException', h);
  try {
    const value = await run();
    await pause(30);
    return { value, crashes };
  } finally {
    process.off('unhandledRejection', h);
    process.off('uncaughtException', h);
  }
}
