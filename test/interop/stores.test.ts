/** Real Flask 3.1 with Flask-Session 0.8 and the kitchen sink, on every store and in every format, with one cookie. */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { available } from '../servers/process.ts';
import { backAndForth } from './back-and-forth.ts';
import { BACKENDS } from './backends.ts';
import { inParallel } from './in-parallel.ts';
import { startPython, withPackage } from './python.ts';
import { SIDES, type Sides, startSides, Visitor } from './sides.ts';

const SECRET_KEY = 'a secret of both applications, long enough';

const newest = await available(startPython);

for (const { name, kinds, start, tolerated, fileNames, package: other } of BACKENDS) {
  const python = other && newest.server ? await available(() => withPackage(newest.server, other)) : newest;
  const withFlask = python.server !== undefined && (name === 'null' || python.server.flaskSession !== undefined);
  const place = withFlask ? await available(start) : undefined;
  const why = python.server?.reason?.replace(/[()]/g, '');
  const note = place ? place.note : python.note || ` (skipped: ${why})`;

  describe.skipIf(place?.server === undefined)(`${name}${note}`, () => {
    afterAll(() => place?.server?.stop());

    describe.each(kinds)('%s', (kind) => {
      let sides: Sides;
      beforeAll(async () => {
        const format = kind === 'json' ? 'json' : 'msgpack';
        const settings = { SECRET_KEY, SESSION_SERIALIZATION_FORMAT: format, ...place!.server!.settings(kind) };
        // Either may be the one that finds nothing there.
        sides = await startSides(python.server!, settings, kind === 'json' ? 'ours' : 'flask');
      });
      afterAll(() => sides?.stop());

      backAndForth(kind, () => sides);

      if (fileNames) {
        test('both name files as this release of cachelib does', async () => {
          const folder = place!.server!.settings(kind).SESSION_FILE_DIR as string;
          for (const side of SIDES) await new Visitor(sides).post(side, '/set?key=a', 1);
          for (const name of readdirSync(folder)) expect(name).toMatch(fileNames);
        });
      }
      if (kind === kinds[0] && kind !== 'cookie') inParallel(name, () => sides, tolerated);
    });
  });
}
