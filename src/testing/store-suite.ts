/**
 * The conformance suite of the store contract (`SessionStore`). Every store of this package passes it; so should yours:
 *
 * ```ts
 * import { describe, test } from 'vitest';
 * import { storeSuite } from 'flacon/testing/store-suite';
 *
 * storeSuite({ describe, test }, { name: 'my store', create: (clock) => new MyStore({ now: clock.now }) });
 * ```
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Awaitable, SessionStore, StoredRecord, WriteResult } from '../core/store.ts';
import { fakeClock, realClock, runCases, type SuiteClock, type SuiteRunner } from './suite-runner.ts';

export interface StoreSuiteOptions {
  name: string;
  /** A store for one test. It may share what is behind it with others: every test uses keys of its own. */
  create(clock: SuiteClock): Awaitable<SessionStore>;
  /** After each test. By default the store's own `close`. */
  close?(store: SessionStore): Awaitable<void>;
  /** `'fake'`, the default: the store tells the time by the clock that `create` is given. `'real'`: it has its own. */
  clock?: 'fake' | 'real';
  /** Milliseconds that the store's deadlines are cut to. Default 1; 1000 where they are whole seconds. */
  granularity?: number;
  /** Bytes of the largest record that is tried. Default 1 MiB. */
  maxRecord?: number;
  /** Writers at once. Default 100. */
  concurrency?: number;
  /** Why a test is left out, by its name. */
  skip?: Partial<Record<StoreTest, string>>;
}

export type StoreTest = keyof ReturnType<typeof storeCases>;

const LONG = 600_000;
/** Milliseconds by which a server's clock and its tidying may be late. */
const SLACK = 150;

/** Defines the suite's tests with the given runner. @throws TypeError when `skip` is wrong */
export function storeSuite(runner: SuiteRunner, options: StoreSuiteOptions): void {
  const bodies = storeCases(options);
  const cases = Object.fromEntries(
    Object.entries(bodies).map(([name, body]) => [name, () => withStore(options, body)]),
  ) as Record<StoreTest, () => Promise<void>>;
  runCases(runner, `${options.name}: store contract`, cases, options.skip);
}

/** A store, and how to talk to it. */
interface Subject {
  readonly store: SessionStore;
  readonly clock: SuiteClock;
  /** A key that nobody else uses. */
  key(): string;
  /** A deadline that no test reaches. */
  readonly later: number;
  /** A deadline within reach, which the store can tell exactly. */
  soon(): number;
  /** Until that deadline is certainly over. */
  pass(deadline: number): Promise<void>;
  put(key: string, text: string, expiresAt?: number): Promise<void>;
  text(key: string): Promise<string | undefined>;
}

async function withStore(options: StoreSuiteOptions, body: (subject: Subject) => Promise<void>): Promise<void> {
  const clock = options.clock === 'real' ? realClock() : fakeClock();
  const granularity = options.granularity ?? 1;
  const store = await options.create(clock);
  try {
    await body({
      store,
      clock,
      key: () => `suite:${randomUUID()}`,
      later: clock.now() + LONG,
      soon: () =>
        (Math.floor(clock.now() / granularity) + (clock.isReal && granularity < SLACK ? 2 * SLACK : 2)) * granularity,
      async pass(deadline) {
        await clock.advance(deadline - clock.now() + (clock.isReal ? granularity + SLACK : 0));
      },
      async put(key, text, expiresAt = clock.now() + LONG) {
        assert.equal(await store.write(key, utf8(text), expiresAt, undefined), 'written');
      },
      async text(key) {
        return textOf(await store.read(key));
      },
    });
  } finally {
    await (options.close ? options.close(store) : store.close?.());
  }
}

function storeCases(options: StoreSuiteOptions) {
  const granularity = options.granularity ?? 1;
  const concurrency = options.concurrency ?? 100;
  return {
    async 'a key that was never written holds nothing'({ store, key }: Subject) {
      assert.equal(await store.read(key()), undefined);
    },

    async 'create: is read back, bytes and deadline'({ store, key, later }: Subject) {
      const k = key();
      assert.equal(await store.write(k, utf8('one'), later, undefined), 'written');
      const found = await store.read(k);
      assert.equal(textOf(found), 'one');
      assertDeadline(found, later, granularity);
    },

    async 'create: a record may live for ever'({ store, key }: Subject) {
      const k = key();
      assert.equal(await store.write(k, utf8('one'), Number.POSITIVE_INFINITY, undefined), 'written');
      assert.equal((await store.read(k))?.expiresAt, Number.POSITIVE_INFINITY);
    },

    async 'create: what is there is a conflict, and stays'({ store, key, put, text, later }: Subject) {
      const k = key();
      await put(k, 'one', later);
      const conflict = conflictOf(await store.write(k, utf8('two'), later + LONG, undefined));
      assert.equal(textOf(conflict), 'one');
      assertDeadline(conflict, later, granularity);
      assert.equal(await text(k), 'one');
      assertDeadline(await store.read(k), later, granularity);
    },

    async 'update: replaces exactly what is expected, and the deadline'({ store, key, put, text, later }: Subject) {
      const k = key();
      await put(k, 'one', later);
      assert.equal(await store.write(k, utf8('two'), later + LONG, utf8('one')), 'written');
      assert.equal(await text(k), 'two');
      assertDeadline(await store.read(k), later + LONG, granularity);
      assert.equal(await store.write(k, utf8('three'), later, utf8('two')), 'written');
      assertDeadline(await store.read(k), later, granularity);
    },

    async 'update: expects what read gave'({ store, key, put, text, later }: Subject) {
      const k = key();
      await put(k, 'one');
      const found = await store.read(k);
      assert.equal(await store.write(k, utf8('two'), later, found?.bytes), 'written');
      assert.equal(await text(k), 'two');
    },

    async 'update: other bytes are a conflict, and stay'({ store, key, put, text, later }: Subject) {
      const k = key();
      await put(k, 'one', later);
      for (const other of ['two', 'onf', 'on', 'one1', 'One', '']) {
        const conflict = conflictOf(await store.write(k, utf8('three'), later + LONG, utf8(other)));
        assert.equal(textOf(conflict), 'one');
        assertDeadline(conflict, later, granularity);
      }
      assert.equal(await text(k), 'one');
    },

    async 'update: nothing there is gone, and stays so'({ store, key, text, later }: Subject) {
      const k = key();
      assert.equal(await store.write(k, utf8('two'), later, utf8('one')), 'gone');
      assert.equal(await store.write(k, utf8('two'), later, utf8('')), 'gone');
      assert.equal(await text(k), undefined);
    },

    async 'update: a record deleted between read and write is gone, and stays so'(subject: Subject) {
      const { store, key, put, text, later } = subject;
      const k = key();
      await put(k, 'one');
      const found = await store.read(k);
      await store.delete(k);
      assert.equal(await store.write(k, utf8('two'), later, found?.bytes), 'gone');
      assert.equal(await store.touch(k, later), false);
      assert.equal(await text(k), undefined);
    },

    async 'null: deletes what is expected'({ store, key, put, text, later }: Subject) {
      const k = key();
      await put(k, 'one');
      assert.equal(textOf(conflictOf(await store.write(k, null, later, utf8('two')))), 'one');
      assert.equal(await text(k), 'one');
      assert.equal(await store.write(k, null, later, utf8('one')), 'written');
      assert.equal(await text(k), undefined);
      assert.equal(await store.write(k, null, later, utf8('one')), 'gone');
    },

    async 'null: with nothing expected writes nothing'({ store, key, put, text, later }: Subject) {
      const [empty, full] = [key(), key()];
      assert.equal(await store.write(empty, null, later, undefined), 'written');
      assert.equal(await text(empty), undefined);
      await put(full, 'one');
      assert.equal(textOf(conflictOf(await store.write(full, null, later, undefined))), 'one');
      assert.equal(await text(full), 'one');
    },

    async 'a deadline that is over deletes what is expected'({ store, clock, key, put, text }: Subject) {
      for (const ago of [0, 1, LONG]) {
        const k = key();
        assert.equal(await store.write(k, utf8('one'), clock.now() - ago, undefined), 'written');
        assert.equal(await text(k), undefined);
        await put(k, 'one');
        assert.equal(textOf(conflictOf(await store.write(k, utf8('two'), clock.now() - ago, utf8('x')))), 'one');
        assert.equal(await store.write(k, utf8('two'), clock.now() - ago, utf8('one')), 'written');
        assert.equal(await text(k), undefined);
      }
    },

    async 'a record is there until its deadline, and not from it on'({ clock, key, put, text, soon, pass }: Subject) {
      const k = key();
      const deadline = soon();
      await put(k, 'one', deadline);
      if (!clock.isReal) await clock.advance(deadline - clock.now() - 1);
      assert.equal(await text(k), 'one');
      await pass(deadline);
      assert.equal(await text(k), undefined);
    },

    async 'reading extends nothing'({ store, key, put, text, soon, pass }: Subject) {
      const k = key();
      const deadline = soon();
      await put(k, 'one', deadline);
      for (let i = 0; i < 3; i++) assertDeadline(await store.read(k), deadline, granularity);
      await pass(deadline);
      assert.equal(await text(k), undefined);
    },

    async 'an expired record is nothing to every verb'({ store, key, put, text, soon, pass, later }: Subject) {
      const [updated, deleted, touched, created, removed] = [key(), key(), key(), key(), key()];
      const deadline = soon();
      for (const k of [updated, deleted, touched, created, removed]) await put(k, 'one', deadline);
      await pass(deadline);
      assert.equal(await store.write(updated, utf8('two'), later, utf8('one')), 'gone');
      assert.equal(await store.write(deleted, null, later, utf8('one')), 'gone');
      assert.equal(await store.touch(touched, later), false);
      assert.equal(await store.delete(removed), false);
      for (const k of [updated, deleted, touched, removed]) assert.equal(await text(k), undefined);
      assert.equal(await store.write(created, utf8('two'), later, undefined), 'written');
      assert.equal(await text(created), 'two');
    },

    async 'touch: moves the deadline to later'({ store, key, put, text, soon, pass, later }: Subject) {
      const k = key();
      const deadline = soon();
      await put(k, 'one', deadline);
      assert.equal(await store.touch(k, later), true);
      assertDeadline(await store.read(k), later, granularity);
      await pass(deadline);
      assert.equal(await text(k), 'one');
    },

    async 'touch: moves the deadline to earlier'({ store, key, put, text, soon, pass }: Subject) {
      const k = key();
      await put(k, 'one');
      const deadline = soon();
      assert.equal(await store.touch(k, deadline), true);
      assertDeadline(await store.read(k), deadline, granularity);
      await pass(deadline);
      assert.equal(await text(k), undefined);
    },

    async 'touch: to a time that is over ends the record'({ store, clock, key, put, text, later }: Subject) {
      const k = key();
      await put(k, 'one');
      await store.touch(k, clock.now() - granularity);
      assert.equal(await text(k), undefined);
      assert.equal(await store.touch(k, later), false);
    },

    async 'touch: changes no bytes, so that an update still finds what it expects'(subject: Subject) {
      const { store, key, put, text, later } = subject;
      const k = key();
      await put(k, 'one');
      await store.touch(k, later + LONG);
      assert.equal(await text(k), 'one');
      assert.equal(await store.write(k, utf8('two'), later, utf8('one')), 'written');
    },

    async 'touch: creates nothing'({ store, key, put, text, later }: Subject) {
      const [never, deleted] = [key(), key()];
      await put(deleted, 'one');
      await store.delete(deleted);
      for (const k of [never, deleted]) {
        assert.equal(await store.touch(k, later), false);
        assert.equal(await text(k), undefined);
      }
    },

    async 'delete: says whether there was something, once'({ store, key, put, text }: Subject) {
      const k = key();
      assert.equal(await store.delete(k), false);
      await put(k, 'one');
      assert.equal(await store.delete(k), true);
      assert.equal(await text(k), undefined);
      assert.equal(await store.delete(k), false);
      await put(k, 'two');
      assert.equal(await text(k), 'two');
    },

    async 'records: none is too short'({ store, key, later }: Subject) {
      const k = key();
      assert.equal(await store.write(k, new Uint8Array(0), later, undefined), 'written');
      assert.deepEqual(plain(await store.read(k)), new Uint8Array(0));
      assert.equal(conflictOf(await store.write(k, utf8('one'), later, undefined)).bytes.length, 0);
      assert.equal(await store.write(k, utf8('one'), later, new Uint8Array(0)), 'written');
      assert.equal(await store.write(k, new Uint8Array(0), later, utf8('one')), 'written');
      assert.deepEqual(plain(await store.read(k)), new Uint8Array(0));
    },

    async 'records: every byte, wherever it stands'({ store, key, later }: Subject) {
      const k = key();
      let record = Uint8Array.from({ length: 256 }, (_, i) => i);
      assert.equal(await store.write(k, record, later, undefined), 'written');
      for (const shift of [0, 0x2e, 0x4a, 0x4b, 0x80, 0xff]) {
        const next = Uint8Array.from({ length: 257 }, (_, i) => (i + shift) & 0xff);
        assert.equal(await store.write(k, next, later, record), 'written');
        assert.deepEqual(plain(await store.read(k)), next);
        record = next;
      }
    },

    async 'records: large ones, compared to the last byte'({ store, key, later }: Subject) {
      const k = key();
      const record = new Uint8Array(options.maxRecord ?? 1024 * 1024).map((_, i) => (i * 31) & 0xff);
      const other = record.slice();
      other[other.length - 1]! ^= 1;
      assert.equal(await store.write(k, record, later, undefined), 'written');
      assert.ok(Buffer.from(plain(await store.read(k))!).equals(record));
      conflictOf(await store.write(k, record, later, other));
      assert.equal(await store.write(k, other, later, record.slice()), 'written');
      assert.ok(Buffer.from(plain(await store.read(k))!).equals(other));
    },

    async 'records: a part of a larger buffer is stored as that part'({ store, key, text, later }: Subject) {
      const k = key();
      const around = utf8('before one two after');
      assert.equal(await store.write(k, around.subarray(7, 10), later, undefined), 'written');
      assert.equal(await text(k), 'one');
      assert.equal(await store.write(k, around.subarray(11, 14), later, around.subarray(7, 10)), 'written');
      assert.equal(await text(k), 'two');
    },

    async 'records: what was read stays as it was, whatever is written later'(subject: Subject) {
      const { store, key, put, later } = subject;
      const k = key();
      await put(k, 'one', later);
      const first = await store.read(k);
      assert.equal(await store.write(k, utf8('two'), later + LONG, utf8('one')), 'written');
      const second = await store.read(k);
      const conflict = conflictOf(await store.write(k, utf8('three'), later, utf8('one')));
      await store.touch(k, later + 2 * LONG);
      await store.delete(k);
      await put(key(), 'xxx');
      assert.deepEqual([first, second, conflict].map(textOf), ['one', 'two', 'two']);
      assertDeadline(first, later, granularity);
      assertDeadline(second, later + LONG, granularity);
    },

    async 'keys: all visible ASCII, up to 250 bytes'({ store, put, text, key }: Subject) {
      const unique = key();
      const visible = String.fromCharCode(...Array.from({ length: 0x7e - 0x20 }, (_, i) => 0x21 + i));
      const names = [
        visible,
        '../../etc/passwd',
        '__proto__',
        "'; DROP TABLE sessions --",
        '%',
        '_',
        '*',
        '?',
        '{}',
        '\\',
        '/',
      ];
      const keys = names.map((name) => `${unique}${name}`);
      keys.push(unique.padEnd(249, 'x'), unique.padEnd(250, 'x'), `${unique}a`, `${unique}A`);
      for (const k of keys) await put(k, k);
      for (const k of keys) assert.equal(await text(k), k);
      assert.equal(await store.delete(`${unique}%`), true);
      assert.equal(await text(`${unique}_`), `${unique}_`);
    },

    async 'races: of many who create, one does'({ store, key, text, later }: Subject) {
      const k = key();
      const names = Array.from({ length: concurrency }, (_, i) => `writer ${i}`);
      const results = await Promise.all(names.map(async (name) => store.write(k, utf8(name), later, undefined)));
      const winners = names.filter((_, i) => results[i] === 'written');
      assert.equal(winners.length, 1);
      assert.equal(await text(k), winners[0]);
      for (const result of results) if (result !== 'written') assert.equal(textOf(conflictOf(result)), winners[0]);
    },

    async 'races: of many who update the same, one does'({ store, key, put, text, later }: Subject) {
      const k = key();
      await put(k, 'one');
      const names = Array.from({ length: concurrency }, (_, i) => `writer ${i}`);
      const results = await Promise.all(names.map(async (name) => store.write(k, utf8(name), later, utf8('one'))));
      const winners = names.filter((_, i) => results[i] === 'written');
      assert.equal(winners.length, 1);
      assert.equal(await text(k), winners[0]);
    },

    async 'races: no increment is lost'({ store, key, put, text, later }: Subject) {
      const k = key();
      await put(k, '0');
      await Promise.all(Array.from({ length: concurrency }, () => increment(store, k, later)));
      assert.equal(await text(k), String(concurrency));
    },

    async 'races: neither an update nor a touch undoes a deletion'({ store, key, put, text, later }: Subject) {
      for (let round = 0; round < 20; round++) {
        const k = key();
        await put(k, 'one');
        const steps = [
          async () => store.write(k, utf8('two'), later, utf8('one')),
          async () => store.touch(k, later + LONG),
          async () => store.delete(k),
          async () => store.touch(k, later + LONG),
          async () => store.write(k, utf8('three'), later, utf8('two')),
        ];
        await Promise.all([...steps.slice(round % steps.length), ...steps].map((step) => step()));
        assert.equal(await text(k), undefined);
      }
    },

    async 'races: records do not disturb each other'({ store, key, put, text, later }: Subject) {
      const keys = Array.from({ length: concurrency }, key);
      await Promise.all(keys.map((k) => put(k, `${k} one`)));
      await Promise.all(keys.map(async (k) => store.write(k, utf8(`${k} two`), later, utf8(`${k} one`))));
      assert.deepEqual(
        await Promise.all(keys.map(text)),
        keys.map((k) => `${k} two`),
      );
    },

    async 'sweep: deletes what has expired, no more than asked for, and nothing else'(subject: Subject) {
      const { store, key, put, text, soon, pass, later } = subject;
      if (!store.sweep) return;
      const [expired, live] = [Array.from({ length: 10 }, key), Array.from({ length: 5 }, key)];
      const deadline = soon();
      for (const k of live) await put(k, 'one');
      for (const k of expired) await put(k, 'one', deadline);
      assert.equal(await store.sweep(0), 0);
      await pass(deadline);
      let deleted = 0;
      for (let round = 0; round < 100 && deleted < expired.length; round++) {
        const now = await store.sweep(3);
        assert.ok(now <= 3);
        deleted += now;
      }
      assert.ok(deleted >= expired.length);
      for (const k of live) assert.equal(await text(k), 'one');
      for (const k of expired) assert.equal(await store.touch(k, later), false);
    },

    async 'synchronous: a store that says so answers directly'({ store, key, later }: Subject) {
      if (!store.synchronous) return;
      const k = key();
      for (const answer of [
        store.read(k),
        store.write(k, utf8('one'), later, undefined),
        store.write(k, utf8('two'), later, utf8('one')),
        store.write(k, utf8('two'), later, utf8('one')),
        store.touch(k, later),
        store.read(k),
        store.delete(k),
      ]) {
        assert.notEqual(typeof (answer as { then?: unknown } | undefined)?.then, 'function');
      }
    },

    async 'close: can be called twice'({ store, key, put }: Subject) {
      await put(key(), 'one');
      await store.close?.();
      await store.close?.();
    },
  } satisfies Record<string, (subject: Subject) => Promise<void>>;
}

/** As the engine does it: what a conflict shows is tried next. */
async function increment(store: SessionStore, key: string, expiresAt: number): Promise<void> {
  let current = await store.read(key);
  for (;;) {
    assert.ok(current);
    const result = await store.write(key, utf8(String(Number(textOf(current)) + 1)), expiresAt, current.bytes);
    if (result === 'written') return;
    current = conflictOf(result);
  }
}

function conflictOf(result: WriteResult): StoredRecord {
  assert.ok(typeof result === 'object', `expected a conflict, got ${String(result)}`);
  return result.conflict;
}

/** A store may keep less than the time asked for, by less than what it can tell; never more. */
function assertDeadline(record: StoredRecord | undefined, expiresAt: number, granularity: number): void {
  assert.ok(record);
  const short = expiresAt - record.expiresAt;
  assert.ok(short >= 0 && short < granularity, `the deadline is ${short} ms too early`);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textOf(record: StoredRecord | undefined): string | undefined {
  return record && new TextDecoder().decode(record.bytes);
}

/** Without what a subclass (`Buffer`) would add to the comparison. */
function plain(record: StoredRecord | undefined): Uint8Array | undefined {
  return record && new Uint8Array(record.bytes);
}
