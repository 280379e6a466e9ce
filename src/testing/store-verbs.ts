/** What the four verbs of a store answer, and when a record is there. */
import assert from 'node:assert/strict';
import { conflictOf, LONG, type StoreCases, textOf, utf8 } from './store-subject.ts';

export const verbs: StoreCases = {
  async 'a key that was never written holds nothing'({ store, key }) {
    assert.equal(await store.read(key()), undefined);
  },

  async 'create: is read back, bytes and deadline'({ store, key, later, assertDeadline }) {
    const k = key();
    assert.equal(await store.write(k, utf8('one'), later, undefined), 'written');
    const found = await store.read(k);
    assert.equal(textOf(found), 'one');
    assertDeadline(found, later);
  },

  async 'create: a record may live for ever'({ store, key }) {
    const k = key();
    assert.equal(await store.write(k, utf8('one'), Number.POSITIVE_INFINITY, undefined), 'written');
    assert.equal((await store.read(k))?.expiresAt, Number.POSITIVE_INFINITY);
  },

  async 'create: what is there is a conflict, and stays'({ store, key, put, text, later, assertDeadline }) {
    const k = key();
    await put(k, 'one', later);
    const conflict = conflictOf(await store.write(k, utf8('two'), later + LONG, undefined));
    assert.equal(textOf(conflict), 'one');
    assertDeadline(conflict, later);
    assert.equal(await text(k), 'one');
    assertDeadline(await store.read(k), later);
  },

  async 'update: replaces exactly what is expected, and the deadline'({
    store,
    key,
    put,
    text,
    later,
    assertDeadline,
  }) {
    const k = key();
    await put(k, 'one', later);
    assert.equal(await store.write(k, utf8('two'), later + LONG, utf8('one')), 'written');
    assert.equal(await text(k), 'two');
    assertDeadline(await store.read(k), later + LONG);
    assert.equal(await store.write(k, utf8('three'), later, utf8('two')), 'written');
    assertDeadline(await store.read(k), later);
  },

  async 'update: expects what read gave'({ store, key, put, text, later }) {
    const k = key();
    await put(k, 'one');
    const found = await store.read(k);
    assert.equal(await store.write(k, utf8('two'), later, found?.bytes), 'written');
    assert.equal(await text(k), 'two');
  },

  async 'update: other bytes are a conflict, and stay'({ store, key, put, text, later, assertDeadline }) {
    const k = key();
    await put(k, 'one', later);
    for (const other of ['two', 'onf', 'on', 'one1', 'One', '']) {
      const conflict = conflictOf(await store.write(k, utf8('three'), later + LONG, utf8(other)));
      assert.equal(textOf(conflict), 'one');
      assertDeadline(conflict, later);
    }
    assert.equal(await text(k), 'one');
  },

  async 'update: nothing there is gone, and stays so'({ store, key, text, later }) {
    const k = key();
    assert.equal(await store.write(k, utf8('two'), later, utf8('one')), 'gone');
    assert.equal(await store.write(k, utf8('two'), later, utf8('')), 'gone');
    assert.equal(await text(k), undefined);
  },

  async 'update: a record deleted between read and write is gone, and stays so'(subject) {
    const { store, key, put, text, later } = subject;
    const k = key();
    await put(k, 'one');
    const found = await store.read(k);
    await store.delete(k);
    assert.equal(await store.write(k, utf8('two'), later, found?.bytes), 'gone');
    assert.equal(await store.touch(k, later), false);
    assert.equal(await text(k), undefined);
  },

  async 'null: deletes what is expected'({ store, key, put, text, later }) {
    const k = key();
    await put(k, 'one');
    assert.equal(textOf(conflictOf(await store.write(k, null, later, utf8('two')))), 'one');
    assert.equal(await text(k), 'one');
    assert.equal(await store.write(k, null, later, utf8('one')), 'written');
    assert.equal(await text(k), undefined);
    assert.equal(await store.write(k, null, later, utf8('one')), 'gone');
  },

  async 'null: with nothing expected writes nothing'({ store, key, put, text, later }) {
    const [empty, full] = [key(), key()];
    assert.equal(await store.write(empty, null, later, undefined), 'written');
    assert.equal(await text(empty), undefined);
    await put(full, 'one');
    assert.equal(textOf(conflictOf(await store.write(full, null, later, undefined))), 'one');
    assert.equal(await text(full), 'one');
  },

  async 'a deadline that is over deletes what is expected'({ store, key, put, text, now }) {
    for (const ago of [0, 1, LONG]) {
      const k = key();
      assert.equal(await store.write(k, utf8('one'), now() - ago, undefined), 'written');
      assert.equal(await text(k), undefined);
      await put(k, 'one');
      assert.equal(textOf(conflictOf(await store.write(k, utf8('two'), now() - ago, utf8('x')))), 'one');
      assert.equal(await store.write(k, utf8('two'), now() - ago, utf8('one')), 'written');
      assert.equal(await text(k), undefined);
    }
  },

  async 'a record is there until its deadline, and not from it on'({
    key,
    put,
    text,
    soon,
    pass,
    isReal,
    now,
    advance,
  }) {
    const k = key();
    const deadline = soon();
    await put(k, 'one', deadline);
    if (!isReal) await advance(deadline - now() - 1);
    assert.equal(await text(k), 'one');
    await pass(deadline);
    assert.equal(await text(k), undefined);
  },

  async 'reading extends nothing'({ store, key, put, text, soon, pass, assertDeadline }) {
    const k = key();
    const deadline = soon();
    await put(k, 'one', deadline);
    for (let i = 0; i < 3; i++) assertDeadline(await store.read(k), deadline);
    await pass(deadline);
    assert.equal(await text(k), undefined);
  },

  async 'an expired record is nothing to every verb'({ store, key, put, text, soon, pass, later }) {
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

  async 'touch: moves the deadline to later'({ store, key, put, text, soon, pass, later, assertDeadline }) {
    const k = key();
    const deadline = soon();
    await put(k, 'one', deadline);
    assert.equal(await store.touch(k, later), true);
    assertDeadline(await store.read(k), later);
    await pass(deadline);
    assert.equal(await text(k), 'one');
  },

  async 'touch: moves the deadline to earlier'({ store, key, put, text, soon, pass, assertDeadline }) {
    const k = key();
    await put(k, 'one');
    const deadline = soon();
    assert.equal(await store.touch(k, deadline), true);
    assertDeadline(await store.read(k), deadline);
    await pass(deadline);
    assert.equal(await text(k), undefined);
  },

  async 'touch: to a time that is over ends the record'({ store, key, put, text, later, now, granularity }) {
    const k = key();
    await put(k, 'one');
    await store.touch(k, now() - granularity);
    assert.equal(await text(k), undefined);
    assert.equal(await store.touch(k, later), false);
  },

  async 'touch: changes no bytes, so that an update still finds what it expects'(subject) {
    const { store, key, put, text, later } = subject;
    const k = key();
    await put(k, 'one');
    await store.touch(k, later + LONG);
    assert.equal(await text(k), 'one');
    assert.equal(await store.write(k, utf8('two'), later, utf8('one')), 'written');
  },

  async 'touch: creates nothing'({ store, key, put, text, later }) {
    const [never, deleted] = [key(), key()];
    await put(deleted, 'one');
    await store.delete(deleted);
    for (const k of [never, deleted]) {
      assert.equal(await store.touch(k, later), false);
      assert.equal(await text(k), undefined);
    }
  },

  async 'delete: says whether there was something, once'({ store, key, put, text }) {
    const k = key();
    assert.equal(await store.delete(k), false);
    await put(k, 'one');
    assert.equal(await store.delete(k), true);
    assert.equal(await text(k), undefined);
    assert.equal(await store.delete(k), false);
    await put(k, 'two');
    assert.equal(await text(k), 'two');
  },
};
