/**
 * The files of cachelib's `FileSystemCache`, which Flask-Session uses for its `filesystem` sessions: a file per key that
 * holds the expiry and then the record. Their names are in cachelib-names.ts.
 *
 * Since cachelib 0.7 the expiry is 4 bytes, little-endian, whole seconds since 1970, 0 for never. Up to 0.6 it was a
 * pickled int; such files are read, and written in the newer form.
 */
import { pickleInt, readPickledInt } from '../codecs/pickle.ts';
import { SessionEncodeError } from '../errors.ts';

const HEADER = 4;
/** What is looked at to tell the two forms apart. */
const START = 64;
const MAX_EXPIRY = 0xffff_ffff;

export interface CacheFile {
  /** Milliseconds since 1970; infinite for never. */
  readonly expiresAt: number;
  readonly record: Uint8Array;
  /** The expiry is a pickled int. */
  readonly legacy: boolean;
}

/** Undefined when the bytes are too short to be one. */
export function decodeFile(file: Uint8Array): CacheFile | undefined {
  if (file.length < HEADER) return undefined;
  const legacy = readLegacyExpiry(file);
  if (legacy) return { expiresAt: fromSeconds(legacy.value), record: file.subarray(legacy.length), legacy: true };
  return { expiresAt: fromSeconds(readExpiry(file)), record: file.subarray(HEADER), legacy: false };
}

/**
 * @param expiresAt milliseconds since 1970, cut to whole seconds
 * @throws SessionEncodeError when it does not fit into 4 bytes (February 2106)
 */
export function encodeFile(expiresAt: number, record: Uint8Array): Uint8Array {
  const file = new Uint8Array(HEADER + record.length);
  file.set(record, HEADER);
  file.set(encodeExpiry(expiresAt, record));
  return file;
}

/** The first 4 bytes of a file with this record. */
export function encodeExpiry(expiresAt: number, record: Uint8Array): Uint8Array {
  const seconds = toSeconds(expiresAt);
  if (seconds > MAX_EXPIRY) throw new SessionEncodeError('filesystem: an expiry after 2106 does not fit into the file');
  const start = new Uint8Array(Math.min(START, HEADER + record.length));
  start.set(record.subarray(0, start.length - HEADER), HEADER);
  writeExpiry(start, seconds);
  // Bytes that are no pickle can, with a rare expiry, look like a file of an old cachelib. A second earlier they do not.
  for (let earlier = seconds - 1; readLegacyExpiry(start); earlier--) writeExpiry(start, earlier);
  return start.subarray(0, HEADER);
}

/** What `encodeFile` keeps of a deadline, in milliseconds. */
export function wholeSeconds(expiresAt: number): number {
  return fromSeconds(toSeconds(expiresAt));
}

export function encodeCount(count: number): Uint8Array {
  return encodeFile(Number.POSITIVE_INFINITY, pickleInt(Math.max(0, count)));
}

/** 0 when the record is no count, as in cachelib. */
export function decodeCount(file: CacheFile | undefined): number {
  return (file && readPickledInt(file.record)?.value) || 0;
}

/** 0 means never, so a deadline in 1970's first second becomes the next one. */
function toSeconds(expiresAt: number): number {
  return expiresAt === Number.POSITIVE_INFINITY ? 0 : Math.max(1, Math.floor(expiresAt / 1000));
}

function fromSeconds(seconds: number): number {
  return seconds === 0 ? Number.POSITIVE_INFINITY : seconds * 1000;
}

/**
 * Both parts of an old file are pickles, and the second, the session, is one of protocol 2 or later. In a new file that
 * pickle begins right after the 4 bytes. No old file looks like that: its fifth byte is the pickled int's, or its end.
 */
function readLegacyExpiry(file: Uint8Array): { value: number; length: number } | undefined {
  if (isPickleAt(file, HEADER)) return undefined;
  const first = file[0];
  // The opcodes of an int in protocol 1 (BININT, BININT1, LONG, BININT2), or PROTO.
  if (first !== 0x4a && first !== 0x4b && first !== 0x4c && first !== 0x4d && first !== 0x80) return undefined;
  const start = file.subarray(0, START);
  const int = readPickledInt(start);
  return int && isPickleAt(start, int.length) ? int : undefined;
}

function isPickleAt(file: Uint8Array, offset: number): boolean {
  const protocol = file[offset + 1];
  return file[offset] === 0x80 && protocol !== undefined && protocol >= 2 && protocol <= 5;
}

function readExpiry(file: Uint8Array): number {
  return new DataView(file.buffer, file.byteOffset, HEADER).getUint32(0, true);
}

function writeExpiry(file: Uint8Array, seconds: number): void {
  new DataView(file.buffer, file.byteOffset, HEADER).setUint32(0, seconds, true);
}
