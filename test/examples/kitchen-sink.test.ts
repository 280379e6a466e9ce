/** The real program, over HTTP: every route, in every framework, on every store, in both profiles. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SinkVisitor } from './sink-visitor.ts';
import { NotStarted, type Started, start } from './started.ts';

const SECRET_KEY = 'a secret of the kitchen sink, long enough';

const FRAMEWORKS = ['elysia', 'express', 'fastify', 'fetch', 'h3', 'hono', 'koa', 'nest', 'node'];
// In the cookie, in a store that answers at once, in one that answers late.
const TYPES = ['null', 'sqlite', 'filesystem'];
const APPLICATIONS = FRAMEWORKS.flatMap((framework) =>
  [...TYPES, ...(framework === 'express' ? ['memory'] : [])].flatMap((type) =>
    ['flask', 'secure'].map((profile) => ({ framework, type, profile })),
  ),
);

describe.each(APPLICATIONS)('$framework, $type, $profile', ({ framework, type, profile }) => {
  const inCookie = type === 'null';
  const inFlask = profile === 'flask';
  let sink: Started;
  const visitor = (cookie?: string) => new SinkVisitor(sink.url, cookie);

  beforeAll(async () => {
    sink = await start('kitchen-sink/main.ts', {
      FRAMEWORK: framework,
      PROFILE: profile,
      SESSION_TYPE: type,
      SECRET_KEY,
    });
  });
  afterAll(async () => {
    if (sink) expect(await sink.stop()).toBe(0);
  });

  test('set, get, delete', async () => {
    const ada = visitor();
    expect((await ada.get('/get?key=a')).json).toEqual({ key: 'a', present: false, value: null });
    expect((await ada.post('/set?key=a', { b: [1, 'x', null, true] })).json).toEqual({ ok: true });
    expect((await ada.get('/get?key=a')).json).toEqual({ key: 'a', present: true, value: { b: [1, 'x', null, true] } });
    expect((await ada.post('/set?key=n', null)).json).toEqual({ ok: true });
    expect((await ada.get('/get?key=n')).json).toEqual({ key: 'n', present: true, value: null });
    expect((await ada.post('/delete?key=a')).json).toEqual({ deleted: true });
    expect((await ada.post('/delete?key=a')).json).toEqual({ deleted: false });
    expect(await ada.data()).toEqual({ n: null });
  });

  test('pop, setdefault, update, clear', async () => {
    const ada = visitor();
    expect((await ada.post('/update', { a: 1, __proto__: 2, b: { c: 3 } })).json).toEqual({ ok: true });
    expect((await ada.post('/setdefault?key=a', 9)).json).toEqual({ value: 1 });
    expect((await ada.post('/setdefault?key=d', [9])).json).toEqual({ value: [9] });
    expect((await ada.post('/pop?key=a')).json).toEqual({ value: 1 });
    expect((await ada.post('/pop?key=a')).json).toEqual({ value: null });
    expect(await ada.data()).toEqual({ b: { c: 3 }, d: [9] });
    expect((await ada.post('/clear')).json).toEqual({ ok: true });
    expect(ada.cookie).toBeUndefined();
    expect(await ada.data()).toEqual({});
  });

  test('integers of any size and whole floats stay what they are', async () => {
    const ada = visitor();
    const body = '{"int":9007199254740993,"float":1.0,"list":[2.0,2],"zero":-0.0}';
    await ada.send('/set?key=n', { method: 'POST', body });
    const { text } = await ada.get('/get?key=n');
    expect(text).toContain('"int":9007199254740993');
    expect(text).toContain('"zero":-0.0');
    if (!inCookie || !inFlask) return;
    const payload = Buffer.from((ada.cookie as string).split('.')[0] as string, 'base64url').toString();
    expect(payload).toBe('{"n":{"float":1.0,"int":9007199254740993,"list":[2.0,2],"zero":-0.0}}');
  });

  test.each(['', '{', '[1,]', 'nope', "{'a':1}"])('a malformed body is refused: %j', async (body) => {
    const ada = visitor();
    const answer = await ada.send('/set?key=a', { method: 'POST', body });
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({ error: 400 });
    expect(answer.setCookies).toEqual([]);
    expect(answer.headers.get('vary')).toBeNull();
  });

  test('parameters that are missing or senseless', async () => {
    const ada = visitor();
    for (const path of ['/set', '/delete', '/permanent?value=maybe', '/slow?key=a&ms=-1', '/update', '/_raw?hex=0']) {
      expect((await ada.post(path, 1)).status, path).toBe(400);
    }
    for (const path of ['/get', '/abort?code=99']) expect((await ada.get(path)).status, path).toBe(400);
    expect(await ada.data()).toEqual({});
  });

  test('permanent', async () => {
    const ada = visitor();
    await ada.post('/set?key=a', 1);
    const [temporary] = (await ada.post('/permanent?value=false')).setCookies;
    if (inFlask) expect(temporary).not.toContain('Expires');
    const { json, setCookies } = await ada.post('/permanent?value=true');
    expect(json).toEqual({ permanent: true });
    if (inFlask || inCookie) expect(setCookies[0]).toContain('; Expires=');
    expect((await ada.get('/all')).json.session).toEqual({ a: 1, _permanent: true });
  });

  test('regenerate moves the data to a new id', async () => {
    const ada = visitor();
    expect((await ada.post('/regenerate')).json).toEqual({ regenerated: false });
    await ada.post('/set?key=a', 1);
    const before = ada.copy();
    const { sid } = (await ada.get('/sid')).json;
    expect((await ada.post('/regenerate')).json).toEqual({ regenerated: !inCookie });
    expect(await ada.data()).toEqual({ a: 1 });
    if (inCookie) {
      expect(sid).toBeNull();
    } else {
      expect((await ada.get('/sid')).json.sid).not.toBe(sid);
      expect(await before.data()).toEqual({});
    }
  });

  test('changes inside of a value are kept (S-NESTED)', async () => {
    const ada = visitor();
    expect((await ada.post('/nested')).json).toEqual({ ok: false });
    await ada.post('/set?key=nested', []);
    expect((await ada.post('/nested')).json).toEqual({ ok: true, nested: [0] });
    expect((await ada.post('/nested?mark=true')).json).toEqual({ ok: true, nested: [0, 1] });
    expect(await ada.data()).toEqual({ nested: [0, 1] });
  });

  test('flash messages are shown once', async () => {
    const ada = visitor();
    await ada.post('/flash', 'saved');
    await ada.post('/flash?category=error', 'but not sent');
    const flashes = [
      ['message', 'saved'],
      ['error', 'but not sent'],
    ];
    expect((await ada.get('/flashes')).json).toEqual({ flashes });
    expect((await ada.get('/flashes')).json).toEqual({ flashes: [] });
  });

  test('untouched sessions leave no trace in the response of a new visitor', async () => {
    const { json, setCookies, headers } = await visitor().get('/untouched');
    expect(json).toEqual({ ok: true });
    expect(setCookies).toEqual([]);
    expect(headers.get('vary')).toBeNull();
  });

  test('what was written before an error, an abort or a redirect is saved', async () => {
    const ada = visitor();
    const error = await ada.get('/error');
    expect([error.status, error.json]).toEqual([500, { error: 500 }]);
    expect(error.setCookies).toHaveLength(1);
    const abort = await ada.get('/abort?code=418');
    expect([abort.status, abort.json]).toEqual([418, { error: 418 }]);
    const redirect = await ada.get('/redirect');
    expect([redirect.status, redirect.headers.get('location')]).toEqual([302, '/all']);
    expect(await ada.data()).toEqual({ written_before_error: true, written_before_abort: true, redirected: true });
  });

  test('Vary is added to (S-VARY-STAR)', async () => {
    const ada = visitor();
    const seen = await ada.get('/vary');
    expect([seen.json, seen.headers.get('vary')]).toEqual([{ seen: false }, 'Accept-Encoding, Cookie']);
    expect((await ada.get('/vary?value=cookie')).headers.get('vary')).toBe('cookie');
    expect((await ada.get('/vary?value=*')).headers.get('vary')).toBe('*, Cookie');
  });

  test('a stream may write to a session that has a record (S-STREAM)', async () => {
    const ada = visitor();
    expect((await ada.get('/stream')).json).toEqual({ a: null, chunks: [0, 1, 2] });
    expect(await ada.data()).toEqual({});
    await ada.post('/set?key=a', 'x');
    expect((await ada.get('/stream')).json).toEqual({ a: 'x', chunks: [0, 1, 2] });
    expect(await ada.data()).toEqual(inCookie ? { a: 'x' } : { a: 'x', written_while_streaming: true });
  });

  test('parallel requests lose nothing', async () => {
    const ada = visitor();
    await ada.post('/set?key=a', 1);
    expect((await ada.post('/increment?key=n')).json).toEqual({ value: 1 });
    await ada.post('/set?key=text', 'x');
    expect((await ada.post('/increment?key=text')).status).toBe(500);
    await ada.post('/delete?key=text');
    if (inCookie) return;
    const others = Array.from({ length: 20 }, (_, i) =>
      i % 2 ? ada.copy().post('/increment?key=n') : ada.copy().post(`/slow?key=k${i}&ms=${i * 5}`, i),
    );
    for (const { status } of await Promise.all(others)) expect(status).toBe(200);
    const slow = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`k${i * 2}`, i * 2]));
    expect(await ada.data()).toEqual({ a: 1, n: 11, ...slow });
  });

  test('a session that was ended stays so', async () => {
    const ada = visitor();
    await ada.post('/set?key=a', 1);
    const slow = ada.copy();
    const writing = slow.post('/slow?key=late&ms=150', 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const thief = ada.copy();
    expect((await ada.post('/destroy')).json).toEqual({ ok: true });
    expect(ada.cookie).toBeUndefined();
    expect((await writing).status).toBe(200);
    if (inCookie) return;
    // S-STALE-WRITE: the slow request began before the end, and writes after it.
    expect(slow.cookie).toBeUndefined();
    expect(await thief.data()).toEqual({});
  });

  test('a damaged record gives a fresh session (S-CORRUPT-RECORD)', async () => {
    for (const hex of ['', 'c1', '81a161', '2e', 'ffffffffffff', '9301', '01']) {
      const ada = visitor();
      await ada.post('/set?key=a', 1);
      const { sid } = (await ada.get('/sid')).json;
      expect((await ada.post(`/_raw?hex=${hex}`)).json).toEqual({ ok: true });
      const all = await ada.get('/all');
      expect(all.status, hex).toBe(200);
      expect('a' in all.json.session, hex).toBe(inCookie);
      if (inCookie) continue;
      expect((await ada.get('/sid')).json.sid, hex).not.toBe(sid);
      await ada.post('/set?key=b', 2);
      expect(await ada.data(), hex).toEqual({ b: 2 });
    }
  });

  test('of two cookies with the name the first counts (S-DUPLICATE-FIRST)', async () => {
    const ada = visitor();
    await ada.post('/set?key=a', 1);
    const get = async (Cookie: string) => (await visitor().get('/get?key=a', { headers: { Cookie } })).json.present;
    expect(await get(`session=${ada.cookie}; session=garbage`)).toBe(true);
    expect(await get(`session=garbage; session=${ada.cookie}`)).toBe(false);
  });

  test('HEAD, OPTIONS, and what is not there', async () => {
    const ada = visitor();
    const head = await ada.send('/redirect', { method: 'HEAD' });
    expect([head.status, head.text]).toEqual([302, '']);
    expect(await ada.data()).toEqual({ redirected: true });
    const options = await ada.send('/all', { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow'), options.text]).toEqual([200, 'GET, HEAD, OPTIONS', '']);
    const missing = await ada.get('/nowhere');
    expect([missing.status, missing.json]).toEqual([404, { error: 404 }]);
    const wrong = await ada.get('/set?key=a');
    expect([wrong.status, wrong.json, wrong.headers.get('allow')]).toEqual([405, { error: 405 }, 'POST, OPTIONS']);
    const long = await ada.send('/set?key=a', { method: 'POST', body: `"${'x'.repeat(1024 * 1024)}"` });
    expect([long.status, long.json]).toEqual([413, { error: 413 }]);
  });
});

describe('starting', () => {
  test.each([
    [{ FRAMEWORK: 'gopher' }, `FRAMEWORK is "gopher"; it can be: ${FRAMEWORKS.join(', ')}`],
    [{ PROFILE: 'other' }, 'PROFILE is "other"; it can be: flask, secure'],
    [{ SESSION_TYPE: 'reddis' }, 'SESSION_TYPE: got "reddis"; expected one of null, filesystem'],
    [{ SESSION_COKIE_NAME: 'x' }, 'SESSION_COKIE_NAME: got an unknown setting; expected SESSION_COOKIE_NAME'],
    [{ SESSION_COOKIE_SAMESITE: 'bogus' }, 'SESSION_COOKIE_SAMESITE: got "bogus"'],
    [{ PROFILE: 'secure', SECRET_KEY: 'short' }, 'secretKey: got '],
  ])('is refused with a message: %j', async (env, message) => {
    const failed = start('kitchen-sink/main.ts', env);
    await expect(failed).rejects.toThrow(NotStarted);
    await expect(failed).rejects.toThrow('ended with 2');
    await expect(failed).rejects.toThrow(message);
  });

  test('without a secret sessions can be read, and written to with an error', async () => {
    const sink = await start('kitchen-sink/main.ts', { SECRET_KEY: '', SESSION_TYPE: 'none' });
    const ada = new SinkVisitor(sink.url);
    const read = await ada.get('/all');
    expect([read.json, read.headers.get('vary')]).toEqual([{ session: {} }, null]);
    const write = await ada.post('/set?key=a', 1);
    expect([write.status, write.setCookies]).toEqual([500, []]);
    expect(await sink.stop()).toBe(0);
  });

  test('by the environment: fallback keys, the cookie, lifetimes', async () => {
    const env = { SESSION_TYPE: 'null', SESSION_COOKIE_SAMESITE: 'Lax', PERMANENT_SESSION_LIFETIME: '120' };
    const old = await start('kitchen-sink/main.ts', { ...env, SECRET_KEY: '12345' });
    const ada = new SinkVisitor(old.url);
    await ada.post('/permanent?value=true');
    await old.stop();
    const next = await start('kitchen-sink/main.ts', {
      ...env,
      SECRET_KEY: 'new',
      SECRET_KEY_FALLBACKS: 'older,12345',
      APPLICATION_ROOT: '/app',
    });
    const { json, setCookies } = await new SinkVisitor(next.url, ada.cookie).get('/all');
    expect(json).toEqual({ session: { _permanent: true } });
    expect(setCookies[0]).toMatch(/; Expires=[^;]+; HttpOnly; Path=\/app; SameSite=Lax$/);
    const [, expires = ''] = /Expires=([^;]+)/.exec(setCookies[0] as string) ?? [];
    expect(Math.abs(Date.parse(expires) - Date.now() - 120_000)).toBeLessThan(10_000);
    await next.stop();
  });
});
