/** The application on Node's own server, through ten lines; Bun runs it, too, to try its CommonJS. Prints its port. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { application } from './app.ts';
import { storesIn } from './on-disk.ts';

const [directory = ''] = process.argv.slice(2);
const handle = application(storesIn(directory));

const server = createServer(async (req, res) => {
  const body = await new Response(req.method === 'POST' ? (Readable.toWeb(req) as ReadableStream) : null).arrayBuffer();
  const headers = new Headers(Object.entries(req.headers).map(([name, value]): [string, string] => [name, `${value}`]));
  const init = { method: req.method ?? 'GET', headers, ...(req.method === 'POST' && { body }) };
  const response = await handle(new Request(new URL(req.url ?? '/', `http://${req.headers.host}`), init));
  const fields = Object.fromEntries(response.headers);
  res.writeHead(response.status, { ...fields, 'set-cookie': response.headers.getSetCookie() });
  for await (const chunk of response.body ?? []) res.write(chunk);
  res.end();
});

server.listen(0, '127.0.0.1', () => console.log(`port ${(server.address() as AddressInfo).port}`));
