/** Part of the session suite: what a test is, and what it is played on. */
import type { SessionEvent } from '../core/events.ts';
import type { SessionOptions } from '../core/options.ts';
import type { SessionStore } from '../core/store.ts';
import type { Visitor } from './visitor.ts';

/** What every test gets. */
export interface Stage {
  readonly store: SessionStore;
  readonly events: SessionEvent[];
  /** A browser that was never here, at sessions with these options. */
  visitor(options?: SessionOptions, store?: SessionStore): Visitor;
  /** Lets time pass. */
  pass(seconds: number): Promise<void>;
  now(): number;
}

export type SessionTest = readonly [name: string, body: (stage: Stage) => Promise<void>];
