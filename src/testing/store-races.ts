/** Many at once, and what a store may have besides the four verbs. */
import assert from 'node:assert/strict';
import type { SessionStore } from '../core/store.ts';
import { conflictOf, LONG, type StoreCases, textOf, utf8 } from './store-subject.ts';

export const races: StoreCases = {
  async 'races: of many who create, one does'({ store, key, text, later, concurrency }) {
    const k = key();
    const names = Array.from({ length: concurrency }, (_, i) => `writer ${i}`);
    const results = await Promise.all(names.map(async (name) => store.write(k, utf8(name), later, undefined)));
    const winners = names.filter((_, i) => results[i] === 'written');
    assert.equal(winners.length, 1);
    assert.equal(await text(k), winners[0]);
    for (const result of results) if (result !== 'written') assert.equal(textOf(conflictOf(result)), winners[0]);
  },

  async 'races: of many who update the same, one does'({ store, key, put, text, later, concurrency }) {
    const k = key();
    await put(k, 'one');
    const names = Array.from({ length: concurrency }, (_, i) => `writer ${i}`);
    const results = await Promise.all(names.map(async (name) => store.write(k, utf8(name), later, utf8('one'))));
    const winners = names.filter((_, i) => results[i] === 'written');
    assert.equal(winners.length, 1);
    assert.equal(await text(k), winners[0]);
  },

  async 'races: no increment is lost'({ store, key, put, text, later, concurrency }) {
    const k = key();
    await put(k, '0');
    await Promise.all(Array.from({ length: concurrency }, () => increment(store, k, later)));
    assert.equal(await text(k), String(concurrency));
  },

  async 'races: neither an update nor a touch undoes a deletion'({ store, key, put, text, later }) {
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

  async 'races: records do not disturb each other'({ store, key, put, text, later, concurrency }) {
    const keys = Array.from({ length: concurrency }, key);
    await Promise.all(keys.map((k) => put(k, `${k} one`)));
    await Promise.all(keys.map(async (k) => store.write(k, utf8(`${k} two`), later, utf8(`${k} one`))));
    assert.deepEqual(
      await Promise.all(keys.map(text)),
      keys.map((k) => `${k} two`),
    );
  },

  async 'sweep: deletes what has expired, no more than asked for, and nothing else'(subject) {
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

  async 'synchronous: a store that says so answers directly'({ store, key, later }) {
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

  async 'close: can be called twice'({ store, key, put }) {
    await put(key(), 'one');
    await store.close?.();
    await store.close?.();
  },
};

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
