/**
 * Flask-Session's items: `id` is the key, `val` the record, `expiration` the deadline as decimal seconds since 1970.
 *
 * The seconds are those of UTC. Flask-Session 0.8 means to write the same, but takes UTC for local time on the way: its
 * deadlines are off by the offset of its server's time zone.
 */
import type { StoredRecord } from '../../core/store.ts';
import type { Attribute, Item } from './client.ts';

/** Bytes of an item, names included, that DynamoDB takes. */
export const LARGEST = 400 * 1024;

export function keyOf(id: string): Item {
  return { id: { S: id } };
}

/** Anything else in the place of the record counts as an empty one, which no codec reads. */
export function recordOf({ val, expiration }: Item): StoredRecord {
  return { bytes: val?.B ?? new Uint8Array(0), expiresAt: toMilliseconds(expiration) };
}

/** Exact to the millisecond: the decimal is put together, not computed. */
export function toSeconds(milliseconds: number): Attribute {
  const whole = Math.floor(milliseconds);
  const fraction = String(whole % 1000).padStart(3, '0');
  return { N: `${Math.floor(whole / 1000)}.${fraction}`.replace(/\.?0+$/, '') };
}

/** Finer fractions are cut. An item without a deadline never expires. */
function toMilliseconds(attribute: Attribute | undefined): number {
  const text = attribute?.N ?? '';
  const decimal = /^(\d+)(?:\.(\d+))?$/.exec(text);
  // In decimal, too: in binary, what is a whole millisecond may come out a hair less.
  if (decimal) return Number(decimal[1]) * 1000 + Number((decimal[2] ?? '').slice(0, 3).padEnd(3, '0'));
  const seconds = Number(text || Number.NaN);
  return Number.isNaN(seconds) ? Number.POSITIVE_INFINITY : Math.floor(seconds * 1000);
}

/** As DynamoDB counts it, with the longest number that is written here. */
export function sizeOf(key: string, record: Uint8Array): number {
  return 'id'.length + key.length + 'val'.length + record.length + 'expiration'.length + 12;
}
