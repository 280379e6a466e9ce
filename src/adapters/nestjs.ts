/** NestJS 11 and 12, on Express and on Fastify. */
import type {
  ArgumentsHost,
  DynamicModule,
  FactoryProvider,
  ModuleMetadata,
  OnApplicationShutdown,
  PipeTransform,
  Type,
} from '@nestjs/common';
import { createParamDecorator, Inject, Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { currentSession } from '../core/context.ts';
import { createSessionInterface, describe, type SessionOptions } from '../core/options.ts';
import type { SessionData, Session as SessionOf } from '../core/session.ts';
import { SessionInterface } from '../core/session-interface.ts';
import type { Awaitable, SessionStore } from '../core/store.ts';
import { SessionConfigError, SessionContextError } from '../errors.ts';
import { embeddedStore } from '../stores/embedded.ts';
import type { ExpressOptions } from './express.ts';
import { installSessions, type NestHttpAdapter } from './nestjs-platform.ts';

export interface NestOptions extends ExpressOptions {
  /**
   * Whether a store of the options is closed when the application has shut down. Default: one that `useFactory` made is, one
   * that was given to `forRoot` is not. The embedded store, which the module itself makes, always is.
   */
  readonly closeStore?: boolean;
}

/** How `forRootAsync` comes by its options, in the words of Nest's own providers. */
export interface NestAsyncOptions {
  /** Modules whose providers `useFactory` needs. */
  readonly imports?: ModuleMetadata['imports'];
  /** What `useFactory` is called with. */
  readonly inject?: FactoryProvider['inject'];
  /** The first argument of `forRoot`, or a promise of it. Called once for each application. */
  readonly useFactory: (...dependencies: never[]) => Awaitable<SessionOptions | SessionInterface>;
}

const SETUP = Symbol('flacon.nestjs');

/** One application's sessions. */
interface Setup {
  readonly interface: SessionInterface;
  readonly property: string | undefined;
  /** What is closed with the application. */
  readonly store: SessionStore | undefined;
}

/**
 * `imports: [SessionModule.forRoot({...})]` in the root module gives every request its session: `@Session()` in handlers,
 * {@link sessionOf} in guards, interceptors and filters, `req.session`, and the imported `session` everywhere below. It is
 * saved before the response begins. The module is global, and provides the `SessionInterface`.
 *
 * A store that fails, and bad options, are errors for Nest to handle: an exception filter's, and `NestFactory.create`'s.
 */
export class SessionModule implements OnApplicationShutdown {
  readonly #setup: Setup;

  /** @internal */
  constructor(setup: Setup, host: HttpAdapterHost) {
    this.#setup = setup;
    // Nest makes its modules before `main.ts` can add middleware. In a testing module there is no platform yet, and in an
    // application without HTTP never.
    const install = (): void => {
      const adapter = host.httpAdapter as NestHttpAdapter | null | undefined;
      if (adapter) installSessions(adapter, setup.interface, setup.property);
    };
    if (host.httpAdapter) install();
    else host.init$.subscribe(install);
  }

  /**
   * @param options how sessions are kept, or an interface of your own; nothing: the secure profile on the embedded store
   */
  static forRoot(options: SessionOptions | SessionInterface = {}, nestOptions: NestOptions = {}): DynamicModule {
    return moduleOf({ useFactory: () => options }, { ...nestOptions, closeStore: nestOptions.closeStore ?? false });
  }

  /** With options that other providers have a part in, such as a service with the configuration. */
  static forRootAsync(asyncOptions: NestAsyncOptions, nestOptions: NestOptions = {}): DynamicModule {
    return moduleOf(asyncOptions, nestOptions);
  }

  /** Last of all: what was being served when the signal came has been saved by then. */
  async onApplicationShutdown(): Promise<void> {
    await this.#setup.store?.close?.();
  }
}

// As decorators would, in a syntax that is erased.
Inject(SETUP)(SessionModule, undefined, 0);
Inject(HttpAdapterHost)(SessionModule, undefined, 1);
Module({})(SessionModule);

function moduleOf(
  { imports = [], inject = [], useFactory }: NestAsyncOptions,
  nestOptions: NestOptions,
): DynamicModule {
  const make = useFactory as (...dependencies: unknown[]) => Awaitable<SessionOptions | SessionInterface>;
  return {
    module: SessionModule,
    global: true,
    imports,
    providers: [
      { provide: SETUP, inject, useFactory: async (...found: unknown[]) => setUp(await make(...found), nestOptions) },
      { provide: SessionInterface, inject: [SETUP], useFactory: (setup: Setup) => setup.interface },
    ],
    exports: [SessionInterface],
  };
}

/** @throws SessionConfigError */
function setUp(options: SessionOptions | SessionInterface, { property, closeStore = true }: NestOptions): Setup {
  if (typeof closeStore !== 'boolean')
    throw new SessionConfigError('closeStore', describe(closeStore), 'true or false');
  let made: SessionStore | undefined;
  const sessionInterface = createSessionInterface(options, () => {
    made = embeddedStore();
    return made;
  });
  const given = options instanceof SessionInterface || options.store === 'cookie' ? undefined : options.store;
  return { interface: sessionInterface, property, store: made ?? (closeStore ? given : undefined) };
}

/**
 * The session of the request that a guard, an interceptor, an exception filter or a decorator of your own is called for. In
 * a context of another kind (a resolver's, a gateway's) it is what the imported `session` is there.
 * @param property as in {@link NestOptions}; default `session`
 * @throws SessionContextError where there is none: no {@link SessionModule} is imported, or no request is being served
 */
export function sessionOf(host: ArgumentsHost, property = 'session'): SessionOf {
  if (host.getType() !== 'http') return currentSession();
  const request = host.switchToHttp().getRequest<Record<string, SessionOf | undefined>>();
  const session = request[property];
  if (session === undefined) throw new SessionContextError();
  return session;
}

type Pipe = Type<PipeTransform> | PipeTransform;

/** A key of {@link SessionData}, or any other. */
export type SessionKey = Extract<keyof SessionData, string> | (string & {});

export interface SessionDecorator {
  /** `@Session() session: Session`: the session of the request. */
  (...pipes: Pipe[]): ParameterDecorator;
  /** `@Session('user') user?: User`: what it holds under a key, undefined when it has none; read first where it is lazy. */
  (key: SessionKey, ...pipes: Pipe[]): ParameterDecorator;
}

/** Both the decorator of a handler's parameter and the parameter's type: `@Session() session: Session`. */
export const Session: SessionDecorator = createParamDecorator((key: string | undefined, context: ArgumentsHost) => {
  const session = sessionOf(context);
  return key === undefined ? session : session.load().then(() => session.get(key));
});

export type Session<D extends object = SessionData> = SessionOf<D>;
