/** A store that fails logs nobody out: the request fails, or goes on read-only, as with our own store. */
import { afterAll, describe, expect, test } from 'vitest';
import { closeSites } from './apps.ts';
import { dataOf, Stage } from './stage.ts';

afterAll(closeSites);

const ADA = { passport: { user: 'ada' } };
const down = () => {
  throw new Error('the connection was lost: sess:secret');
};

describe('the old store', () => {
  test('fails: so does the request, and the next one that gets through is signed in', async () => {
    const stage = new Stage();
    const ada = await stage.ada();
    stage.former.before.get = down;
    const answer = await ada.get('/me');
    expect([answer.status, answer.text]).toEqual([500, 'ERR_SESSION_STORE']);
    expect(answer.setCookies).toEqual([]);
    expect(stage.events.all).toMatchObject([
      { type: 'store-error', error: { store: 'express-session store', operation: 'read', code: 'ERR_SESSION_STORE' } },
    ]);
    expect(String((stage.events.all[0] as { error: Error }).error.message)).not.toContain('secret');
    stage.former.before = {};
    expect(dataOf(await ada.get('/me'))).toEqual(ADA);
  });

  test('never answers: within the deadline the request fails', async () => {
    const stage = new Stage({ storeTimeout: 0.05 });
    const ada = await stage.ada();
    stage.former.before.get = () => new Promise(() => {});
    const answer = await ada.get('/me');
    expect([answer.status, answer.text]).toEqual([500, 'ERR_SESSION_STORE_TIMEOUT']);
    expect(ada.cookies.has('connect.sid')).toBe(true);
  });

  test('fails under the policy to go on: an empty session that cannot be written to, and no cookie', async () => {
    const stage = new Stage({ onStoreError: 'null-session' });
    const ada = await stage.ada();
    stage.former.before.get = down;
    const answer = await ada.get('/me');
    expect(dataOf(answer)).toEqual({});
    expect(answer.setCookies).toEqual([]);
    expect((await ada.get('/put/a/b')).text).toBe('ERR_SESSION_READ_ONLY');
    stage.former.before = {};
    expect(dataOf(await ada.get('/me'))).toEqual(ADA);
  });

  test('does not delete the record: the visitor notices nothing, and it is not moved again', async () => {
    const stage = new Stage();
    const ada = await stage.ada();
    const old = ada.copy();
    stage.former.before.destroy = down;
    expect(dataOf(await ada.get('/put/colour/mauve').then(() => ada.get('/me')))).toEqual({ ...ADA, colour: 'mauve' });
    expect(stage.events.types).toEqual(['migrated', 'store-error']);
    expect(stage.former.size).toBe(1);
    expect(dataOf(await old.get('/me'))).toEqual({ ...ADA, colour: 'mauve' });
    expect(stage.events.count('migrated')).toBe(1);
    await ada.get('/logout');
    expect(dataOf(await old.copy().get('/me'))).toEqual({});
  });

  test('does not delete the record at a sign-out: that fails, visibly, ends nothing, and works the next time', async () => {
    const stage = new Stage();
    const ada = await stage.ada();
    stage.former.before.destroy = down;
    const answer = await ada.get('/logout');
    expect([answer.status, answer.text]).toEqual([500, 'ERR_SESSION_STORE']);
    expect(ada.cookies.has('connect.sid')).toBe(true);
    stage.former.before = {};
    const thief = ada.copy();
    expect(dataOf(await ada.copy().get('/me'))).toEqual(ADA);
    await ada.get('/logout');
    expect(stage.former.size).toBe(0);
    expect(dataOf(await thief.get('/me'))).toEqual({});
  });

  test('is not needed for visitors who have our cookie, or none', async () => {
    const stage = new Stage();
    const ada = await stage.ada();
    await ada.get('/me');
    stage.former.before.get = down;
    stage.former.before.destroy = down;
    expect(dataOf(await ada.get('/me'))).toEqual(ADA);
    expect((await ada.get('/logout')).status).toBe(200);
    const site = await stage.flacon();
    expect((await site.visitor().get('/put/a/b')).status).toBe(200);
    expect(stage.former.calls).toEqual(['get', 'destroy']);
  });

  test('that reports an error by itself does not end the process', async () => {
    const stage = new Stage();
    const ada = await stage.ada();
    expect(() => stage.former.emit('error', new Error('lost'))).not.toThrow();
    expect(dataOf(await ada.get('/me'))).toEqual(ADA);
  });
});

describe('our store', () => {
  test.each(['read', 'write'] as const)('fails to %s: the old session is left as it was', async (verb) => {
    const stage = new Stage();
    const ada = await stage.ada();
    const works = stage.store[verb];
    stage.store[verb] = down;
    const answer = await ada.get('/me');
    expect([answer.status, answer.text]).toEqual([500, 'ERR_SESSION_STORE']);
    expect(answer.setCookies).toEqual([]);
    expect(stage.former.size).toBe(1);
    stage.store[verb] = works as never;
    expect(dataOf(await ada.get('/me'))).toEqual(ADA);
  });
});
