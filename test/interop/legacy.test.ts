/**
 * Debian's Flask-Session 0.3.2, whose records are pickles, on the same stores: side by side with this package writing pickles,
 * and left behind for msgpack, which Flask-Session 0.8 goes on with.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { available } from '../servers/process.ts';
import { canonical, type Notation } from '../vectors/notation.ts';
import { BACKENDS } from './backends.ts';
import { OLD_CACHELIB, startLegacyPython, startPython, withPackage } from './python.ts';
import { type Application, otherSide, SIDES, startFlask, startOurs, Visitor } from './sides.ts';
import { SAMPLES } from './values.ts';

const SECRET_KEY = 'a secret of all of them, long enough';
/** Debian's cachelib is one that names files by MD5. */
const FILES = `filesystem, ${OLD_CACHELIB}`;
/** There was no such type, or not for DynamoDB, and the SQL servers' drivers are not in Debian's package. */
const STORES = [FILES, 'redis', 'memcached', 'mongodb', 'sqlalchemy, SQLite'];

const legacy = await available(startLegacyPython);
const newest = await available(startPython);
const why = newest.server?.reason?.replace(/[()]/g, '');

for (const { name, start, package: other } of BACKENDS.filter((backend) => STORES.includes(backend.name))) {
  const modern = other && newest.server ? await available(() => withPackage(newest.server, other)) : newest;
  const hasBoth = !legacy.missing && !modern.missing && modern.server.flaskSession !== undefined;
  const place = hasBoth ? await available(start) : undefined;
  const note = place ? place.note : legacy.note || modern.note || ` (skipped: ${why})`;

  describe.skipIf(place?.server === undefined)(`${name}${note}`, () => {
    let flask032: Application;
    let flask08: Application;
    let inPickles: Application;
    let inMsgpack: Application;

    beforeAll(async () => {
      const settings = { SECRET_KEY, ...place!.server!.settings('legacy') };
      flask032 = await startFlask(legacy.server!, settings);
      flask08 = await startFlask(modern.server!, settings);
      inPickles = await startOurs({ ...settings, SESSION_SERIALIZATION_FORMAT: 'pickle' });
      inMsgpack = await startOurs({ ...settings, SESSION_SERIALIZATION_FORMAT: 'msgpack' });
    });
    afterAll(async () => {
      await Promise.all([flask032, flask08, inPickles, inMsgpack].map((application) => application?.stop()));
      await place?.server?.stop();
    });

    const sideBySide = () => ({ flask: flask032.url, ours: inPickles.url });

    test('every type of Python in turn, all of which pickles hold', async () => {
      const ada = new Visitor(sideBySide());
      for (const { name, value } of SAMPLES) {
        const { status } = await ada.post('flask', `/set-typed?key=${encodeURIComponent(name)}`, value);
        expect([name, status]).toEqual([name, 200]);
      }
      expect(await ada.data('ours')).toEqual(await ada.data('flask'));
      await ada.post('ours', '/set?key=written', { 'by us': [1, 'x'] });
      const after = await ada.typed();
      for (const { name, value } of SAMPLES)
        expect([name, canonical(after.get(name))]).toEqual([name, canonical(value)]);
      expect(canonical(after.get('written'))).toEqual(['dict', [['by us', ['list', [['int', '1'], 'x']]]]]);
    });

    test('set, change, flash and delete, in turn', async () => {
      const ada = new Visitor(sideBySide());
      const expected: Record<string, unknown> = {};
      for (let round = 0; round < 4; round++) {
        for (const side of SIDES) {
          await ada.post(side, `/set?key=${side}`, [round, 'é']);
          expected[side] = [round, 'é'];
          await ada.post(side, `/flash?category=${side}`, `round ${round}`);
          expect((await ada.get(otherSide(side), '/flashes')).json).toEqual({ flashes: [[side, `round ${round}`]] });
          for (const reader of SIDES) expect(await ada.data(reader)).toEqual(expected);
        }
      }
      await ada.post('ours', '/delete?key=flask');
      expect(await ada.data('flask')).toEqual({ ours: [3, 'é'] });
      await ada.post('flask', '/delete?key=ours');
      expect(await ada.data('ours')).toEqual({});
    });

    test.each(SIDES)('a logout by %s is one for both', async (side) => {
      const ada = new Visitor(sideBySide());
      await ada.post(otherSide(side), '/set?key=a', 1);
      await ada.post(side, '/set?key=b', 2);
      const thief = ada.copy();
      const late = ada.copy().post('ours', '/slow?key=late&ms=300', 1);
      await ada.post(side, '/destroy');
      await late;
      for (const reader of ['ours', 'flask'] as const) expect(await thief.data(reader)).toEqual({});
    });

    test('its sessions go on in msgpack, here and in Flask-Session 0.8', async () => {
      const old = new Visitor(sideBySide());
      const values: [string, Notation][] = [];
      for (const { name, value, refusedBy } of SAMPLES) {
        if (refusedBy?.includes('msgpack')) continue;
        values.push([name, value]);
        await old.post('flask', `/set-typed?key=${encodeURIComponent(name)}`, value);
      }
      const ada = new Visitor({ flask: flask08.url, ours: inMsgpack.url }, old.cookie);
      expect(await ada.data('ours')).toEqual(await old.data('flask'));
      await ada.post('ours', '/set?key=moved', true);

      // What 0.8 makes of the same values when it writes them itself.
      const bob = new Visitor({ flask: flask08.url, ours: inMsgpack.url });
      for (const [key, value] of values) await bob.post('flask', `/set-typed?key=${encodeURIComponent(key)}`, value);
      const [moved, written] = [await ada.typed(), await bob.typed()];
      if (name === FILES) {
        for (const [key, value] of values) expect([key, canonical(moved.get(key))]).toEqual([key, canonical(value)]);
      } else {
        for (const [key] of values)
          expect([key, canonical(moved.get(key))]).toEqual([key, canonical(written.get(key))]);
      }
      await ada.post('flask', '/set?key=again', 1);
      expect(await ada.data('ours')).toEqual(await ada.data('flask'));
    });
  });
}
