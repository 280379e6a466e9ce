/** Several requests of one visitor at the moment of the move: one session, nothing lost, nobody logged out, nothing revived. */
import { afterAll, describe, expect, test } from 'vitest';
import { closeSites } from './apps.ts';
import { dataOf, Stage } from './stage.ts';

afterAll(closeSites);

const ADA = { passport: { user: 'ada' } };

describe.each([
  ['a store that answers at once', true],
  ['a store that answers late', false],
])('on %s', (_, synchronous) => {
  test('20 first requests on two instances, each with a change of its own: one session that has them all', async () => {
    const stage = new Stage({}, {}, synchronous);
    const [one, two] = [await stage.flacon(), await stage.flacon()];
    const ada = await stage.ada(one);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => ada.copy((i % 2 ? one : two).url).get(`/put/key${i}/${i}`)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    const ids = new Set(answers.map(({ setCookies }) => setCookies[0]?.split(';')[0]));
    expect(ids.size).toBe(1);
    expect([...ids][0]).toMatch(/^session=[\w-]{43}$/);

    const late = ada.copy();
    expect(dataOf(await late.get('/me'))).toEqual({
      ...ADA,
      ...Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`key${i}`, `${i}`])),
    });
    expect(late.cookies.get('session')).toBe([...ids][0]?.split('=')[1]);
    // The session, and the note that says where it went.
    expect(stage.store.keys.size).toBe(2);
    expect(stage.former.size).toBe(0);
    expect(stage.events.types).toEqual(['migrated']);
  });

  test('a request that comes to the old record just after another one has retired it', async () => {
    const stage = new Stage({}, {}, synchronous);
    const ada = await stage.ada();
    const slow = ada.copy();
    const get = stage.former.pauseNextGet('before');
    const answer = slow.get('/put/slow/1');
    await get.reached;
    await ada.get('/put/fast/1');
    expect(stage.former.size).toBe(0);
    get.goOn();
    expect((await answer).status).toBe(200);
    expect(slow.cookies.get('session')).toBe(ada.cookies.get('session'));
    expect(dataOf(await ada.get('/me'))).toEqual({ ...ADA, fast: '1', slow: '1' });
  });

  test('a copy that was overtaken is not left behind', async () => {
    const stage = new Stage({}, {}, synchronous);
    const ada = await stage.ada();
    const slow = ada.copy();
    // It has read the old record, and does not know yet.
    const get = stage.former.pauseNextGet('after');
    const answer = slow.get('/put/slow/1');
    await get.reached;
    await ada.get('/put/fast/1');
    get.goOn();
    expect((await answer).status).toBe(200);
    expect(slow.cookies.get('session')).toBe(ada.cookies.get('session'));
    expect(dataOf(await ada.get('/me'))).toEqual({ ...ADA, fast: '1', slow: '1' });
    expect(stage.store.keys.size).toBe(2);
    expect(stage.events.count('migrated')).toBe(1);
  });

  test('signing out ends a session that another request is just moving', async () => {
    const stage = new Stage({}, {}, synchronous);
    const ada = await stage.ada();
    const slow = ada.copy();
    const get = stage.former.pauseNextGet('after');
    const answer = slow.get('/put/slow/1');
    await get.reached;
    await ada.get('/logout');
    get.goOn();
    // A session of its own, with nothing of Ada's.
    expect((await answer).status).toBe(200);
    expect(dataOf(await slow.get('/me'))).toEqual({ slow: '1' });
    expect(dataOf(await ada.get('/me'))).toEqual({});
  });

  test('so does signing out of another session that the visitor has beside it', async () => {
    const stage = new Stage({}, {}, synchronous);
    const ada = await stage.ada();
    const both = ada.copy();
    both.cookies.delete('connect.sid');
    await both.get('/put/colour/mauve');
    both.cookies.set('connect.sid', ada.cookies.get('connect.sid') as string);
    const get = stage.former.pauseNextGet('after');
    const answer = ada.get('/put/slow/1');
    await get.reached;
    await both.get('/logout');
    get.goOn();
    expect((await answer).status).toBe(200);
    expect(dataOf(await ada.get('/me'))).toEqual({ slow: '1' });
    expect(stage.events.count('migrated')).toBe(0);
  });
});
