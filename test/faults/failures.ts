/** What every store owes when the system behind it fails: an error of its own, in time, from each verb, and to work again. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, expect } from 'vitest';
import type { GuardedStore } from '../../src/core/guarded-store.ts';
import { SessionStoreError } from '../../src/index.ts';
import { until } from '../servers/process.ts';

export const later = () => Date.now() + 60_000;
export const bytes = (text: string) => new TextEncoder().encode(text);
export const text = (record: { bytes: Uint8Array } | undefined) => record && new TextDecoder().decode(record.bytes);

/** For a whole file: nothing that failed in it was left without somebody who looks at it. */
export function expectNothingUnhandled(): void {
  const unhandled: unknown[] = [];
  const collect = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', collect);
  afterAll(() => {
    process.off('unhandledRejection', collect);
    expect(unhandled).toEqual([]);
  });
}

/** Deadlines that pass one after the other before an answer counts as late: one is what was asked for, the others are slack. */
const SLACK = 4;

/** That it ends before some deadlines have passed, waited for beside it: a machine that is busy delays both. */
export async function withinDeadline<T>(seconds: number, run: () => Promise<T>): Promise<T> {
  let passed = 0;
  let over = false;
  const clock = async (): Promise<void> => {
    for (; !over && passed < SLACK; passed++) await pause(seconds * 1000);
  };
  void clock();
  const result = await run();
  over = true;
  expect(passed).toBeLessThan(SLACK);
  return result;
}

export interface Expected {
  /** The store's deadline, in seconds. */
  readonly deadline: number;
  /** Default: it failed, or did not answer. */
  readonly code?: string | undefined;
  /** The store's name. */
  readonly name?: string;
}

/** Every verb fails, typed and in time. */
export async function expectFailures(store: GuardedStore, expected: Expected): Promise<SessionStoreError[]> {
  const verbs: (() => unknown)[] = [
    () => store.read('k'),
    () => store.write('k', bytes('two'), later(), bytes('one')),
    () => store.write('fresh', bytes('one'), later(), undefined),
    () => store.touch('k', later()),
    () => store.delete('other'),
  ];
  const failures = await withinDeadline(expected.deadline, () => Promise.all(verbs.map(failureOf)));
  for (const failure of failures) {
    expect(failure).toBeInstanceOf(SessionStoreError);
    const { code } = expected;
    expect(failure.code).toBeOneOf(code ? [code] : ['ERR_SESSION_STORE', 'ERR_SESSION_STORE_TIMEOUT']);
    if (expected.name) expect(failure.store).toBe(expected.name);
  }
  return failures;
}

async function failureOf(verb: () => unknown): Promise<SessionStoreError> {
  const failure = await outcome(verb);
  if (failure instanceof Error) return failure as SessionStoreError;
  throw new Error('it should have failed');
}

/** The same store works again, without anything having been restarted but the server. */
export async function expectRecovery(store: GuardedStore, ...expected: (string | undefined)[]): Promise<void> {
  let found: string | undefined;
  await until(async () => {
    const result = await outcome(() => store.read('k'));
    if (result instanceof Error) return false;
    found = text(result);
    return true;
  }, 'the store has recovered');
  expect(found).toBeOneOf(expected);
}

/** What comes of it, error or not. */
export async function outcome<T>(verb: () => T | Promise<T>): Promise<T | Error> {
  try {
    return await verb();
  } catch (error) {
    return error as Error;
  }
}
