/** The files that cachelib wrote are read, and the same record at the same time makes the same files. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FilesystemStore } from 'flacon/stores/filesystem';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SessionEncodeError } from '../../src/errors.ts';
import { differs } from './differences.ts';
import { loadVectors, type Notation } from './load.ts';

interface RecordedFile {
  hex: string;
  mode: string;
}

interface Vector {
  name: string;
  key: string;
  /** Seconds. */
  lifetime_seconds: number;
  /** Seconds since 1970; the recording clock stood a quarter of a second later. */
  now: number;
  files?: Record<string, RecordedFile>;
  reads_back?: Notation;
  error?: { type: string };
}

const { vectors } = loadVectors<Vector>('store_filesystem');

const COUNT_FILE = '2029240f6d1128be89ddc32729463129';
/** The pickled expiry of cachelib 0.6 and before: an int of protocol 1, or of a later one with or without its frame. */
const PICKLED_EXPIRY =
  /^(?:4a.{8}|4b.{2}|4d.{4}|4c(?:3\d)+4c0a|80(?:04|05)(?:95.{16})?(?:4a.{8}|4b.{2}|4d.{4}|8a05.{10}))2e(?=800[2-5])/;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'flacon-vector-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function clock({ now }: Vector): number {
  return (now + 0.25) * 1000;
}

function store(vector: Vector): FilesystemStore {
  return new FilesystemStore({ directory, hash: 'md5', now: () => clock(vector) });
}

/** What was recorded for the session itself. */
function sessionFile(files: Record<string, RecordedFile>): { name: string; file: RecordedFile; legacy: boolean } {
  const entry = Object.entries(files).find(([name]) => name !== COUNT_FILE)!;
  return { name: entry[0], file: entry[1], legacy: PICKLED_EXPIRY.test(entry[1].hex) };
}

function record({ hex }: RecordedFile): Buffer {
  return Buffer.from(PICKLED_EXPIRY.test(hex) ? hex.replace(PICKLED_EXPIRY, '') : hex.slice(8), 'hex');
}

function deadline(vector: Vector): number {
  const { lifetime_seconds: lifetime } = vector;
  return lifetime === 0 ? Number.POSITIVE_INFINITY : clock(vector) + lifetime * 1000;
}

function filesNow(): Record<string, RecordedFile> {
  return Object.fromEntries(
    readdirSync(directory).map((name) => [
      name,
      {
        hex: readFileSync(join(directory, name)).toString('hex'),
        mode: (statSync(join(directory, name)).mode & 0o7777).toString(8).padStart(4, '0'),
      },
    ]),
  );
}

function put(files: Record<string, RecordedFile>): void {
  for (const [name, { hex, mode }] of Object.entries(files)) {
    writeFileSync(join(directory, name), Buffer.from(hex, 'hex'));
    chmodSync(join(directory, name), Number.parseInt(mode, 8));
  }
}

describe('reading', () => {
  for (const vector of vectors.filter(({ files }) => files)) {
    test(vector.name, async () => {
      const { file } = sessionFile(vector.files!);
      put(vector.files!);
      const found = await store(vector).read(vector.key);
      if (vector.reads_back === null) {
        expect(found).toBeUndefined();
        return;
      }
      expect(Buffer.from(found!.bytes).equals(record(file))).toBe(true);
      const { lifetime_seconds: lifetime, now } = vector;
      expect(found!.expiresAt).toBe(lifetime === 0 ? Number.POSITIVE_INFINITY : (now + lifetime) * 1000);
      // Reading leaves everything as it is.
      expect(filesNow()).toEqual(vector.files);
    });
  }
});

describe('writing', () => {
  for (const vector of vectors) {
    test(vector.name, async () => {
      const subject = store(vector);
      if (!vector.files) {
        const refused = subject.write(vector.key, new Uint8Array(1), deadline(vector), undefined);
        await expect(refused).rejects.toThrow(SessionEncodeError);
        return;
      }
      const { name, file, legacy } = sessionFile(vector.files);
      if (deadline(vector) > 0xffff_ffff * 1000 && deadline(vector) !== Number.POSITIVE_INFINITY) {
        // Only the pickled expiry of old releases holds it.
        expect(legacy).toBe(true);
        await expect(subject.write(vector.key, record(file), deadline(vector), undefined)).rejects.toThrow(
          SessionEncodeError,
        );
        return;
      }
      expect(await subject.write(vector.key, record(file), deadline(vector), undefined)).toBe('written');
      if (vector.lifetime_seconds < 0) {
        differs(
          'store_filesystem',
          vector.name,
          'Expiry',
          'a record that has expired before it is written is not written',
        );
        expect(filesNow()[name]).toBeUndefined();
        return;
      }
      if (!legacy) {
        expect(filesNow()).toEqual(vector.files);
        return;
      }
      // Written in the form that cachelib has had since 0.7, and both forms read the same.
      const header = Buffer.alloc(4);
      header.writeUInt32LE(vector.lifetime_seconds === 0 ? 0 : vector.now + vector.lifetime_seconds);
      expect(filesNow()[name]).toEqual({ hex: Buffer.concat([header, record(file)]).toString('hex'), mode: file.mode });
    });
  }
});

describe('over the recorded file', () => {
  for (const vector of vectors.filter(({ files, reads_back }) => files && reads_back !== null)) {
    test(vector.name, async () => {
      const { file } = sessionFile(vector.files!);
      put(vector.files!);
      const subject = store(vector);
      const later = clock(vector) + 60_000;
      expect(await subject.touch(vector.key, later)).toBe(true);
      const touched = await subject.read(vector.key);
      expect(touched!.expiresAt).toBe(later - (later % 1000));
      expect(Buffer.from(touched!.bytes).equals(record(file))).toBe(true);
      expect(await subject.write(vector.key, new Uint8Array([0x80, 5, 0x7d, 0x2e]), later, record(file))).toBe(
        'written',
      );
      expect(await subject.delete(vector.key)).toBe(true);
      expect(Object.keys(filesNow())).toEqual([COUNT_FILE]);
      expect(filesNow()[COUNT_FILE]!.hex).toMatch(/4b002e$/);
    });
  }
});
