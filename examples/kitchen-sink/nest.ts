/**
 * The kitchen sink on NestJS, on Express. Nest's decorators are called as functions, since Node erases types and does not know
 * decorators; examples/nestjs is written as usual.
 */
import type { RequestListener } from 'node:http';
import { All, type ArgumentsHost, Catch, Controller, type ExceptionFilter, Module, Req, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Request, Response } from 'express';
import { SessionModule } from 'flacon/adapters/nestjs';
import { requestFrom, send, sendError } from './node-http.ts';
import type { OverwritingInterface } from './overwrite.ts';
import { findRoute, run } from './routes.ts';

export async function listener(sessionInterface: OverwritingInterface): Promise<RequestListener> {
  class SinkController {
    async serve(req: Request, res: Response): Promise<void> {
      const route = findRoute(req.method, req.path);
      await send(res, await run(route, await requestFrom(req, sessionInterface)));
    }
  }
  Req()(SinkController.prototype, 'serve', 0);
  Res()(SinkController.prototype, 'serve', 1);
  const serve = Object.getOwnPropertyDescriptor(SinkController.prototype, 'serve') as PropertyDescriptor;
  All(['/', '*path'])(SinkController.prototype, 'serve', serve);
  Controller()(SinkController);

  class SinkModule {}
  Module({ imports: [SessionModule.forRoot(sessionInterface)], controllers: [SinkController] })(SinkModule);

  const options = { bodyParser: false, logger: false } as const;
  const app = await NestFactory.create<NestExpressApplication>(SinkModule, options);
  app.disable('x-powered-by');
  app.useGlobalFilters(new SinkFilter());
  await app.init();
  return app.getHttpAdapter().getInstance();
}

class SinkFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    sendError(host.switchToHttp().getResponse<Response>(), error);
  }
}
Catch()(SinkFilter);
