/**
 * The names of the files of cachelib's `FileSystemCache`: a hash of the key in hexadecimal, and nothing else of it. Up to
 * cachelib 0.15 the hash is MD5, from 0.16 on SHA-256 (its `hash_method`). Neither finds the files of the other.
 */
import { createHash } from 'node:crypto';
import { SessionConfigError } from '../errors.ts';

export type FileHash = 'md5' | 'sha256';

/** What cachelib names files by today, and so what an empty folder gets. */
export const NEWEST_HASH: FileHash = 'sha256';

/** Ends the name of everything that is no record. cachelib, in every release, passes over files named so. */
export const TEMPORARY_SUFFIX = '.__wz_cache';

/** The file in which cachelib counts the records: that of the key `__wz_cache_count`. */
export const COUNT_FILES: Readonly<Record<FileHash, string>> = {
  md5: '2029240f6d1128be89ddc32729463129',
  sha256: '79bc207ee04a581ab2348ca1f3494e64cd0ec36128735b8c6bc85ddd8fe1938c',
};

const MD5_NAME = /^[0-9a-f]{32}$/;
const SHA256_NAME = /^[0-9a-f]{64}$/;

/** The name of the file of a key, and the only thing that a key is used for. */
export function fileName(key: string, hash: FileHash): string {
  return createHash(hash).update(key, 'utf8').digest('hex');
}

/** Of either hash: what was left behind under the other one is still counted, and deleted when it has expired. */
export function isRecordName(name: string): boolean {
  return (MD5_NAME.test(name) || SHA256_NAME.test(name)) && name !== COUNT_FILES.md5 && name !== COUNT_FILES.sha256;
}

/**
 * What the files of a folder are named by, the count file among them, which a Flask application makes when it starts.
 * Where there are names of both hashes it is SHA-256, since cachelib goes that way. Undefined when there are none.
 */
export function hashInUse(names: readonly string[]): FileHash | undefined {
  if (names.some((name) => SHA256_NAME.test(name))) return 'sha256';
  return names.some((name) => MD5_NAME.test(name)) ? 'md5' : undefined;
}

/**
 * @param given what the user chose
 * @throws SessionConfigError where this runtime has no such hash: MD5 under FIPS rules
 */
export function checkHash(hash: FileHash, given: string = hash): void {
  try {
    createHash(hash);
  } catch {
    const expected = "'sha256' and a folder of its own (Flask: cachelib 0.16), because this runtime has no MD5 (FIPS)";
    throw new SessionConfigError('hash', given, expected);
  }
}
