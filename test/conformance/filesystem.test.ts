import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FilesystemStore } from 'flacon/stores/filesystem';
import { storeSuite } from 'flacon/testing/store-suite';
import { afterAll, describe, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'flacon-filesystem-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let folders = 0;

for (const threshold of [0, 500]) {
  storeSuite(
    { describe, it },
    {
      name: `filesystem, threshold ${threshold}`,
      create: (now) => new FilesystemStore({ directory: join(directory, String(++folders)), threshold, now }),
      granularity: 1000,
    },
  );
}
