// biome-ignore-all lint/suspicious/noExplicitAny: what a test's handler does is of no type
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { msgpack } from '../../../src/codecs/msgpack.ts';
import { SessionExchange } from '../../../src/core/exchange.ts';
import { createSessionInterface, type SessionOptions } from '../../../src/core/options.ts';
import { MemoryStore } from '../../../src/stores/memory.ts';
import { Visitor } from '../../../src/testing/visitor.ts';

function later(memory = new MemoryStore(), ms = 4): any {
  const wait = () => pause(ms);
  return {
    name: 'later',
    read: (...a: any[]) => wait().then(() => (memory as any).read(...a)),
    write: (...a: any[]) => wait().then(() => (memory as any).write(...a)),
    touch: (...a: any[]) => wait().then(() => (memory as any).touch(...a)),
    delete: (...a: any[]) => wait().then(() => (memory as any).delete(...a)),
  };
}
async function signedIn(options: SessionOptions, data: any = { a: 1 }) {
  const v = new Visitor(createSessionInterface(options));
  await v.visit((s) => void s.assign(data));
  return v;
}
const inc = (s: any) => s.update('n', (n: any) => (n ?? 0) + 1);

describe('while a save is in flight, and in other tight corners', () => {
  it('update counted twice: update, save in flight, update, conflict', async () => {
    const v = await signedIn({ store: later() });
    await v.visit(async (s) => {
      inc(s);
      const p = s.save();
      inc(s);
      await p;
      await v.twin().visit((t) => void t.set('other', 1));
    });
    expect((await v.visit((s) => s.get('n'))).value).toBe(2);
  });
  it('nested change during in-flight save with a conflict on another key', async () => {
    const v = await signedIn({ store: later() }, { cart: [0] });
    await v.visit(async (s) => {
      const cart = s.get<number[]>('cart')!;
      await v.twin().visit((t) => void t.set('other', 1));
      s.set('x', 1);
      const p = s.save();
      cart.push(1);
      await p;
    });
    expect((await v.visit((s) => s.get('cart'))).value).toEqual([0, 1]);
  });
  it('in-place then update, conflict', async () => {
    const v = await signedIn({ store: new MemoryStore() }, { cart: [0] });
    await v.twin().visit(async (s) => {
      s.get<number[]>('cart')!.push(1);
      s.update<number[]>('cart', (c) => [...(c ?? []), 2]);
      await v.twin().visit((t) => void t.set('other', 1));
    });
    expect((await v.visit((s) => s.get('cart'))).value).toEqual([0, 1, 2]);
  });
  it('regenerate while a save is in flight', async () => {
    const store = later();
    const v = await signedIn({ store }, { user: 'ann' });
    const old = v.twin();
    await v.visit(async (s) => {
      s.set('x', 1);
      const p = s.save();
      s.regenerate();
      await p;
    });
    const r = [(await v.visit((s) => s.get('user'))).value, (await old.visit((s) => s.get('user'))).value];
    expect(r).toEqual(['ann', undefined]);
  });
  it('destroy while a save is in flight', async () => {
    const memory = new MemoryStore();
    const v = await signedIn({ store: later(memory) }, { user: 'ann' });
    const old = v.twin();
    const { effects, value } = await v.visit(async (s) => {
      s.set('x', 1);
      const p = s.save();
      s.destroy();
      await p;
      return s.get('user');
    });
    expect(value).toBeUndefined();
    expect((await old.visit((s) => s.get('user'))).value).toBeUndefined();
    expect(effects.setCookie).toMatch(/Max-Age=0/);
  });
  it('destroy of a new session while its first save is in flight: orphan record', async () => {
    const memory = new MemoryStore();
    const v = new Visitor(createSessionInterface({ store: later(memory) }));
    await v.visit(async (s) => {
      s.set('x', 1);
      const p = s.save();
      s.destroy();
      await p;
    });
    expect(memory.size).toBe(0);
  });
  it('destroy, flash while a save is in flight', async () => {
    const v = await signedIn({ store: later() }, { user: 'ann' });
    await v.visit(async (s) => {
      s.set('x', 1);
      const p = s.save();
      s.destroy();
      s.flash('bye');
      await p;
    });
    expect((await v.visit((s) => [s.get('user'), s.takeFlashes()])).value).toEqual([undefined, [['message', 'bye']]]);
  });
  it('exchange: set between start of save() and its end is saved', async () => {
    const v = await signedIn({ store: later() });
    const ex = new SessionExchange(v.sessions, { cookie: `session=${v.cookie}`, secure: true });
    await ex.open();
    ex.session.set('b', 1);
    const p = ex.save();
    ex.session.set('after', 1);
    await p;
    await pause(30);
    expect((await v.visit((s) => s.get('after'))).value).toBe(1);
  });
  it('exchange: destroy between start of save() and its end; finish() too', async () => {
    const v = await signedIn({ store: later() }, { user: 'ann' });
    const ex = new SessionExchange(v.sessions, { cookie: `session=${v.cookie}`, secure: true });
    await ex.open();
    ex.session.set('b', 1);
    const p = ex.save();
    ex.session.destroy();
    await p;
    await ex.finish();
    await pause(30);
    expect((await v.visit((s) => s.get('user'))).value).toBe(undefined);
  });
  it('secure, absoluteTimeout false: cookie is renewed while used', async () => {
    let now = 1.7e12;
    const v = new Visitor(
      createSessionInterface({
        store: new MemoryStore({ now: () => now }),
        absoluteTimeout: false,
        idleTimeout: 100,
        now: () => now,
      }),
    );
    const first = await v.visit((s) => void s.set('a', 1));
    const exp = Date.parse(/Expires=([^;]+)/.exec(first.effects.setCookie!)![1]!);
    let last = exp;
    for (let i = 0; i < 5; i++) {
      now += 60_000;
      const r = await v.visit((s) => s.get('a'));
      expect(r.value).toBe(1);
      const m = /Expires=([^;]+)/.exec(r.effects.setCookie ?? '');
      if (m) last = Date.parse(m[1]!);
    }
    expect(last).toBeGreaterThan(now);
  });
  it('secure: permanent set on an existing session changes the cookie (remember me)', async () => {
    const v = new Visitor(createSessionInterface({ store: new MemoryStore(), permanent: false }));
    await v.visit((s) => void s.set('cart', 1));
    const r = await v.visit((s) => {
      s.permanent = true;
    });
    expect(r.effects.setCookie).toMatch(/Expires=/);
  });
  it('logout in flight over a regenerate', async () => {
    const v = await signedIn({ store: new MemoryStore() }, { user: 'ann' });
    await v.twin().visit(async (s) => {
      s.get('user');
      await v.visit((t) => void t.regenerate());
      s.destroy();
    });
    expect((await v.visit((s) => s.get('user'))).value).toBeUndefined();
  });
  it('parallel request over destroy + new session does not clear the new cookie', async () => {
    const v = await signedIn({ store: new MemoryStore() }, { cart: 1 });
    const { effects } = await v.twin().visit(async (s) => {
      s.set('late', 1);
      await v.visit((t) => {
        t.destroy();
        t.set('user', 'ann');
      });
    });
    expect(effects.setCookie).toBeUndefined();
  });
  it('hostile records never throw', async () => {
    const mk = (o: any) =>
      msgpack.write(undefined, { cleared: false, entries: new Map(Object.entries(o)), moved: new Set() });
    const out: string[] = [];
    for (const data of [
      { a: 1, _created: { toString: 1 } },
      { a: 1, _flashes: [[{ toString: 1 }, 'x']] },
      { a: 1, _flashes: [['m', { toString: 1 }]] },
      { a: 1, _permanent: { valueOf: 1 } },
      { a: 1, _created: Infinity },
      { a: 1, _created: 1e300 },
      { a: 1, _created: -1e300 },
      { a: 1, _created: '9999999999999' },
    ]) {
      const store = new MemoryStore();
      const i: any = createSessionInterface({ store });
      const sid = 'A'.repeat(43);
      store.write(i.storeKey(sid), mk(data), Date.now() + 1e6, undefined);
      const v = new Visitor(i, sid);
      try {
        await v.visit((s) => {
          s.get('a');
          s.takeFlashes();
          void s.createdAt;
          s.set('b', 1);
        });
      } catch (e: any) {
        out.push(`${JSON.stringify(data)} ${e}`);
      }
    }
    expect(out).toEqual([]);
  });
  it('absolute timeout for records without _created', async () => {
    let now = 1.7e12;
    const store = new MemoryStore({ now: () => now });
    const o = { store, now: () => now, idleTimeout: 100 };
    const v = new Visitor(createSessionInterface({ ...o, absoluteTimeout: false }));
    await v.visit((s) => void s.set('a', 1));
    const w = new Visitor(createSessionInterface({ ...o, absoluteTimeout: 300 }), v.cookie);
    let n = 0;
    for (let i = 0; i < 20; i++) {
      now += 80_000;
      if (
        (
          await w.visit((s) => {
            s.set('i', i);
            return s.get('a');
          })
        ).value === 1
      )
        n++;
    }
    expect(n).toBeLessThan(8);
  });
  it('touch failing under null-session policy', async () => {
    let now = 1.7e12;
    const store: any = later(new MemoryStore({ now: () => now }));
    const v = await signedIn({ store, onStoreError: 'null-session', now: () => now });
    now += 10 * 3600_000;
    store.touch = () => Promise.reject(new Error('READONLY replica'));
    expect((await v.visit((s) => s.get('a'))).value).toBe(1);
  });
  it('create conflict adopts another visitor', async () => {
    const store = new MemoryStore();
    const i: any = createSessionInterface({ store });
    i.generateSid = () => 'weak-weak-weak';
    const a = new Visitor(i);
    await a.visit((s) => void s.set('user', 'ann'));
    const b = new Visitor(i);
    await b.visit((s) => void s.set('theme', 'dark')).catch(() => {});
    expect((await b.visit((s) => s.get('user'))).value).toBeUndefined();
  });
  it('parallel load() of a lazy session', async () => {
    const store = later();
    let reads = 0;
    const read = store.read;
    store.read = (...a: any[]) => {
      reads++;
      return read(...a);
    };
    const v = await signedIn({ store, lazy: true });
    reads = 0;
    await v.visit(async (s) => {
      await Promise.all([s.load(), s.load(), s.load()]);
    });
    expect(reads).toBe(1);
  });
  it('parallel load() with one branch saving', async () => {
    const store = later();
    let n = 0;
    const read = store.read;
    store.read = async (...a: any[]) => {
      if (n++ === 1) await pause(40);
      return read(...a);
    };
    const v = new Visitor(createSessionInterface({ store, lazy: true }), 'B'.repeat(43));
    await v.visit(async (s) => {
      await Promise.all([
        s.load().then(async () => {
          s.set('user', 'ann');
          await s.save();
        }),
        s.load().then(async () => {
          s.set('theme', 'dark');
        }),
      ]);
    });
    n = 5;
    expect((await v.visit(async (s) => (await s.load()).toJSON())).value).toMatchObject({ user: 'ann', theme: 'dark' });
  });
  it('async an onEvent that rejects is nobody’s problem', async () => {
    const seen: any[] = [];
    const h = (e: any) => seen.push(e);
    process.on('unhandledRejection', h);
    const v = new Visitor(
      createSessionInterface({
        store: new MemoryStore(),
        onEvent: async () => {
          throw new Error('log down');
        },
      }),
    );
    await v.visit((s) => void s.set('a', 1));
    await pause(10);
    process.off('unhandledRejection', h);
    expect(seen).toEqual([]);
  });
  it('JSON record with a broken untouched value, then a write', async () => {
    const out: string[] = [];
    for (const text of [
      '{"a":1,"b":"\\ud800"}',
      '{"a":1,"b":[1e999]}',
      '{"a":1,"b":{"c":"\x01"}}',
      `{"a":1,"b":${'['.repeat(600)}${']'.repeat(600)}}`,
      '{"a":1,"b":nul}',
      '{"a":1,"b":123456789012345678901234567890123}',
      '{"a":1,"b":[1,}',
      '{"a":1,"b":{"x":01}}',
      '{"a":1,"b":[01]}',
      '{"a":1,"b":["\\x"]}',
    ]) {
      const store = new MemoryStore();
      const i: any = createSessionInterface({ store });
      const sid = 'A'.repeat(43);
      store.write(i.storeKey(sid), new TextEncoder().encode(text), Date.now() + 1e6, undefined);
      const v = new Visitor(i, sid);
      try {
        await v.visit((s) => {
          s.get('a');
          s.set('c', 1);
        });
      } catch (e: any) {
        out.push(`${text.slice(0, 40)} ${e.code} ${e.message}`);
      }
    }
    expect(out).toEqual([]);
  });
  it('msgpack with a broken untouched value, JSON/pickle codec', async () => {
    const out: string[] = [];
    for (const format of ['json', 'pickle', 'msgpack'] as const)
      for (const hex of [
        '82a16101a162a1ff',
        '82a16101a162c7010505',
        '82a16101a16291a1ff',
        '82a16101a16281ff01',
        '82a16101a162d6ffffffffff',
        '82a16101a162cfffffffffffffffff',
        '82a16101a162cb7ff8000000000000',
        '82a16101a162c40100',
      ]) {
        const store = new MemoryStore();
        const i: any = createSessionInterface({ store, format });
        const sid = 'A'.repeat(43);
        store.write(i.storeKey(sid), Uint8Array.from(Buffer.from(hex, 'hex')), Date.now() + 1e6, undefined);
        const v = new Visitor(i, sid);
        try {
          await v.visit((s) => {
            s.get('a');
            s.set('c', 1);
          });
        } catch (e: any) {
          out.push(`${format} ${hex} ${e.code} ${e.message}`);
        }
      }
    expect(out).toEqual([]);
  });
  it('cookie: { httpOnly: undefined } keeps the default', async () => {
    const v = new Visitor(
      createSessionInterface({ store: new MemoryStore(), cookie: { httpOnly: undefined, sameSite: undefined } }),
    );
    expect((await v.visit((s) => void s.set('a', 1))).effects.setCookie).toMatch(/HttpOnly/);
  });
  it('cookie: { maxAge } is refused', () => {
    expect(() => createSessionInterface({ store: new MemoryStore(), cookie: { maxAge: 1000 } as any })).toThrow();
  });
  it('reload after gone, then a write', async () => {
    const v = await signedIn({ store: new MemoryStore() }, { user: 'ann' });
    const w = v.twin();
    await w.visit(async (s) => {
      s.set('x', 1);
      await v.visit((t) => t.destroy());
      await s.save();
      await s.reload();
      s.set('fresh', 1);
    });
    expect((await w.visit((s) => s.get('fresh'))).value).toBe(1);
  });
  it('a saved regenerate survives a reload', async () => {
    const v = await signedIn({ store: later() }, { user: 'ann' });
    await v.visit(async (s) => {
      s.regenerate();
      await s.save();
      await s.reload();
      s.set('y', 1);
    });
    expect((await v.visit((s) => [s.get('user'), s.get('y')])).value).toEqual(['ann', 1]);
  });
  it('update whose value is NaN/undefined on conflict', async () => {
    const v = await signedIn({ store: new MemoryStore() }, { n: 1, b: 1 });
    await v.twin().visit(async (s) => {
      s.update<any>('n', (n) => (n === 1 ? undefined : n));
      await v.twin().visit((t) => void t.set('n', 5));
    });
    expect((await v.visit((s) => s.get('n'))).value).toBe(5);
  });
  it('clear + set against conflict', async () => {
    const v = await signedIn({ store: new MemoryStore() }, { a: 1 });
    await v.twin().visit(async (s) => {
      s.clear();
      s.set('z', 1);
      await v.twin().visit((t) => void t.set('b', 5));
    });
    expect((await v.visit((s) => s.toJSON())).value).toEqual({ _permanent: true, z: 1 });
  });
  it('set, save, change in place, conflict', async () => {
    const v = await signedIn({ store: later() }, { a: 1 });
    await v.visit(async (s) => {
      const list: number[] = [1];
      s.set('list', list);
      await s.save();
      list.push(2);
      await v.twin().visit((t) => void t.set('b', 5));
    });
    expect((await v.visit((s) => s.get('list'))).value).toEqual([1, 2]);
  });
  it('held list after save, conflict during second save', async () => {
    const v = await signedIn({ store: later() }, { a: 1, list: [0] });
    await v.visit(async (s) => {
      const list = s.get<number[]>('list')!;
      await v.twin().visit((t) => void t.set('b', 5));
      s.set('c', 1);
      await s.save();
      list.push(1);
    });
    expect((await v.visit((s) => s.get('list'))).value).toEqual([0, 1]);
  });
});
