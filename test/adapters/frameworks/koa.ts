/** The adapter suite's application on Koa. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { Session } from 'flacon';
import { sessions } from 'flacon/adapters/koa';
import type { AdapterAnswer, AdapterApp, AdapterServer } from 'flacon/testing/adapter-suite';
import Koa from 'koa';
import compress from 'koa-compress';
import mount from 'koa-mount';
import { listen } from './listen.ts';
import { nodeRequest } from './node.ts';

type SuiteContext = Koa.Context & { second: Session };

export function serveKoa(app: AdapterApp): Promise<AdapterServer> {
  const outer = new Koa();
  outer.silent = true;
  outer.proxy = app.trustProxy;
  const inner = app.mount ? new Koa() : outer;
  if (app.compress) inner.use(compress({ threshold: 0 }));
  const [first, second] = app.sessions;
  inner.use(sessions(first));
  if (second) inner.use(sessions(second, { property: 'second' }));
  inner.use(async (context) => {
    const ctx = context as SuiteContext;
    const request = {
      ...nodeRequest(ctx.req as never, ctx.res, ''),
      path: ctx.path,
      session: (name: 'session' | 'second' = 'session') => ctx[name],
    };
    send(await app.handle(request), ctx);
  });
  if (app.mount) outer.use(mount(app.mount, inner));
  return listen(outer.callback());
}

function send(answer: AdapterAnswer, ctx: Koa.Context): void {
  for (const [name, value] of answer.headers ?? []) ctx.append(name, value);
  const { body, file } = answer;
  if (answer.redirect) {
    ctx.redirect(answer.redirect);
    return;
  }
  ctx.status = answer.status ?? 200;
  if (file) {
    ctx.type = 'text';
    ctx.body = createReadStream(file);
  } else if (body === undefined) ctx.body = null;
  else if (typeof body === 'string') ctx.body = body;
  else ctx.body = body instanceof Uint8Array ? Buffer.from(body) : Readable.from(body);
  if (answer.status) ctx.status = answer.status;
}
