/** Who has signed up: a table in a SQLite file beside the sessions. */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface User {
  /** As it was written at sign-up. */
  readonly name: string;
  readonly password: string;
}

/** Enough for a demonstration, and an end to what a stranger can fill the disk with. */
const MOST_USERS = 10_000;

export class Users {
  readonly #database: DatabaseSync;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, 'users.db');
    // Made here, if it has to be, so that it is this user's alone.
    closeSync(openSync(file, 'a', 0o600));
    this.#database = new DatabaseSync(file);
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA busy_timeout = 2000;
      CREATE TABLE IF NOT EXISTS users (key TEXT PRIMARY KEY, name TEXT NOT NULL, password TEXT NOT NULL) WITHOUT ROWID`);
  }

  find(name: string): User | undefined {
    const row = this.#database.prepare('SELECT name, password FROM users WHERE key = ?').get(keyOf(name));
    return row && { name: String(row.name), password: String(row.password) };
  }

  /** One statement, so that of two visitors who want the same name at the same time only one gets it. */
  add({ name, password }: User): 'added' | 'taken' | 'full' {
    const added = this.#database
      .prepare(
        `INSERT INTO users SELECT ?, ?, ? WHERE (SELECT count(*) FROM users) < ${MOST_USERS} ON CONFLICT (key) DO NOTHING`,
      )
      .run(keyOf(name), name, password);
    if (added.changes === 1) return 'added';
    return this.find(name) ? 'taken' : 'full';
  }

  close(): void {
    this.#database.close();
  }
}

/** Ada, ADA and ａｄａ are one user. */
function keyOf(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}
