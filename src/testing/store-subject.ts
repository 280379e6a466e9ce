/** What the tests of the store contract talk to, and what they ask of an answer. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { SessionStore, StoredRecord, WriteResult } from '../core/store.ts';

export interface Subject {
  readonly store: SessionStore;
  /** The time is a server's: nothing can be told to the millisecond. */
  readonly isReal: boolean;
  /** Milliseconds that deadlines are cut to. */
  readonly granularity: number;
  readonly maxRecord: number;
  readonly concurrency: number;
  /** A deadline that no test reaches. */
  readonly later: number;
  now(): number;
  advance(milliseconds: number): Promise<void>;
  /** A deadline within reach, which the store can tell exactly. */
  soon(): number;
  /** Lets time pass until that deadline is certainly over. */
  pass(deadline: number): Promise<void>;
  /** A key that nobody else uses. */
  key(): string;
  /** Creates a record. */
  put(key: string, text: string, expiresAt?: number): Promise<void>;
  text(key: string): Promise<string | undefined>;
  /** A store may keep less than the time asked for, by less than what it can tell; never more. */
  assertDeadline(record: StoredRecord | undefined, expiresAt: number): void;
}

export type StoreCases = Record<string, (subject: Subject) => Promise<void>>;

export const LONG = 600_000;
/** Milliseconds by which a server's clock and its tidying may be late. */
const SLACK = 150;

export interface SubjectOptions {
  readonly store: SessionStore;
  /** Undefined: the time is real. */
  readonly advance: ((milliseconds: number) => void) | undefined;
  readonly now: () => number;
  readonly granularity: number;
  readonly maxRecord: number;
  readonly concurrency: number;
}

export function createSubject({ store, advance, now, ...settings }: SubjectOptions): Subject {
  const isReal = advance === undefined;
  const { granularity } = settings;
  const within = isReal && granularity < SLACK ? Math.ceil((2 * SLACK) / granularity) : 2;
  const subject: Subject = {
    ...settings,
    store,
    isReal,
    now,
    later: now() + LONG,
    async advance(milliseconds) {
      if (advance) advance(milliseconds);
      else await new Promise((resolve) => setTimeout(resolve, milliseconds));
    },
    soon: () => (Math.floor(now() / granularity) + within) * granularity,
    pass: (deadline) => subject.advance(deadline - now() + (isReal ? granularity + SLACK : 0)),
    key: () => `suite:${randomUUID()}`,
    async put(key, text, expiresAt = now() + LONG) {
      assert.equal(await store.write(key, utf8(text), expiresAt, undefined), 'written');
    },
    async text(key) {
      return textOf(await store.read(key));
    },
    assertDeadline(record, expiresAt) {
      assert.ok(record);
      const short = expiresAt - record.expiresAt;
      assert.ok(short >= 0 && short < granularity, `the deadline is ${short} ms too early`);
    },
  };
  return subject;
}

export function conflictOf(result: WriteResult): StoredRecord {
  assert.ok(typeof result === 'object', `expected a conflict, got ${String(result)}`);
  return result.conflict;
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(record: StoredRecord | undefined): string | undefined {
  return record && new TextDecoder().decode(record.bytes);
}
