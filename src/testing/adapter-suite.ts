/**
 * The conformance suite of adapters. Every adapter of this package passes it; so should yours:
 *
 * ```ts
 * import { describe, it } from 'vitest';
 * import { adapterSuite } from 'flacon/testing/adapter-suite';
 *
 * adapterSuite({ describe, it }, { name: 'my framework', serve: (app) => startServer(app) });
 * ```
 *
 * `serve` starts a real server of the framework on a free loopback port, with `app.sessions` set up and `app.handle` behind.
 */
import { basics } from './adapter-basics.ts';
import { context } from './adapter-context.ts';
import { cookies } from './adapter-cookies.ts';
import { costs } from './adapter-costs.ts';
import { faults } from './adapter-faults.ts';
import { hostile } from './adapter-hostile.ts';
import { places } from './adapter-places.ts';
import { responses } from './adapter-responses.ts';
import { type ForwardedProto, type Kind, play, type Serve } from './adapter-stage.ts';
import { streams } from './adapter-streams.ts';

export type { AdapterAnswer, AdapterApp, AdapterRequest, AdapterServer } from './adapter-app.ts';

/** The members of Vitest, Jest, Mocha and `node:test` that are used. */
export type AdapterSuiteRunner = { describe(name: string, body: () => void): unknown } & (
  | { readonly it: (name: string, body: () => Promise<void>) => unknown }
  | { readonly test: (name: string, body: () => Promise<void>) => unknown }
);

export interface AdapterSuiteOptions {
  /** Shown in the tests' names. */
  readonly name: string;
  /** Called for every test, one after the other. */
  readonly serve: Serve;
  /** Which protocol of several in `X-Forwarded-Proto` the framework takes for the visitor's. Default `first`. */
  readonly forwardedProto?: ForwardedProto;
}

const KINDS: readonly Kind[] = ['synchronous', 'asynchronous', 'cookie'];
const NAMES: Record<Kind, string> = {
  synchronous: 'a store that answers at once',
  asynchronous: 'a store that answers late',
  cookie: 'sessions in the cookie',
};

/** Defines the tests with the given runner. */
export function adapterSuite(
  runner: AdapterSuiteRunner,
  { name, serve, forwardedProto = 'first' }: AdapterSuiteOptions,
): void {
  const it = 'it' in runner ? runner.it : runner.test;
  const tests = [
    ...basics,
    ...cookies,
    ...responses,
    ...streams,
    ...places,
    ...context,
    ...costs,
    ...faults,
    ...hostile,
  ];
  runner.describe(`adapter: ${name}`, () => {
    for (const kind of KINDS) {
      runner.describe(NAMES[kind], () => {
        for (const test of tests) {
          if (!test.kinds || test.kinds.includes(kind)) it(test.name, () => play(serve, kind, test, forwardedProto));
        }
      });
    }
  });
}
