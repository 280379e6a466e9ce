/** What one visitor does on both sides in turn, over every store: whatever one application wrote, the other goes on from. */
import { expect, test } from 'vitest';
import type { Notation } from '../vectors/notation.ts';
import { canonical } from '../vectors/notation.ts';
import type { Kind } from './crossing.ts';
import { attributes, otherSide, SIDES, type Side, type Sides, Visitor } from './sides.ts';
import { SAMPLES } from './values.ts';

/** @param sides asked for in the tests, when both are running */
export function backAndForth(kind: Kind, sides: () => Sides): void {
  const inCookie = kind === 'cookie';

  test('every type of Python: shown alike, and left alone by our writes', async () => {
    const ada = new Visitor(sides());
    for (const { name, value, refusedBy } of SAMPLES) {
      const { status } = await ada.post('flask', `/set-typed?key=${encodeURIComponent(name)}`, value);
      expect([name, status]).toEqual([name, refusedBy?.includes(kind) ? 500 : 200]);
    }
    const before = await ada.typed();
    expect(before.size).toBeGreaterThan(SAMPLES.length - 10);
    expect(await ada.data('ours')).toEqual(await ada.data('flask'));

    await ada.post('ours', '/set?key=written', { 'by us': [1, 'x'] });
    await ada.post('ours', '/flash', 'seen');
    expect((await ada.get('ours', '/flashes')).json).toEqual({ flashes: [['message', 'seen']] });
    const after = await ada.typed();
    expect(canonical(after.get('written'))).toEqual(['dict', [['by us', ['list', [['int', '1'], 'x']]]]]);
    after.delete('written');
    for (const [key, value] of before) expect([key, canonical(after.get(key))]).toEqual([key, canonical(value)]);
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
  });

  test('what a visitor sends is the same value wherever it arrives', async () => {
    const [ada, bob] = [new Visitor(sides()), new Visitor(sides())];
    for (const [i, body] of BODIES.entries()) {
      await ada.post('flask', `/set?key=k${i}`, body);
      await bob.post('ours', `/set?key=k${i}`, body);
    }
    const [python, node] = [await ada.typed(), await bob.typed()];
    for (const i of BODIES.keys()) expect(canonical(node.get(`k${i}`))).toEqual(canonical(python.get(`k${i}`)));
    expect(await bob.data('flask')).toEqual(await ada.data('ours'));
  });

  test('set, change and delete, in turn', async () => {
    const ada = new Visitor(sides());
    const expected: Record<string, unknown> = {};
    for (let round = 0; round < 6; round++) {
      for (const side of SIDES) {
        await ada.post(side, `/set?key=${side}`, { round, items: [round] });
        expected[side] = { round, items: [round] };
        await ada.post(side, '/update', { shared: `${side} ${round}`, [`r${round}`]: side });
        Object.assign(expected, { shared: `${side} ${round}`, [`r${round}`]: side });
        expect((await ada.post(side, '/increment?key=count')).json).toEqual({
          value: 2 * round + SIDES.indexOf(side) + 1,
        });
        expected.count = 2 * round + SIDES.indexOf(side) + 1;
        for (const reader of SIDES) expect(await ada.data(reader)).toEqual(expected);
      }
      const by = SIDES[round % 2] as Side;
      expect((await ada.post(by, `/delete?key=r${round}`)).json).toEqual({ deleted: true });
      expect((await ada.post(otherSide(by), `/delete?key=r${round}`)).json).toEqual({ deleted: false });
      delete expected[`r${round}`];
    }
    expect((await ada.post('flask', '/pop?key=ours')).json).toEqual({ value: expected.ours });
    expect((await ada.post('ours', '/pop?key=flask')).json).toEqual({ value: expected.flask });
    expect((await ada.post('flask', '/setdefault?key=shared', 1)).json).toEqual({ value: expected.shared });
    expect((await ada.post('ours', '/setdefault?key=other', [1])).json).toEqual({ value: [1] });
    expect(await ada.data('flask')).toEqual({ shared: expected.shared, count: 12, other: [1] });
  });

  test('lists grow in place on both sides', async () => {
    const ada = new Visitor(sides());
    await ada.post('ours', '/set?key=nested', []);
    const grown: number[] = [];
    for (let round = 0; round < 4; round++) {
      const side = SIDES[round % 2] as Side;
      grown.push(round);
      expect((await ada.post(side, '/nested?mark=true')).json).toEqual({ ok: true, nested: grown });
    }
    // Without the mark ours still notices.
    expect((await ada.post('ours', '/nested')).json).toEqual({ ok: true, nested: [...grown, 4] });
    expect(await ada.data('flask')).toEqual({ nested: [...grown, 4] });
  });

  test('flash messages of both, taken once, by either', async () => {
    const ada = new Visitor(sides());
    for (const taker of SIDES) {
      const flashes: [string, string][] = [];
      for (const side of ['flask', 'ours', 'flask'] as const) {
        await ada.post(side, `/flash?category=${side}`, `from ${side} for ${taker}`);
        flashes.push([side, `from ${side} for ${taker}`]);
      }
      expect((await ada.get(taker, '/flashes')).json).toEqual({ flashes });
      for (const side of SIDES) expect((await ada.get(side, '/flashes')).json).toEqual({ flashes: [] });
    }
    await ada.post('ours', '/flash', { nested: ['message'] });
    expect((await ada.get('flask', '/flashes')).json).toEqual({ flashes: [['message', { nested: ['message'] }]] });
  });

  test('what was written before an error, an abort, a redirect', async () => {
    const expected = { written_before_error: true, written_before_abort: true, redirected: true };
    for (const side of SIDES) {
      const ada = new Visitor(sides());
      expect((await ada.get(side, '/error')).status).toBe(500);
      expect((await ada.get(side, '/abort?code=404')).status).toBe(404);
      expect((await ada.get(side, '/redirect')).status).toBe(302);
      expect(await ada.data(otherSide(side))).toEqual(expected);
    }
  });

  test('permanent, and the cookie that goes with it', async () => {
    const ada = new Visitor(sides());
    await ada.post('flask', '/set?key=a', 1);
    for (const value of [true, false, true]) {
      for (const side of SIDES) {
        const [cookie] = (await ada.post(side, `/permanent?value=${value}`)).setCookies;
        expect(cookie?.includes('; Expires='), `${side} ${value}`).toBe(value);
        const other = await ada.post(otherSide(side), '/set?key=a', 2);
        expect(attributes(other.setCookies[0]), `${side} ${value}`).toBe(attributes(cookie));
        const session = (await ada.get(otherSide(side), '/all')).json.session;
        expect(session).toEqual({ a: 2, _permanent: value });
      }
    }
  });

  test('a new id on one side is the only one on the other', async () => {
    const ada = new Visitor(sides());
    await ada.post('flask', '/set?key=a', [1, { b: 'c' }]);
    for (const side of ['ours', 'flask', 'ours'] as const) {
      const former = ada.copy();
      expect((await ada.post(side, '/regenerate')).json).toEqual({ regenerated: !inCookie });
      for (const reader of SIDES) expect(await ada.data(reader)).toEqual({ a: [1, { b: 'c' }] });
      if (inCookie) continue;
      expect(ada.cookie).not.toBe(former.cookie);
      for (const reader of SIDES) expect(await former.data(reader)).toEqual({});
    }
  });

  test.each(SIDES)('a logout by %s is one for both', async (side) => {
    for (const path of ['/destroy', '/clear']) {
      const ada = new Visitor(sides());
      await ada.post(otherSide(side), '/set?key=a', 1);
      await ada.post(side, '/set?key=b', 2);
      const thief = ada.copy();
      const { setCookies } = await ada.post(side, path);
      expect(setCookies[0]).toContain('; Max-Age=0');
      expect(ada.cookie).toBeUndefined();
      for (const reader of SIDES) expect(await ada.data(reader)).toEqual({});
      // Flask's own cookie works on, as it says (S-COOKIE-REPLAY).
      for (const reader of SIDES) expect(await thief.data(reader)).toEqual(inCookie ? { a: 1, b: 2 } : {});
      await ada.post(otherSide(side), '/set?key=new', 3);
      expect(await ada.data(side)).toEqual({ new: 3 });
    }
  });
}

const BODIES: readonly Notation[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53 - 1,
  'naïve 😀 \u2028 "q" \\ \n',
  '',
  [],
  {},
  [1, [2.5, ['x']], null],
  { z: 1, a: { '10': [], '9': {} }, '': null, é: 'ü' },
];
