/** What the published conformance suites need from whoever runs them: a test runner of any make, and a clock. */
import type { Awaitable } from '../core/store.ts';

export interface TestFunction {
  (name: string, body: () => Promise<void>): unknown;
  readonly skip?: (name: string, body: () => Promise<void>) => unknown;
}

/** The members of Vitest, Jest, Mocha and `node:test` that are used: `storeSuite({ describe, test }, …)`. */
export type SuiteRunner = { describe(name: string, body: () => void): unknown } & (
  | { readonly test: TestFunction }
  | { readonly it: TestFunction }
);

export interface SuiteClock {
  /** Milliseconds since 1970. Can be handed on without its object. */
  readonly now: () => number;
  readonly advance: (milliseconds: number) => Awaitable<void>;
  /** Time passes by itself, so nothing can be told to the millisecond. */
  readonly isReal: boolean;
}

/** A clock that stands still. It starts within a second, so that cutting and rounding to seconds differ. */
export function fakeClock(start = 1_900_000_000_250): SuiteClock {
  let now = start;
  return {
    now: () => now,
    advance: (milliseconds) => {
      now += milliseconds;
    },
    isReal: false,
  };
}

/** For what has a clock of its own: a server. */
export function realClock(): SuiteClock {
  return {
    now: () => Date.now(),
    advance: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    isReal: true,
  };
}

export type Cases<Name extends string> = Record<Name, () => Promise<void>>;

/**
 * Hands the cases to the runner.
 *
 * @param skip why a case is left out, by its name
 * @throws TypeError when `skip` names no case, or gives no reason
 */
export function runCases<Name extends string>(
  runner: SuiteRunner,
  title: string,
  cases: Cases<Name>,
  skip: Partial<Record<Name, string>> = {},
): void {
  for (const [name, reason] of Object.entries(skip)) {
    if (!Object.hasOwn(cases, name)) throw new TypeError(`${title}: there is no test ${JSON.stringify(name)} to skip`);
    if (!reason) throw new TypeError(`${title}: skipping ${JSON.stringify(name)} needs a reason`);
  }
  const test = 'test' in runner ? runner.test : runner.it;
  runner.describe(title, () => {
    for (const [name, body] of Object.entries(cases) as [Name, () => Promise<void>][]) {
      const reason = skip[name];
      if (reason === undefined) test(name, body);
      else test.skip?.(`${name} (left out: ${reason})`, body);
    }
  });
}
