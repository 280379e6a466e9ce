/** The settings that decide about the cookie and the key, alike on both sides: keys that rotate, signed ids, names, lifetimes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { available, temporaryFolder } from '../servers/process.ts';
import { type Python, startPython } from './python.ts';
import { attributes, otherSide, type Settings, SIDES, type Sides, startSides, Visitor } from './sides.ts';

const python = await available(startPython);
const why = python.server?.reason?.replace(/[()]/g, '');
const skipped = python.note || (why ? ` (skipped: ${why})` : '');
const noFlaskSession = python.missing || python.server.flaskSession === undefined;

/** A pair of applications for the tests of a `describe`. */
function pair(settings: () => Settings): () => Sides {
  let sides: Sides;
  beforeAll(async () => {
    sides = await startSides(python.server as Python, settings());
  });
  afterAll(() => sides?.stop());
  return () => sides;
}

describe.skipIf(python.missing)(`the signed cookie${python.note}`, () => {
  const [OLDEST, OLD, NEW] = ['the oldest key: clé 🔑', 'a key that was replaced', 'the key that signs now'];
  const oldest = pair(() => ({ SECRET_KEY: OLDEST }));
  const old = pair(() => ({ SECRET_KEY: OLD }));
  const rotated = pair(() => ({ SECRET_KEY: NEW, SECRET_KEY_FALLBACKS: `${OLDEST},${OLD}` }));
  const fresh = pair(() => ({ SECRET_KEY: NEW }));

  // Flask before 3.1 has no former keys.
  test.skipIf(noFlaskSession).each(SIDES)(
    `of former keys, signed by %s, is taken over on the other side${skipped}`,
    async (side) => {
      for (const former of [oldest, old]) {
        const ada = new Visitor(former());
        await ada.post(side, '/flash', 'a tuple');
        const before = new Visitor(rotated(), ada.cookie);
        for (const reader of SIDES) {
          const { json, setCookies } = await before.get(reader, '/all');
          expect(Object.keys(json.session)).toEqual(['_flashes']);
          // Only a change signs it again, as in Flask.
          expect(setCookies).toEqual([]);
          expect(await new Visitor(fresh(), ada.cookie).data(reader)).toEqual({});
        }
        await before.post(otherSide(side), '/set?key=a', 1);
        expect(await new Visitor(former(), before.cookie).data(side)).toEqual({});
        const after = new Visitor(fresh(), before.cookie);
        for (const reader of SIDES) expect(Object.keys(await after.data(reader)).sort()).toEqual(['_flashes', 'a']);
      }
    },
  );

  test.each(SIDES)('of %s is refused by both when something of it was changed', async (side) => {
    const ada = new Visitor(fresh());
    await ada.post(side, '/set?key=a', 'a value');
    const [payload, timestamp, signature] = (ada.cookie as string).split('.') as [string, string, string];
    const turned = (text: string) => (text[0] === 'A' ? 'B' : 'A') + text.slice(1);
    const changed = [
      `${turned(payload)}.${timestamp}.${signature}`,
      `${payload}.${turned(timestamp)}.${signature}`,
      `${payload}.${timestamp}.${turned(signature)}`,
      `${payload}.${timestamp}`,
      `${payload}.${signature}`,
      '..',
    ];
    for (const cookie of changed) {
      for (const reader of SIDES) expect(await new Visitor(fresh(), cookie).data(reader), cookie).toEqual({});
    }
    for (const reader of SIDES) expect(await ada.data(reader)).toEqual({ a: 'a value' });
  });

  test('long sessions, which are compressed', async () => {
    const ada = new Visitor(fresh());
    for (const [i, side] of [...SIDES, ...SIDES].entries()) {
      await ada.post(side, `/set?key=k${i}`, `${side} `.repeat(400));
      expect(ada.cookie).toMatch(/^\./);
      for (const reader of SIDES) expect(Object.keys(await ada.data(reader))).toHaveLength(i + 1);
    }
  });
});

describe.skipIf(noFlaskSession)(`signed ids${skipped}`, () => {
  const folder = temporaryFolder('interop');
  afterAll(() => folder.remove());
  const signed = pair(() => ({
    SECRET_KEY: 'the key that signs ids',
    SESSION_TYPE: 'filesystem',
    SESSION_FILE_DIR: folder.path,
    SESSION_USE_SIGNER: 'true',
  }));
  const unsigned = pair(() => ({ SECRET_KEY: 'x', SESSION_TYPE: 'filesystem', SESSION_FILE_DIR: folder.path }));

  test.each(SIDES)('of %s', async (side) => {
    const ada = new Visitor(signed());
    await ada.post(side, '/set?key=a', 1);
    const { sid } = (await ada.get(side, '/sid')).json;
    expect(ada.cookie).toMatch(new RegExp(`^${sid}\\.[\\w-]{27}$`));
    for (const reader of SIDES) {
      expect(await ada.data(reader)).toEqual({ a: 1 });
      expect((await ada.get(reader, '/sid')).json).toEqual({ sid });
      for (const cookie of [sid, `${sid}.`, `${ada.cookie}`.slice(0, -2), `${sid}x.${ada.cookie?.split('.')[1]}`]) {
        expect(await new Visitor(signed(), cookie).data(reader), cookie).toEqual({});
      }
      expect(await new Visitor(unsigned(), sid).data(reader)).toEqual({ a: 1 });
      expect(await new Visitor(unsigned(), ada.cookie).data(reader)).toEqual({});
    }
    const former = ada.cookie;
    await ada.post(otherSide(side), '/regenerate');
    for (const reader of SIDES) {
      expect(await ada.data(reader)).toEqual({ a: 1 });
      expect(await new Visitor(signed(), former).data(reader)).toEqual({});
    }
  });
});

describe.skipIf(noFlaskSession)(`names and lifetimes${skipped}`, () => {
  const folder = temporaryFolder('interop');
  afterAll(() => folder.remove());
  const named: Settings = {
    SECRET_KEY: 'a key',
    SESSION_COOKIE_NAME: 'sid-of.app',
    SESSION_COOKIE_PATH: '/a b',
    SESSION_COOKIE_DOMAIN: '.example.com',
    SESSION_COOKIE_SAMESITE: 'strict',
    SESSION_COOKIE_HTTPONLY: 'false',
    SESSION_COOKIE_SECURE: 'true',
    PERMANENT_SESSION_LIFETIME: '5',
  };
  const inCookies = pair(() => ({ ...named, SESSION_COOKIE_PARTITIONED: 'true' }));
  const inFiles = pair(() => ({
    ...named,
    SESSION_TYPE: 'filesystem',
    SESSION_FILE_DIR: folder.path,
    SESSION_KEY_PREFIX: 'app-1:',
    SESSION_ID_LENGTH: '18',
    SESSION_PERMANENT: 'false',
    SESSION_REFRESH_EACH_REQUEST: 'false',
  }));

  test.concurrent.each([
    ['cookie', inCookies],
    ['files', inFiles],
  ])('%s: the same cookie from both, and the same end', async (name, sides) => {
    const visitors = SIDES.map(() => new Visitor(sides(), undefined, named.SESSION_COOKIE_NAME));
    const headers: (string | undefined)[] = [];
    for (const [i, side] of SIDES.entries()) {
      const ada = visitors[i] as Visitor;
      const { setCookies } = await ada.post(side, '/set?key=a', side);
      headers.push(attributes(setCookies[0]));
      if (name === 'files') expect(ada.cookie).toMatch(/^[\w-]{24}$/);
      expect(await ada.data(otherSide(side))).toEqual({ a: side });
      // Read only: that does not move the end.
      await sleep(1000);
      expect(await ada.data(otherSide(side))).toEqual({ a: side });
    }
    expect(headers[0]).toContain('Path=/a%20b');
    expect(headers[1]).toBe(headers[0]);
    await sleep(5200);
    for (const ada of visitors) for (const reader of SIDES) expect(await ada.data(reader)).toEqual({});
  });
});
