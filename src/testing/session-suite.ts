/**
 * How sessions behave, whatever keeps them: the behaviours that every backend of Django must show, and the races that no
 * other library passes. Run it over a store of your own, with the runner that you use.
 */
import type { SessionEvent } from '../core/events.ts';
import { createSessionInterface, type SessionOptions } from '../core/options.ts';
import type { Awaitable, SessionStore } from '../core/store.ts';
import { dictionary } from './session-dictionary.ts';
import { expiry } from './session-expiry.ts';
import { identity, lifetime } from './session-lifetime.ts';
import { races } from './session-races.ts';
import type { Stage } from './stage.ts';
import { Visitor } from './visitor.ts';

export interface SessionSuiteRunner {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => Promise<void>): void;
}

export interface SessionSuiteOptions {
  /** Shown in the tests' names. */
  readonly name: string;
  /** A fresh store whose clock is the one given (milliseconds since 1970); called for every test. */
  create(now: () => number): Awaitable<SessionStore>;
  /** Undoes `create`, after every test. The store's own `close` is called before. */
  destroy?(store: SessionStore): Awaitable<void>;
  /** `'real'` for a store whose server has its own clock: tests then wait. Default `'fake'`. */
  readonly clock?: 'fake' | 'real';
  /** More options for the interface: `{ profile: 'flask' }`, a format, … */
  readonly options?: SessionOptions;
}

export function sessionSuite({ describe, it }: SessionSuiteRunner, options: SessionSuiteOptions): void {
  describe(`sessions on ${options.name}`, () => {
    for (const [name, body] of [...dictionary, ...lifetime, ...expiry, ...identity, ...races]) {
      it(name, () => onStage(options, body));
    }
  });
}

async function onStage(options: SessionSuiteOptions, body: (stage: Stage) => Promise<void>): Promise<void> {
  let ahead = 0;
  const fake = options.clock !== 'real';
  const start = Date.now();
  const now = () => (fake ? start : Date.now()) + ahead;
  const store = await options.create(now);
  const events: SessionEvent[] = [];
  const stage: Stage = {
    store,
    events,
    now,
    visitor: (more = {}, over = store) =>
      new Visitor(
        createSessionInterface({
          now,
          onEvent: (event) => events.push(event),
          ...options.options,
          ...more,
          store: over,
        }),
      ),
    async pass(seconds) {
      if (fake) ahead += seconds * 1000;
      else await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    },
  };
  try {
    await body(stage);
  } finally {
    await store.close?.();
    await options.destroy?.(store);
  }
}
