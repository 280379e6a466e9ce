import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { FilesystemStore } from '../../src/stores/filesystem.ts';
import { MemoryStore } from '../../src/stores/memory.ts';
import { SqliteStore } from '../../src/stores/sqlite.ts';
import { sessionSuite } from '../../src/testing/session-suite.ts';

const root = mkdtempSync(join(tmpdir(), 'flacon-sessions-'));
let made = 0;
const place = (): string => join(root, String(made++));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const stores = {
  memory: (now: () => number) => new MemoryStore({ now }),
  filesystem: (now: () => number) => new FilesystemStore({ directory: place(), now }),
  sqlite: (now: () => number) => new SqliteStore({ path: join(place(), 'sessions.db'), now }),
};

for (const [name, create] of Object.entries(stores)) {
  sessionSuite({ describe, it }, { name: `${name}, secure profile`, create });
  for (const format of ['msgpack', 'json', 'pickle'] as const) {
    sessionSuite(
      { describe, it },
      { name: `${name}, Flask profile, ${format}`, create, options: { profile: 'flask', format } },
    );
  }
}
