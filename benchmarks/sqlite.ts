/**
 * What the SQLite store adds to the bare prepared statements: `node benchmarks/sqlite.ts`.
 *
 * Both work on a table of the same shape in a file of their own, in turns, one operation each, so that a noisy machine
 * troubles both alike. First it is made sure that both do the same. Prints medians and their ratio; ends with an error when
 * a ratio is over the bound given as `--max=1.3`.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteStore } from '../src/stores/sqlite.ts';
import { median } from './report.ts';

const RECORDS = 50_000;
const ROUNDS = 20_000;
const RECORD = new Uint8Array(500).map((_, i) => (i * 31) & 0xff);
const bound = Number(
  process.argv.find((argument) => argument.startsWith('--max='))?.slice(6) ?? Number.POSITIVE_INFINITY,
);

const directory = mkdtempSync(join(tmpdir(), 'flacon-benchmark-'));
try {
  run();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function run(): void {
  const store = new SqliteStore({ path: join(directory, 'store.db') });
  const bare = bareStatements(join(directory, 'bare.db'));
  const keys = Array.from({ length: RECORDS }, (_, n) => `session:${String(n).padStart(43, 'x')}`);
  const later = Date.now() + 86_400_000;
  for (const key of keys) {
    assert.equal(store.write(key, RECORD, later, undefined), 'written');
    bare.create.run(key, later, RECORD, Date.now());
  }
  check(store, bare, keys[0]!, later);

  const times = { read: [[], []], write: [[], []] } as Record<'read' | 'write', [number[], number[]]>;
  for (let round = 0; round < ROUNDS; round++) {
    const key = keys[(round * 7919) % RECORDS]!;
    const deadline = later + round;
    const steps: [() => void, () => void] = [
      () => {
        const found = timed(times.read[0], () => store.read(key))!;
        timed(times.write[0], () => store.write(key, RECORD, deadline, (found as { bytes: Uint8Array }).bytes));
      },
      () => {
        const row = timed(times.read[1], () => bare.read.get(key, Date.now()))!;
        timed(times.write[1], () => bare.update.run(deadline, RECORD, key, row.record!, Date.now()));
      },
    ];
    const first = round & 1;
    steps[first]!();
    steps[1 - first]!();
  }

  for (const [verb, [ours, theirs]] of Object.entries(times)) {
    const [a, b] = [median(ours), median(theirs)];
    const ratio = a / b;
    console.log(`${verb.padEnd(6)} store ${a.toFixed(2)} µs   bare ${b.toFixed(2)} µs   ratio ${ratio.toFixed(2)}`);
    if (ratio > bound) process.exitCode = 1;
  }
  const mean = (list: number[]) => list.reduce((sum, time) => sum + time, 0) / list.length;
  console.log(`mean   write: store ${mean(times.write[0]).toFixed(1)} µs   bare ${mean(times.write[1]).toFixed(1)} µs`);
  store.close();
  bare.database.close();
}

function bareStatements(path: string) {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2');
  database.exec('CREATE TABLE sessions (key TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, record BLOB NOT NULL)');
  return {
    database,
    read: database.prepare('SELECT record, expires_at FROM sessions WHERE key = ? AND expires_at > ?'),
    update: database.prepare(
      'UPDATE sessions SET expires_at = ?, record = ? WHERE key = ? AND record = ? AND expires_at > ?',
    ),
    create: database.prepare(
      `INSERT INTO sessions (key, expires_at, record) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE
         SET expires_at = excluded.expires_at, record = excluded.record WHERE expires_at <= ?`,
    ),
  };
}

function check(store: SqliteStore, bare: ReturnType<typeof bareStatements>, key: string, later: number): void {
  const row = bare.read.get(key, Date.now())!;
  assert.deepEqual(store.read(key), { bytes: row.record, expiresAt: row.expires_at });
  const other = RECORD.slice().fill(1);
  assert.deepEqual(store.write(key, other, later, other), { conflict: { bytes: RECORD, expiresAt: later } });
  assert.equal(bare.update.run(later, other, key, other, Date.now()).changes, 0);
  assert.equal(store.write(key, other, later, RECORD), 'written');
  assert.equal(bare.update.run(later, other, key, RECORD, Date.now()).changes, 1);
  assert.equal(store.write(key, RECORD, later, other), 'written');
  assert.equal(bare.update.run(later, RECORD, key, other, Date.now()).changes, 1);
}

function timed<T>(times: number[], step: () => T): T {
  const start = process.hrtime.bigint();
  const result = step();
  times.push(Number(process.hrtime.bigint() - start) / 1000);
  return result;
}
