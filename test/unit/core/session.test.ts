import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { msgpack } from '../../../src/codecs/msgpack.ts';
import { Float, Tuple } from '../../../src/codecs/values.ts';
import { NullSession } from '../../../src/core/null-session.ts';
import { Session } from '../../../src/core/session.ts';
import { SessionState } from '../../../src/core/state.ts';
import { SessionKeyError } from '../../../src/errors.ts';

type Loose = Session & Record<string, unknown>;
const make = (data: object = {}) => new Session(data) as Loose;
const record = (data: Record<string, unknown>) =>
  msgpack.open(msgpack.write(undefined, { cleared: false, entries: new Map(Object.entries(data)), moved: new Set() }));

describe('properties', () => {
  it('read and write the same data as the methods', () => {
    const session = make({ a: 1 });
    session.b = 2;
    expect(session.get('b')).toBe(2);
    expect([session.a, 'b' in session, 'c' in session]).toEqual([1, true, false]);
    delete session.a;
    expect(session.has('a')).toBe(false);
    expect(Object.keys(session)).toEqual(['b']);
    expect({ ...session }).toEqual({ b: 2 });
    expect(JSON.stringify(session)).toBe('{"b":2}');
    for (const key in session) expect(key).toBe('b');
  });

  it('refuse the names of members, and say what to do', () => {
    const session = make();
    for (const name of [
      'get',
      'set',
      'save',
      'sid',
      'isNew',
      'setExpiry',
      'expiresAt',
      'toString',
      '__proto__',
      'constructor',
      'then',
    ]) {
      expect(() => Object.assign(session, JSON.parse(`{"${name}":1}`)), name).toThrow(/use session\.set\('/);
      session.set(name, 1);
      expect(session.get(name)).toBe(1);
    }
    expect(Object.getPrototypeOf(session)).toBe(Session.prototype);
    expect(() => Object.setPrototypeOf(session, null)).toThrow(TypeError);
    expect(() => Object.freeze(session)).toThrow(TypeError);
    expect(() => Reflect.set(session, Symbol('x'), 1)).toThrow(/text keys/);
  });

  it('can be awaited without being used', async () => {
    const session = make({ a: 1 });
    expect(await session).toBe(session);
    expect(session.accessed).toBe(false);
  });

  it('are shown by console.log, without the id', () => {
    const session = new Session({ user: 'ann' }, { sid: () => 'very-secret-id' });
    expect(inspect(session)).toBe("Session { user: 'ann' }");
    expect(session.sid).toBe('very-secret-id');
  });
});

describe('a subclass', () => {
  class Shop extends Session {
    get total(): number {
      return this.get<number[]>('prices', []).reduce((sum, price) => sum + price, 0);
    }
  }
  it('adds members of its own', () => {
    const session = new Shop({ prices: [1, 2] });
    expect(session.total).toBe(3);
    expect(session instanceof Session).toBe(true);
  });
});

describe('operations', () => {
  const opened = (data: Record<string, unknown>) => {
    const state = new SessionState();
    state.rebase(record(data));
    return { state, session: new Session(state) as Loose };
  };
  const written = (state: SessionState) => {
    state.settle();
    const after = msgpack.open(msgpack.write(state.base, state.patch()));
    return after.keys().map((key) => [key, after.get(key)]);
  };

  it('keep Python’s order: a key set again stays, a key deleted and set again moves to the end', () => {
    const { state, session } = opened({ a: 1, b: 2, c: 3 });
    session.b = 'new';
    delete session.a;
    session.a = 'back';
    session.d = 4;
    expect(written(state)).toEqual([
      ['b', 'new'],
      ['c', 3],
      ['a', 'back'],
      ['d', 4],
    ]);
    expect([...session.keys()]).toEqual(['b', 'c', 'a', 'd']);
  });

  it('notice a change inside a value that was handed out, and only then', () => {
    const { state, session } = opened({ cart: [{ id: 1 }], other: { deep: [1.5] } });
    void session.get<{ deep: number[] }>('other')?.deep[0];
    expect(state.settle()).toBe(false);
    session.get<object[]>('cart')?.push({ id: 2 });
    expect(state.settle()).toBe(true);
    expect([...state.patch().entries.keys()]).toEqual(['cart']);
  });

  it('hand out one object for one key', () => {
    const { session } = opened({ list: [1] });
    expect(session.get('list')).toBe(session.list);
  });

  it('give plain numbers for whole floats, which stay floats when untouched or inside a changed value', () => {
    const { state, session } = opened({ price: new Float(10), cart: [new Float(1), 2] });
    expect(session.price).toBe(10);
    session.get<number[]>('cart')?.push(3);
    const after = Object.fromEntries(written(state) as [string, unknown][]);
    expect(after.price).toBeInstanceOf(Float);
    const bytes = Buffer.from(msgpack.write(state.base, state.patch())).toString('hex');
    // The array: 1.0 as a float of 64 bits, then 2 and 3 as ints.
    expect(bytes).toContain('93cb3ff00000000000000203');
  });

  it('run an update again on a fresh record, and only what was set as it is', () => {
    const { state, session } = opened({ n: 1 });
    expect(session.update<number>('n', (n) => (n ?? 0) + 1)).toBe(2);
    expect(session.update<number>('n', (n) => (n ?? 0) * 10)).toBe(20);
    session.set('m', 1);
    session.update<number>('m', (m) => (m ?? 0) + 1);
    state.rebase(record({ n: 5, m: 100, other: true }));
    expect([session.n, session.m, session.other]).toEqual([60, 2, true]);
  });

  it('refuse a promise from an update', () => {
    expect(() => make().update('n', async () => 1)).toThrow(/not with a promise/);
  });

  it('delete with an update that answers undefined', () => {
    const { state, session } = opened({ n: 1 });
    session.update<number | undefined>('n', () => undefined);
    expect(session.has('n')).toBe(false);
    expect(written(state)).toEqual([]);
  });

  it('made after a patch was taken are still there when it is committed', () => {
    const { state, session } = opened({ a: 1 });
    session.b = 2;
    const bytes = msgpack.write(state.base, state.patch());
    session.c = 3;
    session.b = 'newer';
    state.committed(() => msgpack.open(bytes));
    expect([...state.patch().entries]).toEqual([
      ['b', 'newer'],
      ['c', 3],
    ]);
    session.clear();
    const cleared = msgpack.write(state.base, state.patch());
    session.d = 4;
    state.committed(() => msgpack.open(cleared));
    expect([session.has('a'), session.d, state.patch().cleared]).toEqual([false, 4, false]);
  });

  it('on an object that was set before the commit are noticed after it', () => {
    const { state, session } = opened({});
    session.list = [1];
    const bytes = msgpack.write(state.base, state.patch());
    state.committed(() => msgpack.open(bytes));
    expect(state.settle()).toBe(false);
    (session.list as number[]).push(2);
    expect(state.settle()).toBe(true);
  });

  it('clear drops what was there and what was set', () => {
    const { state, session } = opened({ a: 1 });
    session.b = 2;
    session.clear();
    session.c = 3;
    expect(written(state)).toEqual([['c', 3]]);
    expect([session.size, session.has('a')]).toEqual([1, false]);
  });
});

describe('pop', () => {
  it('without a default fails as Python does, and says nothing of the key', () => {
    const session = new Session<{ user: string }>({ user: 'ann' });
    const user: string = session.pop('user');
    expect(user).toBe('ann');
    const error = expect.objectContaining({ code: 'ERR_SESSION_KEY', message: expect.not.stringContaining('user') });
    expect(() => session.pop('user')).toThrow(error);
    expect(() => session.pop('user')).toThrow(SessionKeyError);
  });

  it('with a default never fails, whatever the default is', () => {
    const session = new Session<{ user: string }>();
    const user: string | undefined = session.pop('user', undefined);
    const other: string | undefined = session.pop<string>('other', undefined);
    expect([user, other, session.pop('user', null), session.pop('user', 0)]).toEqual([undefined, undefined, null, 0]);
    expect(session.modified).toBe(false);
  });
});

describe('flash messages', () => {
  it('are (category, message) tuples under `_flashes`, as Flask keeps them', () => {
    const session = make();
    session.flash('hello');
    session.flash('oh', 'error');
    const stored = session.get<unknown[]>('_flashes') ?? [];
    expect(stored.every((entry) => entry instanceof Tuple)).toBe(true);
    expect(stored).toEqual(
      [
        ['message', 'hello'],
        ['error', 'oh'],
      ].map((pair) => Tuple.from(pair)),
    );
  });

  it('of any other shape are no messages, and no error', () => {
    for (const stored of ['text', [1, ['a'], ['a', 'b', 'c']], { a: 1 }, null]) {
      expect(make({ _flashes: stored }).takeFlashes()).toEqual([]);
    }
  });
});

describe('the null session', () => {
  it('reads as empty and says why writing is refused', () => {
    const session = new NullSession('no secret key was set') as Session as Loose;
    expect([session.get('a'), session.size, session.isNew, 'a' in session]).toEqual([undefined, 0, false, false]);
    for (const write of [
      () => session.set('a', 1),
      () => session.clear(),
      () => session.flash('x'),
      () => Object.assign(session, { a: 1 }),
    ]) {
      expect(write).toThrow(
        expect.objectContaining({ code: 'ERR_SESSION_READ_ONLY', message: 'no secret key was set' }),
      );
    }
    for (const write of [
      () => session.pop('a', 'none'),
      () => session.pop('a'),
      () => session.setExpiry(60),
      () => session.setExpiry(null),
      () => session.assign({}),
      () => session.setDefault('a', 1),
      () => session.destroy(),
    ]) {
      expect(write).toThrow(expect.objectContaining({ code: 'ERR_SESSION_READ_ONLY' }));
    }
  });
});
