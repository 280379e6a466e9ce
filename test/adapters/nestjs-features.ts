/** What Nest has beside handlers, on each of its platforms. Plays on Vitest and on `node:test`, with any version of Nest. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import {
  type ArgumentsHost,
  type CanActivate,
  Catch,
  Controller,
  DefaultValuePipe,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  Inject,
  Injectable,
  Module,
  type ModuleMetadata,
  type NestInterceptor,
  Session as NestSession,
  ParseIntPipe,
  Post,
  Redirect,
  Sse,
  UseFilters,
  UseGuards,
  UseInterceptors,
  Version,
  VersioningType,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { session as imported, SessionInterface, type SessionOptions, type SessionStore } from 'flacon';
import { type NestOptions, Session, SessionModule, sessionOf } from 'flacon/adapters/nestjs';
import { MemoryStore } from 'flacon/stores/memory';
import { concat, of, tap } from 'rxjs';
import { decorate } from './frameworks/decorate.ts';

type Application = NestExpressApplication | NestFastifyApplication;
type Body = () => Promise<void>;
interface Runner {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: Body): unknown;
}

/** A store whose end can be seen. */
class ClosingStore extends MemoryStore {
  closed = 0;

  override close(): void {
    this.closed++;
    super.close();
  }
}

class SignedInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return sessionOf(context).has('user');
  }
}

class CountingInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: { handle(): ReturnType<NestInterceptor['intercept']> }) {
    const count = () => sessionOf(context).update<number>('intercepted', (n) => (n ?? 0) + 1);
    return (next.handle() as ReturnType<typeof of>).pipe(tap(count));
  }
}

class Refused extends Error {}

class RefusedFilter implements ExceptionFilter {
  catch(_error: Refused, host: ArgumentsHost): void {
    sessionOf(host).set('refused', true);
    const res = host.switchToHttp().getResponse<{ status(code: number): { send(body: string): void } }>();
    res.status(418).send('refused');
  }
}
decorate(RefusedFilter, undefined, [Catch(Refused)]);

/** Nobody passes it a session. */
class Greeter {
  async greet(): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 2));
    return `hello ${imported.get('user', 'stranger')}`;
  }
}
decorate(Greeter, undefined, [Injectable()]);

class PagesController {
  readonly #greeter: Greeter;

  constructor(greeter: Greeter) {
    this.#greeter = greeter;
  }

  signIn(session: Session) {
    session.regenerate();
    session.assign({ user: 'ann', visits: '7' });
    return { url: '/hello' };
  }
  hello() {
    return this.#greeter.greet();
  }
  user(user: unknown) {
    return { user: user ?? null };
  }
  visits(visits: number) {
    return { next: visits + 1 };
  }
  nests(session: Session) {
    return { user: session.get('user', null) };
  }
  all(session: Session) {
    return Object.fromEntries(session);
  }
  untouched(_session: Session) {
    return 'ok';
  }
  refuse() {
    throw new Refused();
  }
  events(session: Session) {
    session.set('listening', true);
    return concat(of({ data: 'one' }), of({ data: String(session.get('user', 'stranger')) }));
  }
  versioned(session: Session) {
    session.set('version', 2);
    return 'two';
  }
}
decorate(PagesController, undefined, [Controller()], [Inject(Greeter)]);
decorate(PagesController, 'signIn', [Post('sign-in'), Redirect()], [Session()]);
decorate(PagesController, 'hello', [Get('hello')]);
decorate(PagesController, 'user', [Get('user'), UseGuards(SignedInGuard)], [Session('user')]);
decorate(PagesController, 'visits', [Get('visits')], [Session('visits', new DefaultValuePipe(0), ParseIntPipe)]);
decorate(PagesController, 'nests', [Get('nests')], [NestSession()]);
decorate(PagesController, 'all', [Get('all'), UseInterceptors(CountingInterceptor)], [Session()]);
decorate(PagesController, 'untouched', [Get('untouched')], [Session()]);
decorate(PagesController, 'refuse', [Get('refuse'), UseFilters(RefusedFilter)]);
decorate(PagesController, 'events', [Sse('events')], [Session()]);
decorate(PagesController, 'versioned', [Get('versioned'), Version('2')], [Session()]);

const PLATFORMS = {
  express: () => new ExpressAdapter(),
  fastify: () => new FastifyAdapter({ forceCloseConnections: true }),
};

export function nestFeatures({ describe, it }: Runner): void {
  for (const [name, adapter] of Object.entries(PLATFORMS)) {
    const make = async (imports: NonNullable<ModuleMetadata['imports']>, setUp = noSetUp) => {
      class AppModule {}
      decorate(AppModule, undefined, [Module({ imports, controllers: [PagesController], providers: [Greeter] })]);
      const options = { logger: false, abortOnError: false } as const;
      const app = await NestFactory.create<Application>(AppModule, adapter() as ExpressAdapter, options);
      setUp(app);
      await app.listen(0, '127.0.0.1');
      return app;
    };
    const using = async (
      imports: NonNullable<ModuleMetadata['imports']>,
      body: (visitor: Visitor) => Promise<void>,
      setUp = noSetUp,
    ) => {
      const app = await make(imports, setUp);
      try {
        await body(new Visitor(await app.getUrl()));
      } finally {
        app.getHttpServer().closeAllConnections();
        await app.close();
      }
    };
    const sessionsIn = (options: SessionOptions = {}, nestOptions: NestOptions = {}) => [
      SessionModule.forRoot({ store: new MemoryStore(), ...options }, nestOptions),
    ];

    describe(`nestjs on ${name}`, () => {
      it('handlers: @Session(), a key, a key through pipes, Nest’s own @Session()', () =>
        using(sessionsIn(), async (visitor) => {
          assert.equal(await visitor.get('/visits'), '{"next":1}');
          const { status, location } = await visitor.send('/sign-in', 'POST');
          assert.deepEqual([status, location], [302, '/hello']);
          assert.equal(await visitor.get('/user'), '{"user":"ann"}');
          assert.equal(await visitor.get('/visits'), '{"next":8}');
          assert.equal(await visitor.get('/nests'), '{"user":"ann"}');
        }));

      it('a service that nobody passes the session', () =>
        using(sessionsIn(), async (visitor) => {
          assert.equal(await visitor.get('/hello'), 'hello stranger');
          await visitor.send('/sign-in', 'POST');
          assert.equal(await visitor.get('/hello'), 'hello ann');
        }));

      it('a session that is only handed out costs nothing', () =>
        using(sessionsIn(), async (visitor) => {
          await visitor.send('/sign-in', 'POST');
          const { vary, setCookie } = await visitor.send('/untouched');
          assert.deepEqual([vary, setCookie], [null, []]);
        }));

      it('guards, interceptors, and filters that answer', () =>
        using(sessionsIn(), async (visitor) => {
          assert.equal((await visitor.send('/user')).status, 403);
          const refused = await visitor.send('/refuse');
          assert.deepEqual([refused.status, refused.text, refused.setCookie.length], [418, 'refused', 1]);
          await visitor.get('/all');
          assert.deepEqual(JSON.parse(await visitor.get('/all')), { _permanent: true, refused: true, intercepted: 1 });
        }));

      it('server-sent events', () =>
        using(sessionsIn(), async (visitor) => {
          await visitor.send('/sign-in', 'POST');
          const { text } = await visitor.send('/events');
          assert.match(text, /data: one\n[\s\S]*data: ann\n/);
          assert.match(await visitor.get('/all'), /"listening":true/);
        }));

      it('a global prefix, and versions', () =>
        using(
          sessionsIn(),
          async (visitor) => {
            const { status, setCookie } = await visitor.send('/api/v2/versioned');
            assert.deepEqual([status, setCookie.length], [200, 1]);
            assert.match((await visitor.send('/api/v2/versioned')).text, /two/);
          },
          (app) => app.setGlobalPrefix('api').enableVersioning({ type: VersioningType.URI }),
        ));

      it('a redirect leaves after the save', () =>
        using(sessionsIn({ store: lateStore() }), async (visitor) => {
          const { status, location, setCookie } = await visitor.send('/sign-in', 'POST');
          assert.deepEqual([status, location, setCookie.length], [302, '/hello', 1]);
          assert.equal(await visitor.get('/hello'), 'hello ann');
        }));

      it('lazy: a key is read before the handler runs', () => {
        const store = lateStore();
        return using(sessionsIn({ store }), async (first) => {
          await first.send('/sign-in', 'POST');
          await using(sessionsIn({ store, lazy: true }), async (visitor) => {
            visitor.cookie = first.cookie;
            assert.equal(await visitor.get('/visits'), '{"next":8}');
          });
        });
      });

      it('forRootAsync: options that a service of another module decides', () => {
        class Settings {
          readonly cookieName = 'configured';
        }
        class SettingsModule {}
        decorate(SettingsModule, undefined, [Module({ providers: [Settings], exports: [Settings] })]);
        const module = SessionModule.forRootAsync({
          imports: [SettingsModule],
          inject: [Settings],
          useFactory: async ({ cookieName }: Settings) => ({ store: new MemoryStore(), cookie: { name: cookieName } }),
        });
        return using([module], async (visitor) => {
          assert.match(String((await visitor.send('/sign-in', 'POST')).setCookie), /^configured=/);
        });
      });

      it('the store that a factory made is closed with the application, one of yours when you say so', async () => {
        const mine = new ClosingStore();
        const ends = async (module: ReturnType<typeof SessionModule.forRoot>, store: ClosingStore) => {
          let before = -1;
          await using([module], async (visitor) => {
            await visitor.send('/sign-in', 'POST');
            before = store.closed;
          });
          return store.closed - before;
        };
        const made = new ClosingStore();
        const useFactory = () => ({ store: made });
        assert.equal(await ends(SessionModule.forRootAsync({ useFactory }), made), 1);
        assert.equal(await ends(SessionModule.forRootAsync({ useFactory }, { closeStore: false }), made), 0);
        assert.equal(await ends(SessionModule.forRoot({ store: mine }), mine), 0);
        assert.equal(await ends(SessionModule.forRoot({ store: mine }, { closeStore: undefined as never }), mine), 0);
        assert.equal(await ends(SessionModule.forRoot({ store: mine }, { closeStore: true }), mine), 1);
      });

      it('the session interface can be injected', async () => {
        const app = await make(sessionsIn({ cookie: { name: 'injected' } }));
        assert.equal(app.get(SessionInterface).cookieName, 'injected');
        await app.close();
      });

      it('options that cannot work are refused when the application is made', async () => {
        const wrong = (module: ReturnType<typeof SessionModule.forRoot>) =>
          assert.rejects(make([module]), { code: 'ERR_SESSION_CONFIG' });
        await wrong(SessionModule.forRoot({ store: 'cookie' }));
        await wrong(SessionModule.forRoot({ idleTimeout: -1 }));
        await wrong(
          SessionModule.forRootAsync({ useFactory: () => ({ store: 'cookie' as const, secretKey: 'short' }) }),
        );
        await wrong(SessionModule.forRoot({ store: new MemoryStore() }, { closeStore: 'yes' as never }));
      });

      it('without the module, @Session() says so', () =>
        using([], async (visitor) => {
          assert.equal((await visitor.send('/untouched')).status, 500);
        }));

      it('an application context without HTTP', async () => {
        class ScriptModule {}
        decorate(ScriptModule, undefined, [Module({ imports: sessionsIn(), providers: [Greeter] })]);
        const context = await NestFactory.createApplicationContext(ScriptModule, {
          logger: false,
          abortOnError: false,
        });
        await assert.rejects(context.get(Greeter).greet(), { code: 'ERR_SESSION_NO_CONTEXT' });
        await context.close();
      });
    });
  }

  describe('nestjs on express', () => {
    it('middleware of main.ts, and of modules, has the session', async () => {
      class AppModule {
        configure(consumer: { apply(...use: unknown[]): { forRoutes(path: string): void } }): void {
          consumer.apply(mark('module')).forRoutes('*path');
        }
      }
      const imports = [SessionModule.forRoot({ store: new MemoryStore() })];
      decorate(AppModule, undefined, [Module({ imports, controllers: [PagesController], providers: [Greeter] })]);
      const app = await NestFactory.create<NestExpressApplication>(AppModule, new ExpressAdapter(), { logger: false });
      app.use(mark('main'));
      await app.listen(0, '127.0.0.1');
      const visitor = new Visitor(await app.getUrl());
      await visitor.send('/hello');
      assert.match(await visitor.get('/all'), /"main":true.*"module":true/);
      app.getHttpServer().closeAllConnections();
      await app.close();
    });
  });

  describe('nestjs on fastify', () => {
    it('app.inject', async () => {
      class AppModule {}
      const imports = [SessionModule.forRoot({ store: new MemoryStore() })];
      decorate(AppModule, undefined, [Module({ imports, controllers: [PagesController], providers: [Greeter] })]);
      const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { logger: false });
      await app.init();
      const answer = await app.inject({ method: 'POST', url: '/sign-in' });
      const [cookie] = answer.cookies as { name: string; value: string }[];
      const hello = await app.inject({ url: '/hello', cookies: { [cookie!.name]: cookie!.value } });
      assert.equal(hello.payload, 'hello ann');
      await app.close();
    });
  });
}

function noSetUp(_app: Application): void {}

function mark(name: string) {
  return (req: { session: Session }, _res: unknown, next: () => void) => {
    req.session.set(name, true);
    next();
  };
}

/** A store whose every answer is a promise. */
function lateStore(): SessionStore {
  const memory = new MemoryStore();
  return {
    name: 'late',
    read: async (...args) => memory.read(...args),
    write: async (...args) => memory.write(...args),
    touch: async (...args) => memory.touch(...args),
    delete: async (...args) => memory.delete(...args),
  };
}

/** A browser with one cookie. */
class Visitor {
  cookie: string | undefined;
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async get(path: string): Promise<string> {
    return (await this.send(path)).text;
  }

  async send(path: string, method = 'GET') {
    const headers = this.cookie === undefined ? {} : { cookie: this.cookie };
    const response = await fetch(this.#url + path, { method, headers, redirect: 'manual' });
    const setCookie = response.headers.getSetCookie();
    for (const text of setCookie) this.cookie = text.split(';', 1)[0];
    return {
      status: response.status,
      location: response.headers.get('location'),
      vary: response.headers.get('vary'),
      setCookie,
      text: await response.text(),
    };
  }
}
