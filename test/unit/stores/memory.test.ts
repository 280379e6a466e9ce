import { MemoryStore } from 'flacon/stores/memory';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { SessionConfigError, SessionStoreError } from '../../../src/errors.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const NOW = 1_000_000;

function make(options: ConstructorParameters<typeof MemoryStore>[0] = {}) {
  const clock = { now: NOW };
  const store = new MemoryStore({ now: () => clock.now, ...options });
  const put = (key: string, lifetime = 1000) => store.write(key, bytes(key), clock.now + lifetime, undefined);
  const has = (key: string) => store.read(key) !== undefined;
  return { clock, store, put, has };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('bounds', () => {
  test('of those that nobody reads, the oldest goes', () => {
    const { store, put, has } = make({ maxRecords: 3 });
    for (const key of ['a', 'b', 'c', 'd', 'e']) put(key);
    expect(store.size).toBe(3);
    expect(['a', 'b', 'c', 'd', 'e'].filter(has)).toEqual(['c', 'd', 'e']);
  });

  test('what is read, written or touched outlives a flood of new records', () => {
    const { store, put, has } = make({ maxRecords: 100 });
    for (const key of ['read', 'written', 'touched', 'idle']) put(key);
    for (let n = 0; n < 1000; n++) {
      put(`flood ${n}`);
      if (n % 20 !== 0) continue;
      expect(has('read')).toBe(true);
      expect(store.write('written', bytes('written'), NOW + 1000, bytes('written'))).toBe('written');
      expect(store.touch('touched', NOW + 2000)).toBe(true);
    }
    expect(has('idle')).toBe(false);
    expect(store.size).toBe(100);
  });

  test('expired records go before live ones', () => {
    const { clock, store, put, has } = make({ maxRecords: 4 });
    put('old and live', 1000);
    put('expired', 10);
    put('live', 1000);
    clock.now += 10;
    put('new');
    put('newer');
    expect(store.size).toBe(4);
    expect(['old and live', 'live', 'new', 'newer'].every(has)).toBe(true);
  });

  test('a new record does not push out itself, however busy the others are', () => {
    const { put, has } = make({ maxRecords: 2 });
    put('a');
    put('b');
    expect(has('a') && has('b')).toBe(true);
    put('c');
    expect(has('c')).toBe(true);
    const single = make({ maxRecords: 1 });
    single.put('a');
    single.put('b');
    expect([single.has('a'), single.has('b')]).toEqual([false, true]);
  });

  test('bytes are bounded as well, and counted down again', () => {
    const { store, has } = make({ maxBytes: 1000 });
    const put = (key: string, size: number) => store.write(key, new Uint8Array(size), NOW + 1000, undefined);
    for (let n = 0; n < 10; n++) put(`k${n}`, 398);
    expect(store.size).toBe(2);
    store.delete('k8');
    store.write('k9', new Uint8Array(98), NOW + 1000, new Uint8Array(398));
    put('large', 895);
    expect([has('k9'), has('large')]).toEqual([true, true]);
    put('one more', 0);
    expect(has('k9')).toBe(false);
    expect(() => put('too large', 1000)).toThrow(SessionStoreError);
    expect(has('large')).toBe(true);
  });

  test('hundreds of thousands of visitors that never come back leave the store as small as its load', () => {
    const { clock, store, put } = make();
    let most = 0;
    for (let n = 0; n < 300_000; n++) {
      clock.now += 1;
      put(`visitor ${n}`, 1000);
      most = Math.max(most, store.size);
    }
    expect(most).toBeLessThan(2000);
  });
});

describe('sweeping', () => {
  test('an idle store is swept by a timer that keeps no process alive and ends with the last record', () => {
    vi.useFakeTimers();
    const store = new MemoryStore({ sweepInterval: 5 });
    expect(vi.getTimerCount()).toBe(0);
    for (let n = 0; n < 20_000; n++) store.write(`k${n}`, bytes('x'), Date.now() + 1000, undefined);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(5000);
    expect(store.size).toBe(10_000);
    vi.advanceTimersByTime(5000);
    expect(store.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    store.write('k', bytes('x'), Date.now() + 1000, undefined);
    expect(vi.getTimerCount()).toBe(1);
    store.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('0 switches the timer off', () => {
    vi.useFakeTimers();
    new MemoryStore({ sweepInterval: 0 }).write('k', bytes('x'), Date.now() + 1000, undefined);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('bytes', () => {
  test('a view of a larger buffer is copied, an own buffer is not', () => {
    const { store } = make();
    const pool = Buffer.alloc(8192, 'x');
    const pooled = pool.subarray(100, 103);
    store.write('pooled', pooled, NOW + 1000, undefined);
    expect(store.read('pooled')!.bytes.buffer.byteLength).toBe(3);
    pool.fill('y');
    expect(store.read('pooled')!.bytes).toEqual(bytes('xxx'));
    const own = bytes('own');
    store.write('own', own, NOW + 1000, undefined);
    expect(store.read('own')!.bytes).toBe(own);
  });

  test('touching leaves what was read before as it was', () => {
    const { store, put } = make();
    put('k', 1000);
    const before = store.read('k')!;
    store.touch('k', NOW + 5000);
    expect(before.expiresAt).toBe(NOW + 1000);
  });
});

test.each([
  ['maxRecords', { maxRecords: 0 }],
  ['maxBytes', { maxBytes: Number.NaN }],
  ['sweepInterval', { sweepInterval: -1 }],
  ['maxRecords', { maxRecords: '5' as unknown as number }],
])('%s is checked', (option, options) => {
  expect(() => new MemoryStore(options)).toThrow(SessionConfigError);
  expect(() => new MemoryStore(options)).toThrow(option);
});
