/** What the gateways share: turns at a key, names of keys, envelopes, and sweeping. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StoredRecord } from '../../../src/core/store.ts';
import { SessionStoreError } from '../../../src/errors.ts';
import { seal, unseal } from '../../../src/stores/gateway/envelope.ts';
import { GatewayStore } from '../../../src/stores/gateway/gateway-store.ts';
import { KeyLanes } from '../../../src/stores/gateway/key-lanes.ts';
import { safeName } from '../../../src/stores/gateway/safe-name.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const tick = () => new Promise((resolve) => setImmediate(resolve));
const limit = { patience: 60_000, late: () => new Error('late') };

/** A step that goes on when it is told to. */
function step(log: string[], name: string) {
  let end = (): void => {};
  const held = new Promise<void>((resolve) => {
    end = resolve;
  });
  const run = async (): Promise<string> => {
    log.push(`${name} begins`);
    await held;
    log.push(`${name} ends`);
    return name;
  };
  return { run, end };
}

describe('turns at a key', () => {
  test('changes come one after the other, in the order of asking; reads run beside each other', async () => {
    const lanes = new KeyLanes();
    const log: string[] = [];
    const names = ['read 1', 'read 2', 'change 1', 'read 3', 'change 2'];
    const steps = names.map((name) => step(log, name));
    const results = steps.map(({ run }, n) =>
      names[n]!.startsWith('read') ? lanes.read('k', run, limit) : lanes.change('k', run, limit),
    );
    await tick();
    expect(log).toEqual(['read 1 begins', 'read 2 begins']);
    for (const { end } of steps.toReversed()) {
      end();
      await tick();
    }
    expect(await Promise.all(results)).toEqual(names);
    expect(log.slice(2).filter((entry) => entry.startsWith('change') || entry.includes('3'))).toEqual([
      'change 1 begins',
      'change 1 ends',
      'read 3 begins',
      'read 3 ends',
      'change 2 begins',
      'change 2 ends',
    ]);
    await tick();
    expect(lanes.size).toBe(0);
  });

  test('other keys do not wait', async () => {
    const lanes = new KeyLanes();
    const first = step([], 'first');
    const held = lanes.change('a', first.run, limit);
    expect(await lanes.change('b', async () => 'second', limit)).toBe('second');
    first.end();
    await held;
  });

  test('a step that fails fails alone', async () => {
    const lanes = new KeyLanes();
    const failure = lanes.change('k', () => Promise.reject(new Error('no')), limit);
    const next = lanes.change('k', async () => 'next', limit);
    await expect(failure).rejects.toThrow('no');
    expect(await next).toBe('next');
    await tick();
    expect(lanes.size).toBe(0);
  });

  test('a step that throws at once fails too', async () => {
    const lanes = new KeyLanes();
    const thrown = lanes.change(
      'k',
      () => {
        throw new Error('at once');
      },
      limit,
    );
    await expect(thrown).rejects.toThrow('at once');
    expect(await lanes.read('k', async () => 'next', limit)).toBe('next');
  });

  test('an answer that never comes, to a change or to a read, does not close the key', async () => {
    const lanes = new KeyLanes();
    const short = { ...limit, patience: 10 };
    const never = () => new Promise<never>(() => {});
    await expect(lanes.change('k', never, short)).rejects.toThrow('late');
    await expect(lanes.read('k', never, short)).rejects.toThrow('late');
    expect(await lanes.change('k', async (turn) => turn.over, short)).toBe(false);
  });
});

describe('names of keys', () => {
  test('the keys of the engine can still be recognised', () => {
    expect(safeName('session:k2MBIRR_z-2ngW')).toBe('session.3ak2MBIRR_z-2ngW');
    expect(safeName('session:k2MBIRR_z-2ngW', { keepColons: true })).toBe('session:k2MBIRR_z-2ngW');
  });

  test('hostile ones are harmless', () => {
    for (const keepColons of [false, true]) {
      for (const key of [
        '../../etc/passwd',
        '..',
        '.',
        '/',
        '\\',
        'a?b',
        'a::b',
        ':a',
        'a:',
        '*',
        '%00',
        '\0',
        'é',
        '',
      ]) {
        const name = safeName(key, { keepColons });
        expect(name).toMatch(keepColons ? /^([\w-]|\.[0-9a-f]{2}|:(?=.))*$/ : /^([\w-]|\.[0-9a-f]{2})*$/);
        expect(name).not.toMatch(/^:|:$|::|\.\.|^\.$/);
      }
    }
  });

  test('two keys never have the same name, and none is too long for a file', () => {
    const part = fc.constantFrom('a', ':', '.', '.3a', '/', 'long.-', 'é', '\0', 'x'.repeat(120));
    const key = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(key, key, fc.boolean(), (one, other, keepColons) => {
        const names = [one, other].map((text) => safeName(text, { keepColons }));
        for (const name of names) expect(name.length).toBeLessThanOrEqual(230);
        expect(names[0] === names[1]).toBe(one === other);
      }),
    );
  });
});

describe('envelopes', () => {
  test('keep every byte and the deadline, through JSON', () => {
    for (const expiresAt of [1, 1_900_000_000_250, Number.POSITIVE_INFINITY]) {
      const record = { bytes: Uint8Array.from({ length: 256 }, (_, i) => i), expiresAt };
      const opened = unseal(JSON.parse(JSON.stringify(seal(record))));
      expect(new Uint8Array(opened!.bytes)).toEqual(record.bytes);
      expect(opened!.expiresAt).toBe(expiresAt);
    }
  });

  test('a part of a larger buffer is sealed as that part', () => {
    expect(seal({ bytes: bytes('one two').subarray(4), expiresAt: 1 }).flacon).toBe(btoa('two'));
  });

  test('anything else is none of ours', () => {
    const others = [
      undefined,
      null,
      1,
      'text',
      [],
      {},
      { flacon: 1, expiresAt: 1 },
      { flacon: 'YQ==' },
      { expiresAt: 1 },
    ];
    for (const other of [...others, { flacon: 'YQ==', expiresAt: '1' }]) expect(unseal(other)).toBeUndefined();
  });
});

/** A place in memory whose answers can be held up. */
class Place extends GatewayStore {
  readonly name = 'place';
  readonly held = { load: undefined as Promise<void> | undefined };
  readonly #items: Map<string, StoredRecord>;
  saved = 0;

  constructor(items: Map<string, StoredRecord>, options: { now?: () => number; patience?: number } = {}) {
    super(items, options);
    this.#items = items;
  }
  protected async load(name: string): Promise<StoredRecord | undefined> {
    const found = this.#items.get(name);
    await (this.held.load ?? tick());
    return found;
  }
  protected async save(name: string, record: StoredRecord): Promise<void> {
    this.saved++;
    await tick();
    this.#items.set(name, record);
  }
  protected async remove(name: string): Promise<void> {
    await tick();
    this.#items.delete(name);
  }
  sweep(limit: number): Promise<number> {
    const items = this.#items;
    return this.sweepAmong(limit, async function* () {
      yield* [...items.keys()];
    });
  }
}

describe('a gateway', () => {
  const later = () => Date.now() + 60_000;

  test('two stores over one place take turns, too', async () => {
    const items = new Map<string, StoredRecord>();
    const stores = [new Place(items), new Place(items)];
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, n) => stores[n % 2]!.write('k', bytes(String(n)), later(), undefined)),
    );
    expect(results.filter((result) => result === 'written')).toHaveLength(1);
  });

  test('a change whose look came too late leaves the key alone, and says so', async () => {
    const store = new Place(new Map(), { patience: 20 });
    let answer = (): void => {};
    store.held.load = new Promise((resolve) => {
      answer = resolve;
    });
    const late = store.write('k', bytes('late'), later(), undefined).catch((error: unknown) => error);
    expect(await late).toBeInstanceOf(SessionStoreError);
    expect(((await late) as SessionStoreError).code).toBe('ERR_SESSION_STORE_TIMEOUT');
    store.held.load = undefined;
    expect(await store.write('k', bytes('next'), later(), undefined)).toBe('written');
    answer();
    await tick();
    await tick();
    expect(store.saved).toBe(1);
    expect(new TextDecoder().decode((await store.read('k'))!.bytes)).toBe('next');
  });

  test('sweeping looks at a part of a large place, and goes on from there', async () => {
    let time = 1000;
    const items = new Map<string, StoredRecord>();
    for (let n = 0; n < 2500; n++) items.set(`k${n}`, { bytes: bytes('x'), expiresAt: n < 2400 ? 5000 : 1500 });
    const store = new Place(items, { now: () => time });
    time = 2000;
    expect(await store.sweep(50)).toBe(0);
    expect(await store.sweep(50)).toBe(0);
    expect(await store.sweep(50)).toBe(50);
    expect(await store.sweep(500)).toBe(50);
    expect(items.size).toBe(2400);
    expect(await store.sweep(0)).toBe(0);
  });

  test('sweeping begins anew after a failure', async () => {
    const items = new Map([['k', { bytes: bytes('x'), expiresAt: 1 }]]);
    const store = new Place(items);
    store.held.load = Promise.reject(new Error('out'));
    await expect(store.sweep(5)).rejects.toThrow('out');
    store.held.load = undefined;
    expect(await store.sweep(5)).toBe(0);
    expect(await store.sweep(5)).toBe(1);
  });
});
