/** The adapter suite's application on Fastify. */
import { basename, dirname } from 'node:path';
import { Readable } from 'node:stream';
import compress from '@fastify/compress';
import fastifyStatic from '@fastify/static';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Session } from 'flacon';
import { sessions } from 'flacon/adapters/fastify';
import type { AdapterAnswer, AdapterApp, AdapterServer } from 'flacon/testing/adapter-suite';

export async function serveFastify(app: AdapterApp): Promise<AdapterServer> {
  const server = fastify({ trustProxy: app.trustProxy, forceCloseConnections: true, bodyLimit: 2 ** 20 });
  await server.register(async (inner) => setUp(inner, app), { prefix: app.mount });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  return { url, close: () => server.close() };
}

async function setUp(inner: FastifyInstance, app: AdapterApp): Promise<void> {
  if (app.compress) await inner.register(compress, { threshold: 0 });
  await inner.register(fastifyStatic, { serve: false });
  const [first, second] = app.sessions;
  await inner.register(sessions(first));
  if (second) await inner.register(sessions(second, { property: 'second' }));
  inner.all('/*', async (request, reply) => {
    const answer = await app.handle({
      method: request.method,
      path: request.url.slice(app.mount.length).replace(/\?.*/, ''),
      session: (name = 'session') => request.getDecorator<Session>(name),
      body: async () => String(request.body ?? ''),
      earlyHints: (link) => void reply.writeEarlyHints({ link }),
    });
    return send(answer, reply);
  });
}

function send(answer: AdapterAnswer, reply: FastifyReply): FastifyReply {
  for (const [name, value] of answer.headers ?? []) reply.header(name, value);
  const { body } = answer;
  if (answer.redirect) return reply.redirect(answer.redirect);
  if (answer.file) return reply.sendFile(basename(answer.file), dirname(answer.file));
  reply.code(answer.status ?? 200);
  if (body === undefined || typeof body === 'string') return reply.send(body);
  return reply.send(body instanceof Uint8Array ? body : Readable.from(body));
}
