/**
 * The store that needs nothing but a folder: SQLite where the runtime has it, elsewhere files. Sessions of the one are not
 * seen by the other, so a change of runtime ends them.
 */
import { join } from 'node:path';
import type { SessionStore } from '../core/store.ts';
import { SessionConfigError } from '../errors.ts';
import { FilesystemStore } from './filesystem.ts';
import { refuseUnknown } from './known-options.ts';
import { SqliteStore } from './sqlite.ts';
import { loadSqlite } from './sqlite-database.ts';

export interface EmbeddedStoreOptions {
  /** Made, for its owner only, when it is missing. Default `.flacon`. */
  directory?: string;
  /**
   * Told once per process that files are used because the runtime has no SQLite. By default a process warning with code
   * `FLACON_EMBEDDED_FILESYSTEM`.
   */
  onNotice?: (message: string) => void;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}

const KNOWN = { directory: true, onNotice: true, now: true } as const;

const NOTICE =
  'This runtime has no node:sqlite, so sessions are kept as files, which is slower. Node 22.13 or later has it; ' +
  'naming a store yourself ends this notice.';
const WRITES_PER_SWEEP = 500;

let noticed = false;

/** @throws SessionConfigError */
export function embeddedStore(options: EmbeddedStoreOptions = {}): SessionStore {
  refuseUnknown(options, KNOWN);
  const { directory = '.flacon', onNotice = warn } = options;
  if (!directory) throw new SessionConfigError('directory', 'an empty text', 'the path of a folder');
  const clock = options.now && { now: options.now };
  if (loadSqlite()) return new SqliteStore({ path: join(directory, 'sessions.db'), ...clock });
  if (!noticed) onNotice(NOTICE);
  noticed = true;
  // No bound on the number of sessions, as with SQLite, and so nothing but sweeping that removes expired ones.
  return new FilesystemStore({ directory, threshold: 0, sweepEvery: WRITES_PER_SWEEP, ...clock });
}

function warn(message: string): void {
  process.emitWarning(message, { code: 'FLACON_EMBEDDED_FILESYSTEM' });
}
