/** Reads the recorded vectors: the project's own copy, or any other set of the same shape named by VECTORS_DIR. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Notation } from './notation.ts';

export const VECTORS_DIR = resolve(process.env.VECTORS_DIR || fileURLToPath(new URL('./data/', import.meta.url)));

export interface VectorFile<V> {
  about: string;
  meta: Record<string, unknown>;
  vectors: V[];
}

/** Text as UTF-8, or raw bytes. */
export type Bytes = { utf8: string } | { hex: string };

export interface Named {
  name: string;
}

/**
 * @param name the file's name without `.json`
 * @throws when the file is missing or holds no vector: a test over nothing would pass
 */
export function loadVectors<V extends Named>(name: string): VectorFile<V> {
  const file = resolve(VECTORS_DIR, `${name}.json`);
  if (!existsSync(file)) throw new Error(`no vectors at ${file}`);
  const parsed = JSON.parse(readFileSync(file, 'utf8')) as VectorFile<V>;
  if (!parsed.vectors?.length) throw new Error(`${file} holds no vectors`);
  return parsed;
}

export function toBytes(value: Bytes): Uint8Array {
  return 'hex' in value ? Buffer.from(value.hex, 'hex') : Buffer.from(value.utf8, 'utf8');
}

export type { Notation };
