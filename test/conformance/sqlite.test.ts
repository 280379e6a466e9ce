import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteStore } from 'flacon/stores/sqlite';
import { storeSuite } from 'flacon/testing/store-suite';
import { afterAll, describe, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'flacon-sqlite-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

storeSuite(
  { describe, it },
  { name: 'sqlite', create: (now) => new SqliteStore({ path: join(directory, 'shared', 'sessions.db'), now }) },
);
