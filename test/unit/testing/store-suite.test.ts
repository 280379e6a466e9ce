import { MemoryStore } from 'flacon/stores/memory';
import { storeSuite } from 'flacon/testing/store-suite';
import { describe, expect, test } from 'vitest';
import type { SessionStore } from '../../../src/core/store.ts';

type Body = () => Promise<void>;

/** A runner that only remembers. */
function collect(options: Partial<Parameters<typeof storeSuite>[1]> = {}) {
  const tests = new Map<string, Body>();
  const skipped: string[] = [];
  const it = Object.assign((name: string, body: Body) => void tests.set(name, body), {
    skip: (name: string) => void skipped.push(name),
  });
  const runner = { describe: (_: string, body: () => void) => body(), test: it };
  storeSuite(runner, { name: 'any', create: (now) => new MemoryStore({ now }), concurrency: 10, ...options });
  return { tests, skipped };
}

async function failures(create: (now: () => number) => SessionStore): Promise<string[]> {
  const { tests } = collect({ create });
  const failed: string[] = [];
  for (const [name, body] of tests) await body().catch(() => failed.push(name));
  return failed;
}

/** A memory store with some verbs replaced. */
function broken(change: (store: MemoryStore, now: () => number) => Partial<SessionStore>) {
  return (now: () => number): SessionStore => {
    const store = new MemoryStore({ now });
    const verbs: SessionStore = {
      name: 'broken',
      read: (key) => store.read(key),
      write: (key, record, expiresAt, expected) => store.write(key, record, expiresAt, expected),
      touch: (key, expiresAt) => store.touch(key, expiresAt),
      delete: (key) => store.delete(key),
      sweep: (limit) => store.sweep(limit),
    };
    return { ...verbs, ...change(store, now) };
  };
}

test('a good store passes, with nothing but the four verbs too', async () => {
  expect(await failures((now) => new MemoryStore({ now }))).toEqual([]);
  expect(await failures(broken(() => ({ sweep: undefined as never })))).toEqual([]);
});

describe('a fault is found', () => {
  const later = (value: unknown) => new Promise<never>((resolve) => setImmediate(() => resolve(value as never)));

  test.each<[string, Parameters<typeof broken>[0]]>([
    [
      'writes whatever is there',
      (store) => ({
        write(key, record, expiresAt) {
          const there = store.read(key);
          return store.write(key, record, expiresAt, there?.bytes);
        },
      }),
    ],
    [
      'compares and writes in two steps',
      (store) => ({
        async write(key, record, expiresAt, expected) {
          const there = store.read(key);
          if (!there && expected) return 'gone';
          if (there && (!expected || !Buffer.from(there.bytes).equals(expected))) return { conflict: there };
          await later(undefined);
          store.delete(key);
          return store.write(key, record, expiresAt, undefined);
        },
      }),
    ],
    [
      'an update creates',
      (store) => ({
        write(key, record, expiresAt, expected) {
          const result = store.write(key, record, expiresAt, expected);
          return result === 'gone' ? store.write(key, record, expiresAt, undefined) : result;
        },
      }),
    ],
    [
      'touch creates',
      (store) => ({
        touch: (key, expiresAt) =>
          store.touch(key, expiresAt) || store.write(key, new Uint8Array(1), expiresAt, undefined) === 'written',
      }),
    ],
    [
      'touch only lengthens',
      (store) => ({
        touch: (key, expiresAt) => store.touch(key, Math.max(expiresAt, store.read(key)?.expiresAt ?? 0)),
      }),
    ],
    [
      'reading extends',
      (store) => ({
        read(key) {
          const found = store.read(key);
          if (found) store.touch(key, found.expiresAt + 60_000);
          return found;
        },
      }),
    ],
    [
      'a deadline is a millisecond late',
      (store) => ({
        write: (key, record, expiresAt, expected) => store.write(key, record, expiresAt + 1, expected),
      }),
    ],
    [
      'delete always says yes',
      (store) => ({
        delete(key) {
          store.delete(key);
          return true;
        },
      }),
    ],
    [
      'keys are cut',
      (store) => ({
        read: (key) => store.read(key.slice(0, 200)),
        write: (key, record, expiresAt, expected) => store.write(key.slice(0, 200), record, expiresAt, expected),
      }),
    ],
    [
      'bytes are text',
      (store) => ({
        write: (key, record, expiresAt, expected) =>
          store.write(key, record && new TextEncoder().encode(new TextDecoder().decode(record)), expiresAt, expected),
      }),
    ],
    ['sweeps too much', (store) => ({ sweep: () => store.sweep(1000) })],
    ['says it is synchronous', (store) => ({ synchronous: true, read: async (key) => store.read(key) })],
  ])('%s', async (_, change) => {
    expect(await failures(broken(change))).not.toEqual([]);
  });
});

describe('leaving out', () => {
  const [name] = [...collect().tests.keys()];

  test('shows the reason', () => {
    const { tests, skipped } = collect({ skip: { [name!]: 'it has no such thing' } });
    expect(tests.has(name!)).toBe(false);
    expect(skipped).toEqual([`${name} (left out: it has no such thing)`]);
  });

  test('needs a test of that name, and a reason', () => {
    expect(() => collect({ skip: { 'no such test': 'because' } })).toThrow(TypeError);
    expect(() => collect({ skip: { [name!]: '' } })).toThrow(TypeError);
  });
});
