/** A record as a plain value of text and numbers, which every serializer keeps: with its deadline, to the millisecond. */
import type { StoredRecord } from '../../core/store.ts';

export interface Envelope {
  /** The record's bytes, as base64. */
  readonly flacon: string;
  /** Milliseconds since 1970; null: never. */
  readonly expiresAt: number | null;
}

export function seal({ bytes, expiresAt }: StoredRecord): Envelope {
  const flacon = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return { flacon, expiresAt: expiresAt < Number.MAX_SAFE_INTEGER ? Math.floor(expiresAt) : null };
}

/** Undefined for anything else: it is none of ours. */
export function unseal(value: unknown): StoredRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { flacon, expiresAt } = value as Partial<Envelope>;
  if (typeof flacon !== 'string' || (typeof expiresAt !== 'number' && expiresAt !== null)) return undefined;
  return { bytes: Buffer.from(flacon, 'base64'), expiresAt: expiresAt ?? Number.POSITIVE_INFINITY };
}
