/** `Session` of the adapter for NestJS is the decorator of a parameter, and the parameter's type. */
import type { ArgumentsHost } from '@nestjs/common';
import { Session, SessionModule, sessionOf } from 'flacon/adapters/nestjs';

declare const session: Session;
declare const narrowed: Session<{ role: 'guest' | 'admin' }>;
declare const host: ArgumentsHost;

const ids: (number | undefined)[] = [session.user?.id, sessionOf(host).user?.id];
const role: 'guest' | 'admin' | undefined = narrowed.role;
const decorators: ParameterDecorator[] = [Session(), Session('user'), Session('a key that is not declared')];
const modules = [
  SessionModule.forRoot(),
  SessionModule.forRootAsync({ inject: ['SECONDS'], useFactory: (idleTimeout: number) => ({ idleTimeout }) }),
];

// @ts-expect-error a key has the declared type
session.user = 3;
// @ts-expect-error so has a key in a guard
sessionOf(host).user = 3;
// @ts-expect-error a key is text
Session(1);
// @ts-expect-error an option has to exist
SessionModule.forRoot({ stor: 'cookie' });
// @ts-expect-error a factory makes options
SessionModule.forRootAsync({ useFactory: () => 1 });

export { decorators, ids, modules, role };
