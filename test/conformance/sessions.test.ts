import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import type { SessionOptions } from '../../src/core/options.ts';
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

const runs = [
  ['memory', 'secure'],
  ['memory', 'msgpack'],
  ['memory', 'json'],
  ['memory', 'pickle'],
  ['filesystem', 'secure'],
  ['filesystem', 'pickle'],
  ['sqlite', 'secure'],
  ['sqlite', 'msgpack'],
] as const;

for (const [store, kind] of runs) {
  const options: SessionOptions = kind === 'secure' ? {} : { profile: 'flask', format: kind };
  const name = `${store}, ${kind === 'secure' ? 'secure profile' : `Flask profile, ${kind}`}`;
  sessionSuite({ describe, it }, { name, create: stores[store], options });
}
