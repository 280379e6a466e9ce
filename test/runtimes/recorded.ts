/** Vectors that Flask and Flask-Session made, for programs that are no tests: see test/vectors/data/README.md. */
import { readFileSync } from 'node:fs';

export interface RecordedRecord {
  readonly name: string;
  readonly sid: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The session as JSON shows it, without `_permanent`. */
  readonly shown: Record<string, unknown>;
}

interface Vector {
  readonly name: string;
  readonly sid: string;
  readonly value_hex?: string;
  readonly pickle_hex?: string;
  readonly response: { readonly set_cookie: readonly string[]; readonly vary: readonly string[] };
}

/** What Flask answers to a view that sets `a` to 1, with the secret `dev`. */
export function recordedCookie(): Vector['response'] {
  return vector('set_cookie', 'flask/default/set').response;
}

/** One record of each format. */
export function recordedRecords(): RecordedRecord[] {
  const person = { user_id: 42, name: 'Ann' };
  const text = { s: 'caf\u00e9 \u4f60\u597d \u{1f600}', 'k\u00e9y': '\\ \n \r \u001a \0' };
  return [
    record('store_redis', 'msgpack/non-permanent', person),
    record('store_redis', 'json/non-permanent', person),
    record('legacy_pickle', 'record/redis/unicode', text),
  ];
}

function record(file: string, name: string, shown: Record<string, unknown>): RecordedRecord {
  const { sid, value_hex, pickle_hex } = vector(file, name);
  return { name, sid, bytes: Buffer.from(value_hex ?? pickle_hex ?? '', 'hex'), shown };
}

function vector(file: string, name: string): Vector {
  const url = new URL(`../vectors/data/${file}.json`, import.meta.url);
  const { vectors } = JSON.parse(readFileSync(url, 'utf8')) as { vectors: Vector[] };
  const found = vectors.find((vector) => vector.name === name);
  if (!found) throw new Error(`no vector ${name} in ${file}.json`);
  return found;
}
