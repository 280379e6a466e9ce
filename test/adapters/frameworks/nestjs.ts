/**
 * The adapter suite's application on NestJS: one controller, on Express and on Fastify. Decorators are called as functions,
 * so that Node runs the file as it is, with another version of Nest, too.
 */
import 'reflect-metadata';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import fastifyCompress from '@fastify/compress';
import {
  All,
  Controller,
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Module,
  Res,
  StreamableFile,
} from '@nestjs/common';
import { type AbstractHttpAdapter, HttpAdapterHost, NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import compression from 'compression';
import { Session, SessionModule, sessionOf } from 'flacon/adapters/nestjs';
import type { AdapterAnswer, AdapterApp, AdapterRequest, AdapterServer } from 'flacon/testing/adapter-suite';
import { decorate } from './decorate.ts';

interface Request {
  readonly method: string;
  readonly body?: unknown;
}
interface Response {
  readonly raw?: Response;
  writeEarlyHints(hints: { link: string }): void;
}

const Context = createParamDecorator((_data: undefined, context: ExecutionContext) => context);

export async function serveNestOnExpress(app: AdapterApp): Promise<AdapterServer> {
  const nest = await NestFactory.create<NestExpressApplication>(moduleFor(app, '*path'), new ExpressAdapter(), {
    logger: false,
  });
  if (app.trustProxy) nest.set('trust proxy', true);
  if (app.compress) nest.use(compression({ threshold: 0 }));
  nest.useBodyParser('text', { limit: '1mb' });
  return serve(nest, app);
}

export async function serveNestOnFastify(app: AdapterApp): Promise<AdapterServer> {
  const platform = new FastifyAdapter({ trustProxy: app.trustProxy, forceCloseConnections: true });
  const nest = await NestFactory.create<NestFastifyApplication>(moduleFor(app, '*'), platform, { logger: false });
  if (app.compress) await nest.register(fastifyCompress as never, { threshold: 0 });
  return serve(nest, app);
}

async function serve(nest: NestExpressApplication | NestFastifyApplication, app: AdapterApp): Promise<AdapterServer> {
  if (app.mount) nest.setGlobalPrefix(app.mount);
  await nest.listen(0, '127.0.0.1');
  return {
    url: await nest.getUrl(),
    async close() {
      nest.getHttpServer().closeAllConnections();
      await nest.close();
    },
  };
}

/** @param everything the route for all other paths, which each platform writes in its own way */
function moduleFor(app: AdapterApp, everything: string) {
  class SuiteController {
    readonly #adapter: AbstractHttpAdapter;

    constructor(host: HttpAdapterHost) {
      this.#adapter = host.httpAdapter;
    }

    async serve(session: Session, context: ExecutionContext, res: Response): Promise<void> {
      const req = context.switchToHttp().getRequest<Request>();
      const url: string = this.#adapter.getRequestUrl(req);
      const request: AdapterRequest = {
        method: req.method,
        path: url.slice(app.mount.length).replace(/\?.*/, ''),
        session: (name = 'session') => (name === 'session' ? session : sessionOf(context, name)),
        body: async () => String(req.body ?? ''),
        earlyHints: (link) => (res.raw ?? res).writeEarlyHints({ link }),
      };
      this.#send(await app.handle(request), res);
    }

    #send({ status = 200, headers = [], body, redirect, file }: AdapterAnswer, res: Response): void {
      for (const [name, value] of headers) this.#adapter.appendHeader(res, name, value);
      if (redirect) this.#adapter.redirect(res, 302, redirect);
      else if (file) this.#adapter.reply(res, new StreamableFile(createReadStream(file)), status);
      else if (body === undefined || typeof body === 'string') this.#adapter.reply(res, body, status);
      else if (body instanceof Uint8Array) this.#adapter.reply(res, new StreamableFile(body), status);
      else this.#adapter.reply(res, new StreamableFile(Readable.from(body)), status);
    }
  }
  decorate(SuiteController, undefined, [Controller()], [Inject(HttpAdapterHost)]);
  decorate(SuiteController, 'serve', [All(['/', everything])], [Session(), Context(), Res()]);

  class SuiteModule {}
  const [first, second] = app.sessions;
  const imports = [
    SessionModule.forRoot(first),
    ...(second ? [SessionModule.forRoot(second, { property: 'second' })] : []),
  ];
  decorate(SuiteModule, undefined, [Module({ imports, controllers: [SuiteController] })]);
  return SuiteModule;
}
