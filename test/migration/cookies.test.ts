/** Which cookies are believed, what comes out of them, and what they cost. */
import { createHmac } from 'node:crypto';
import { msgpack } from 'flacon/codecs/msgpack';
import { fromExpressSession } from 'flacon/connect';
import { flaskConfig } from 'flacon/flask';
import { afterAll, describe, expect, test } from 'vitest';
import { takeOverMessages } from '../../src/connect/connect-flash.ts';
import { SessionState } from '../../src/core/state.ts';
import { expectAtMost } from '../relative-time.ts';
import { closeSites, flaconApp, serve } from './apps.ts';
import { dataOf, SECRET, SeenMemory, Stage } from './stage.ts';

afterAll(closeSites);

const ADA = { passport: { user: 'ada' } };
const DATA = { a: 'the data of a session', cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: '/' } };

function signed(id: string, secret = SECRET): string {
  return `s:${id}.${createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '')}`;
}

describe('not resumed, and not looked up', () => {
  const good = signed('an-id-that-exists');
  test.each<[string, string]>([
    ['signed with another secret', encodeURIComponent(signed('an-id-that-exists', 'another'))],
    ['another id under the signature', encodeURIComponent(good.replace('an-id', 'An-id'))],
    ['a letter of the signature changed', encodeURIComponent(good.slice(0, -1) + (good.endsWith('A') ? 'B' : 'A'))],
    ['the signature cut', encodeURIComponent(good.slice(0, -1))],
    ['the signature padded', encodeURIComponent(`${good}=`)],
    ['the signature in the other alphabet', encodeURIComponent(`${good.replaceAll('+', '-').replaceAll('/', '_')}_`)],
    ['no signature', 's%3Aan-id-that-exists'],
    ['an empty signature', 's%3Aan-id-that-exists.'],
    ['an empty id', encodeURIComponent(signed(''))],
    ['not marked as signed', encodeURIComponent(good.slice(2))],
    ['marked with a capital', encodeURIComponent(good.replace('s:', 'S:'))],
    ['encoded twice', encodeURIComponent(encodeURIComponent(good))],
    ['badly encoded', `%E0%A4%A${encodeURIComponent(good)}`],
    ['NUL behind the id', encodeURIComponent(good.replace('.', '\0.'))],
    ['NUL at the end', `${encodeURIComponent(good)}%00`],
    ['a path', encodeURIComponent('s:../../etc/passwd.x')],
    ['8 KB', encodeURIComponent(signed('x'.repeat(8000)))],
    ['8 KB of dots', `s%3A${'.'.repeat(8000)}`],
    ['8 KB of percent signs', '%'.repeat(8000)],
    ['a bad one before a good one', `nonsense; connect.sid=${encodeURIComponent(good)}`],
  ])('%s', async (_, cookie) => {
    const stage = new Stage();
    stage.former.set('an-id-that-exists', DATA as never);
    const site = await stage.flacon();
    const visitor = site.visitor();
    visitor.cookies.set('connect.sid', cookie);
    const answer = await visitor.get('/me');
    expect(dataOf(answer)).toEqual({});
    expect(answer.setCookies).toEqual([]);
    expect(stage.former.calls).toEqual([]);
    expect(stage.events.all).toEqual([{ type: 'not-resumed', reason: 'bad-signature', from: 'express-session' }]);
    expect(stage.store.keys.size).toBe(0);
    // It is no obstacle to a session of ours.
    await visitor.get('/put/colour/mauve');
    expect(dataOf(await visitor.get('/me'))).toEqual({ colour: 'mauve' });
  });
});

test.each<[string, string]>([
  ['as it is sent', encodeURIComponent(signed('an-id-that-exists'))],
  ['encoded no more than necessary', signed('an-id-that-exists')],
  [
    'with every character encoded',
    signed('an-id-that-exists').replace(/./g, (c) => `%${c.charCodeAt(0).toString(16)}`),
  ],
  ['before another one', `${encodeURIComponent(signed('an-id-that-exists'))}; connect.sid=nonsense`],
])('resumed: %s', async (_, cookie) => {
  const stage = new Stage();
  stage.former.set('an-id-that-exists', DATA as never);
  const visitor = (await stage.flacon()).visitor();
  visitor.cookies.set('connect.sid', cookie);
  expect(dataOf(await visitor.get('/me'))).toEqual({ a: DATA.a });
});

test('ids of any kind that the application signed', async () => {
  for (const id of ['a.b.c', 's:x', 'user/7:ü☃', 'x'.repeat(1000)]) {
    const stage = new Stage();
    stage.former.set(id, DATA as never);
    const visitor = (await stage.flacon()).visitor();
    visitor.cookies.set('connect.sid', encodeURIComponent(signed(id)));
    expect(dataOf(await visitor.get('/me'))).toEqual({ a: DATA.a });
    expect(visitor.cookies.get('session')).toMatch(/^[\w-]{43}$/);
  }
});

test('a well signed id that the old store does not know', async () => {
  const stage = new Stage();
  const ada = await stage.ada();
  stage.former.clear();
  expect(dataOf(await ada.get('/me'))).toEqual({});
  expect(stage.events.all).toEqual([{ type: 'not-resumed', reason: 'unknown-id', from: 'express-session' }]);
  expect(ada.cookies.has('connect.sid')).toBe(true);
});

test('secrets rotate: all of them verify', async () => {
  const stage = new Stage({}, { secret: ['newest', 'newer', SECRET] });
  const ada = await stage.ada();
  expect(dataOf(await ada.get('/me'))).toEqual(ADA);
});

test('name, path and domain of the cookie that is cleared', async () => {
  const cookie = { path: '/shop', domain: 'example.org', secure: true, sameSite: 'none', maxAge: 5 };
  const stage = new Stage({}, { name: 'shop.sid', cookie });
  stage.former.set('an-id-that-exists', DATA as never);
  const visitor = (await stage.flacon()).visitor();
  visitor.cookies.set('shop.sid', encodeURIComponent(signed('an-id-that-exists')));
  const { setCookies } = await visitor.get('/me');
  expect(setCookies[1]).toBe(
    'shop.sid=; Domain=example.org; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Secure; HttpOnly; Path=/shop; SameSite=None',
  );
});

describe('what a request costs', () => {
  test('with our cookie, or with none: nothing of the old store, and no more of ours', async () => {
    const stage = new Stage();
    const ada = await stage.ada();
    await ada.get('/me');
    stage.former.calls.length = 0;
    stage.calls.length = 0;
    await ada.get('/me');
    expect(stage.calls).toEqual(['read']);
    await ada.get('/unused');
    await (await stage.flacon()).visitor().get('/me');
    expect(stage.calls).toEqual(['read']);
    expect(stage.former.calls).toEqual([]);
  });

  test('a request that does not use its session sends no cookie; the next one that does finds it moved', async () => {
    const stage = new Stage();
    const ada = await stage.ada();
    const answer = await ada.get('/unused');
    expect(answer.setCookies).toEqual([]);
    expect(answer.headers.get('cache-control')).toBeNull();
    expect(stage.former.size).toBe(1);
    await ada.get('/unused');
    expect(dataOf(await ada.get('/me'))).toEqual(ADA);
    expect(ada.cookies.has('session')).toBe(true);
    expect(stage.former.size).toBe(0);
    expect(stage.former.calls).toEqual(['get', 'destroy']);
    expect(stage.events.types).toEqual(['migrated']);
  });

  test('a session with nothing in it is not moved', async () => {
    const stage = new Stage();
    const before = await stage.expressSession({ saveUninitialized: true });
    const visitor = before.visitor();
    await visitor.get('/unused');
    expect(stage.former.size).toBe(1);
    const here = visitor.copy((await stage.flacon()).url);
    const answer = await here.get('/me');
    expect(dataOf(answer)).toEqual({});
    expect(answer.setCookies).toEqual([]);
    expect(stage.store.keys.size).toBe(0);
    expect(stage.events.all).toEqual([]);
  });
});

describe('what is taken over', () => {
  async function moved(record: unknown, stage = new Stage()) {
    stage.former.set('an-id-that-exists', record as never);
    const visitor = (await stage.flacon()).visitor();
    visitor.cookies.set('connect.sid', encodeURIComponent(signed('an-id-that-exists')));
    return { stage, visitor, answer: await visitor.get('/me') };
  }

  test.each(['msgpack', 'json', 'pickle'] as const)('into records of the format %s', async (format) => {
    const stage = new Stage({ format });
    const ada = await stage.ada();
    const lost = ada.copy();
    await ada.get('/put/age/9');
    expect(dataOf(await ada.get('/me'))).toEqual({ ...ADA, age: '9' });
    expect(dataOf(await lost.get('/me'))).toEqual({ ...ADA, age: '9' });
  });

  test('into records that are shared with Flask', async () => {
    const stage = new Stage();
    const store = new SeenMemory(true, []);
    const ours = { ...flaskConfig({ SESSION_TYPE: 'memory', SESSION_USE_SIGNER: true, SECRET_KEY: 'a key' }), store };
    const site = await serve(flaconApp(fromExpressSession(ours, { secret: SECRET, store: stage.former })));
    const ada = await stage.ada(site);
    expect(dataOf(await ada.get('/me'))).toEqual(ADA);
    // Flask-Session's signer: the id, a dot, the signature.
    const sid = ada.cookies.get('session')?.split('.')[0];
    const record = store.read(`session:${sid}`) as { bytes: Uint8Array };
    expect(
      Object.fromEntries(
        msgpack
          .open(record.bytes)
          .keys()
          .map((key) => [key, msgpack.open(record.bytes).get(key)]),
      ),
    ).toEqual(ADA);
    expect(dataOf(await ada.get('/me'))).toEqual(ADA);
  });

  test('every kind of value that JSON has, under any name', async () => {
    const data = JSON.parse(
      '{"constructor": {"prototype": 2}, "toString": "3", "get": 4, "size": 5, "": 6,' +
        '"n": null, "t": true, "f": 1.5, "big": 1e300, "neg": -7, "list": [1, [2, {"x": []}]], "ü☃😀": "ü☃😀", "flash": {"info": [1]}}',
    );
    const { answer } = await moved({ ...DATA, ...data });
    expect(JSON.parse(answer.text)).toEqual({ a: DATA.a, ...data });
    expect(answer.text).toContain('"get":4');
  });

  test('a prototype is a name like any other', async () => {
    const { answer } = await moved(
      JSON.parse('{"cookie": {"originalMaxAge": null}, "x": 1, "__proto__": {"polluted": 1}}'),
    );
    expect(answer.text).toContain('"__proto__":{"polluted":1}');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test("connect-flash's messages", async () => {
    const { visitor } = await moved({ ...DATA, flash: { info: ['one', 'two'], error: ['three'] } });
    expect(dataOf(await visitor.get('/messages'))).toEqual([
      ['info', 'one'],
      ['info', 'two'],
      ['error', 'three'],
    ]);
    expect(dataOf(await visitor.get('/me'))).toEqual({ a: DATA.a });
  });

  test("many of connect-flash's messages take no more time than they are", () => {
    const taking = (count: number) => () => {
      const state = new SessionState();
      state.set('flash', { error: Array.from({ length: count }, (_, i) => `message ${i}`) });
      takeOverMessages(state);
      return state;
    };
    expect(taking(3)().get('_flashes')).toHaveLength(3);
    expectAtMost(80, taking(20_000), taking(1000));
  });

  test('text that was cut in the middle of a character', async () => {
    const { answer } = await moved({ ...DATA, cut: '😀'.slice(0, 1), whole: '😀' });
    expect(dataOf(answer)).toEqual({ a: DATA.a, cut: '\ufffd', whole: '😀' });
  });

  test.each([
    ['null', null, false],
    ['a number', 60_000, true],
  ])('whether it outlives the browser: originalMaxAge %s', async (_, originalMaxAge, permanent) => {
    const expires = originalMaxAge === null ? null : new Date(Date.now() + originalMaxAge);
    const { visitor, answer } = await moved({ ...DATA, cookie: { originalMaxAge, expires } });
    expect(dataOf(await visitor.get('/sid'))).toMatchObject({ permanent, isNew: false });
    expect(/; Expires=/.test(answer.setCookies[0] as string)).toBe(permanent);
  });

  test.each<[string, unknown]>([
    ['no cookie in it', { a: 1 }],
    ['a cookie that is none', { a: 1, cookie: 'yes' }],
    ['a list', [{ cookie: {} }]],
  ])('not a session: %s', async (_, record) => {
    const stage = new Stage();
    // express-session's own store would fail over it.
    stage.former.get = ((_sid: string, callback: (error: unknown, session: unknown) => void) =>
      callback(null, record)) as never;
    const { answer } = await moved(DATA, stage);
    expect(dataOf(answer)).toEqual({});
    expect(stage.events.types).toEqual(['not-resumed undecodable']);
  });
});
