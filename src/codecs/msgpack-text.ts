/** Text in msgpack records: UTF-8, nearly always short and ASCII, the same few keys again and again. */

import { SessionDecodeError } from '../errors.ts';

// A byte order mark is a character like any other here.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** For every short length an array to collect character codes in: `String.fromCharCode` then makes a string in one go. */
const UNITS = Array.from({ length: 49 }, (_, length) => new Array<number>(length).fill(0));

/** The text in a byte range. @throws SessionDecodeError when it is not UTF-8 */
export function textOf(bytes: Uint8Array, from: number, to: number): string {
  const units = UNITS[to - from];
  if (units === undefined) return decodeText(bytes, from, to);
  // Calling the decoder costs more than reading a few characters here, as long as they are ASCII.
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x80) return decodeText(bytes, from, to);
    units[i - from] = byte;
  }
  return String.fromCharCode.apply(null, units);
}

function decodeText(bytes: Uint8Array, from: number, to: number): string {
  try {
    return utf8.decode(bytes.subarray(from, to));
  } catch {
    throw new SessionDecodeError('msgpack: text that is not UTF-8');
  }
}

/** The keys seen last, in slots by a few of their bytes: sessions use the same few names again and again. */
const KNOWN_KEYS = new Array<string>(512).fill('');

/** As `textOf`, for keys: answers the string that was made before when it was the same. */
export function keyOf(bytes: Uint8Array, from: number, to: number): string {
  const length = to - from;
  if (length === 0 || length >= UNITS.length) return textOf(bytes, from, to);
  // Three bytes tell nearly all keys of a session apart; two that share a slot only cost the making of a string.
  const slot = (length + bytes[from]! * 3 + bytes[(from + to) >> 1]! * 31 + bytes[to - 1]! * 7) & 511;
  const known = KNOWN_KEYS[slot]!;
  if (known.length === length) {
    let i = 0;
    while (i < length && known.charCodeAt(i) === bytes[from + i]) i++;
    if (i === length) return known;
  }
  const key = textOf(bytes, from, to);
  // As many characters as bytes means ASCII: only then is the comparison above one of text.
  if (key.length === length) KNOWN_KEYS[slot] = key;
  return key;
}
