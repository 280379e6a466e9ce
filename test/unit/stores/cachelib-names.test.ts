import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { COUNT_FILES, type FileHash, fileName, hashInUse, isRecordName } from '../../../src/stores/cachelib-names.ts';

const HASHES: readonly FileHash[] = ['md5', 'sha256'];

describe.each(HASHES)('%s', (hash) => {
  test('of the UTF-8 key is the name, and nothing else is', () => {
    expect(fileName('session:../../etc/passwd', hash)).toMatch(hash === 'md5' ? /^[0-9a-f]{32}$/ : /^[0-9a-f]{64}$/);
    expect(fileName('ü:x', hash)).toBe(createHash(hash).update(Buffer.from('ü:x')).digest('hex'));
    expect(isRecordName(fileName('k', hash))).toBe(true);
  });

  test('of its own key is the name of the count file', () => {
    expect(COUNT_FILES[hash]).toBe(fileName('__wz_cache_count', hash));
    expect(isRecordName(COUNT_FILES[hash])).toBe(false);
  });

  test('is known by a record, and by the count file', () => {
    const others = ['README', `flacon-${fileName('k', hash)}.lock.__wz_cache`];
    expect(hashInUse(others)).toBeUndefined();
    expect(hashInUse([...others, fileName('k', hash)])).toBe(hash);
    expect(hashInUse([COUNT_FILES[hash], ...others])).toBe(hash);
  });
});

test('files of others are no records', () => {
  for (const name of [
    'sessions.db',
    `flacon-${fileName('k', 'md5')}.lock.__wz_cache`,
    'A'.repeat(32),
    'a'.repeat(40),
  ]) {
    expect(isRecordName(name)).toBe(false);
  }
});

test('of two hashes the newer is in use', () => {
  expect(hashInUse([fileName('k', 'md5'), COUNT_FILES.md5, fileName('k', 'sha256')])).toBe('sha256');
});
