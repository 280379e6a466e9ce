/** The adapter suite's application on `node:http`, where its users do everything by hand. */
import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type SessionIncomingMessage, sessions } from 'flacon/adapters/node';
import type { AdapterAnswer, AdapterApp, AdapterRequest } from 'flacon/testing/adapter-suite';
import type { Session } from '../../../src/index.ts';
import { listen } from './listen.ts';

type Request = SessionIncomingMessage & { second?: Session };

export async function serveNode(app: AdapterApp) {
  const onError = (_error: unknown, _req: IncomingMessage, res: ServerResponse) => {
    if (res.headersSent) res.destroy();
    else res.writeHead(500, { 'Content-Type': 'text/plain' }).end('failed');
  };
  const listener = async (req: Request, res: ServerResponse) => {
    await send(await app.handle(nodeRequest(req, res, app.mount)), req, res, app.compress);
  };
  const [first, second] = app.sessions;
  const options = { onError, trustProxy: app.trustProxy };
  const inner = second ? sessions(second, { ...options, property: 'second' })(listener as never) : listener;
  const withSession = sessions(first, options)(inner as never);
  return listen((req, res) => {
    if (req.url?.startsWith(app.mount)) withSession(req, res);
    else res.writeHead(404).end();
  });
}

export function nodeRequest(req: Request, res: ServerResponse, mount: string): AdapterRequest {
  return {
    method: req.method ?? 'GET',
    path: (req.url ?? '/').slice(mount.length),
    session: (name = 'session') => req[name] as Session,
    body: () =>
      new Promise((resolve, reject) => {
        let text = '';
        req.setEncoding('utf8');
        req.on('data', (chunk: string) => {
          text += chunk;
        });
        req.on('end', () => resolve(text));
        req.on('error', reject);
      }),
    earlyHints: (link) => res.writeEarlyHints({ link }),
  };
}

async function send(answer: AdapterAnswer, req: IncomingMessage, res: ServerResponse, compress: boolean) {
  res.statusCode = answer.redirect ? 302 : (answer.status ?? 200);
  for (const [name, value] of answer.headers ?? []) res.appendHeader(name, value);
  if (answer.redirect) res.setHeader('Location', answer.redirect);
  const gzip = compress && /\bgzip\b/.test(String(req.headers['accept-encoding']));
  if (gzip) res.setHeader('Content-Encoding', 'gzip').appendHeader('Vary', 'Accept-Encoding');
  const { body } = answer;
  if (!gzip && !answer.file && (body === undefined || typeof body === 'string' || body instanceof Uint8Array)) {
    res.end(body);
    return;
  }
  const source = answer.file
    ? createReadStream(answer.file)
    : Readable.from(typeof body === 'string' ? [body] : (body ?? []));
  await (gzip ? pipeline(source, createGzip(), res) : pipeline(source, res));
}
