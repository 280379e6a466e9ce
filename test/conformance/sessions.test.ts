import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import type { SessionOptions } from '../../src/core/options.ts';
import type { SessionStore } from '../../src/core/store.ts';
import { FilesystemStore } from '../../src/stores/filesystem.ts';
import { MemoryStore } from '../../src/stores/memory.ts';
import { SqliteStore } from '../../src/stores/sqlite.ts';
import { sessionSuite } from '../../src/testing/session-suite.ts';

const root = mkdtempSync(join(tmpdir(), 'flacon-sessions-'));
let made = 0;
const place = (): string => join(root, String(made++));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A store that answers after a while, as a server does. */
function later(store: SessionStore): SessionStore {
  const wait = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    name: store.name,
    read: (...args) => wait().then(() => store.read(...args)),
    write: (...args) => wait().then(() => store.write(...args)),
    touch: (...args) => wait().then(() => store.touch(...args)),
    delete: (...args) => wait().then(() => store.delete(...args)),
  };
}

const stores = {
  'memory, answering late': (now: () => number) => later(new MemoryStore({ now })),
  memory: (now: () => number) => new MemoryStore({ now }),
  filesystem: (now: () => number) => new FilesystemStore({ directory: place(), now }),
  sqlite: (now: () => number) => new SqliteStore({ path: join(place(), 'sessions.db'), now }),
};

const runs = [
  ['memory', 'secure'],
  ['memory, answering late', 'secure'],
  ['memory, answering late', 'msgpack'],
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
