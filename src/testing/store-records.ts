/** What records and keys a store has to keep apart, and give back as they were. */
import assert from 'node:assert/strict';
import type { StoredRecord } from '../core/store.ts';
import { conflictOf, LONG, type StoreCases, textOf, utf8 } from './store-subject.ts';

export const records: StoreCases = {
  async 'records: none is too short'({ store, key, later }) {
    const k = key();
    assert.equal(await store.write(k, new Uint8Array(0), later, undefined), 'written');
    assert.deepEqual(plain(await store.read(k)), new Uint8Array(0));
    assert.equal(conflictOf(await store.write(k, utf8('one'), later, undefined)).bytes.length, 0);
    assert.equal(await store.write(k, utf8('one'), later, new Uint8Array(0)), 'written');
    assert.equal(await store.write(k, new Uint8Array(0), later, utf8('one')), 'written');
    assert.deepEqual(plain(await store.read(k)), new Uint8Array(0));
  },

  async 'records: every byte, wherever it stands'({ store, key, later }) {
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

  async 'records: large ones, compared to the last byte'({ store, key, later, maxRecord }) {
    const k = key();
    const record = new Uint8Array(maxRecord).map((_, i) => (i * 31) & 0xff);
    const other = record.slice();
    other[other.length - 1]! ^= 1;
    assert.equal(await store.write(k, record, later, undefined), 'written');
    assert.ok(Buffer.from(plain(await store.read(k))!).equals(record));
    conflictOf(await store.write(k, record, later, other));
    assert.equal(await store.write(k, other, later, record.slice()), 'written');
    assert.ok(Buffer.from(plain(await store.read(k))!).equals(other));
  },

  async 'records: a part of a larger buffer is stored as that part'({ store, key, text, later }) {
    const k = key();
    const around = utf8('before one two after');
    assert.equal(await store.write(k, around.subarray(7, 10), later, undefined), 'written');
    assert.equal(await text(k), 'one');
    assert.equal(await store.write(k, around.subarray(11, 14), later, around.subarray(7, 10)), 'written');
    assert.equal(await text(k), 'two');
  },

  async 'records: what was read stays as it was, whatever is written later'(subject) {
    const { store, key, put, later, assertDeadline } = subject;
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
    assertDeadline(first, later);
    assertDeadline(second, later + LONG);
  },

  async 'keys: all visible ASCII, up to 250 bytes'({ store, put, text, key }) {
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
};

/** Without what a subclass (`Buffer`) would add to the comparison. */
function plain(record: StoredRecord | undefined): Uint8Array | undefined {
  return record && new Uint8Array(record.bytes);
}
