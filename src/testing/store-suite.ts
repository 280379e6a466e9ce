/**
 * The conformance suite of the store contract (`SessionStore`). Every store of this package passes it; so should yours:
 *
 * ```ts
 * import { describe, it } from 'vitest';
 * import { storeSuite } from 'flacon/testing/store-suite';
 *
 * storeSuite({ describe, it }, { name: 'my store', create: (now) => new MyStore({ now }) });
 * ```
 */
import type { Awaitable, SessionStore } from '../core/store.ts';
import { races } from './store-races.ts';
import { records } from './store-records.ts';
import { createSubject, type Subject } from './store-subject.ts';
import { verbs } from './store-verbs.ts';

export interface TestFunction {
  (name: string, body: () => Promise<void>): unknown;
  readonly skip?: (name: string, body: () => Promise<void>) => unknown;
}

/** The members of Vitest, Jest, Mocha and `node:test` that are used. */
export type StoreSuiteRunner = { describe(name: string, body: () => void): unknown } & (
  | { readonly it: TestFunction }
  | { readonly test: TestFunction }
);

export interface StoreSuiteOptions {
  /** Shown in the tests' names. */
  readonly name: string;
  /**
   * A store, called for every test. What is behind it may be shared: every test uses keys of its own.
   *
   * @param now the clock, in milliseconds since 1970
   */
  create(now: () => number): Awaitable<SessionStore>;
  /** Undoes `create`, after every test. The store's own `close` is called before. */
  destroy?(store: SessionStore): Awaitable<void>;
  /** `'real'` for a store whose server has its own clock: tests then wait. Default `'fake'`. */
  readonly clock?: 'fake' | 'real';
  /** Milliseconds that the store cuts deadlines to. Default 1; 1000 where they are whole seconds. */
  readonly granularity?: number;
  /** Bytes of the largest record that is tried. Default 1 MiB. */
  readonly maxRecord?: number;
  /** Writers at once. Default 100. */
  readonly concurrency?: number;
  /** Why a test is left out, by its name. */
  readonly skip?: Readonly<Record<string, string>>;
}

/** The time at which a fake clock stands: within a second, so that cutting and rounding to seconds differ. */
const START = 1_900_000_000_250;

/**
 * Defines the tests with the given runner.
 *
 * @throws TypeError when `skip` names no test, or gives no reason
 */
export function storeSuite(runner: StoreSuiteRunner, options: StoreSuiteOptions): void {
  const cases = { ...verbs, ...records, ...races };
  const skip = new Map(Object.entries(options.skip ?? {}));
  for (const [name, reason] of skip) {
    if (!Object.hasOwn(cases, name))
      throw new TypeError(`storeSuite: there is no test ${JSON.stringify(name)} to skip`);
    if (!reason) throw new TypeError(`storeSuite: skipping ${JSON.stringify(name)} needs a reason`);
  }
  const it = 'it' in runner ? runner.it : runner.test;
  runner.describe(`store contract: ${options.name}`, () => {
    for (const [name, body] of Object.entries(cases)) {
      const run = () => withStore(options, body);
      const reason = skip.get(name);
      if (reason === undefined) it(name, run);
      else it.skip?.(`${name} (left out: ${reason})`, run);
    }
  });
}

async function withStore(options: StoreSuiteOptions, body: (subject: Subject) => Promise<void>): Promise<void> {
  const isReal = options.clock === 'real';
  let time = START;
  const now = isReal ? () => Date.now() : () => time;
  const advance = isReal
    ? undefined
    : (milliseconds: number) => {
        time += milliseconds;
      };
  const { granularity = 1, maxRecord = 1024 * 1024, concurrency = 100 } = options;
  const store = await options.create(now);
  try {
    await body(createSubject({ store, now, advance, granularity, maxRecord, concurrency }));
  } finally {
    await store.close?.();
    await options.destroy?.(store);
  }
}
