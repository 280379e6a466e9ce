/**
 * The structure of msgpack bytes (github.com/msgpack/msgpack/blob/master/spec.md): where values begin and end, with no
 * regard to what they mean. `skip` is the only code that trusts nothing; what it has been over is sound for all others.
 */

import { SessionDecodeError } from '../errors.ts';
import { MAX_DEPTH } from './limits.ts';

/** The extension type of a timestamp: -1, as the byte it is. */
export const TIMESTAMP = 0xff;

/** The whole length of a value by its first byte; 0 for those whose length stands in the bytes that follow. */
const FIXED = new Uint8Array(256);
FIXED.fill(1, 0x00, 0x80); // fixint
for (let length = 0; length < 32; length++) FIXED[0xa0 + length] = 1 + length; // fixstr
FIXED.set([1, 0, 1, 1], 0xc0); // nil, (never used), false, true
FIXED.set([5, 9, 2, 3, 5, 9, 2, 3, 5, 9], 0xca); // float 32 and 64, uint and int 8 to 64
FIXED.set([3, 4, 6, 10, 18], 0xd4); // fixext 1 to 16
FIXED.fill(1, 0xe0); // negative fixint

const truncated = () => new SessionDecodeError('msgpack: the record ends inside a value');

/** The unsigned number of `width` bytes at `at`. @throws SessionDecodeError when the bytes end before it does */
export function lengthAt(bytes: Uint8Array, at: number, width: number): number {
  if (at + width > bytes.length) throw truncated();
  let length = 0;
  for (let i = at; i < at + width; i++) length = length * 256 + bytes[i]!;
  return length;
}

/**
 * Where the value at `at` ends.
 * @param depth how many containers it stands in
 * @throws SessionDecodeError when its structure is not sound, or deeper than `MAX_DEPTH`
 */
export function skip(bytes: Uint8Array, at: number, depth: number): number {
  if (at >= bytes.length) throw truncated();
  const fixed = FIXED[bytes[at]!]!;
  const end = fixed !== 0 ? at + fixed : skipSized(bytes, at, depth);
  if (end > bytes.length) throw truncated();
  return end;
}

function skipSized(bytes: Uint8Array, at: number, depth: number): number {
  const lead = bytes[at]!;
  switch (lead) {
    case 0xc4: // bin
    case 0xd9: // str
      return at + 2 + lengthAt(bytes, at + 1, 1);
    case 0xc5:
    case 0xda:
      return at + 3 + lengthAt(bytes, at + 1, 2);
    case 0xc6:
    case 0xdb:
      return at + 5 + lengthAt(bytes, at + 1, 4);
    case 0xc7: // ext: the type stands between length and data
      return at + 3 + lengthAt(bytes, at + 1, 1);
    case 0xc8:
      return at + 4 + lengthAt(bytes, at + 1, 2);
    case 0xc9:
      return at + 6 + lengthAt(bytes, at + 1, 4);
  }
  const content = containerContent(bytes, at);
  if (content === 0) throw new SessionDecodeError('msgpack: a byte that starts no value');
  if (depth >= MAX_DEPTH) throw new SessionDecodeError('msgpack: nested too deeply');
  const items = containerSize(bytes, at);
  return skipAll(bytes, content, isMap(lead) ? items * 2 : items, depth + 1);
}

/** Where the last of `count` values ends: `skip` again and again, in a loop that calls nothing for most of them. */
function skipAll(bytes: Uint8Array, from: number, count: number, depth: number): number {
  let at = from;
  for (let left = count; left > 0; left--) {
    if (at >= bytes.length) throw truncated();
    const fixed = FIXED[bytes[at]!]!;
    at = fixed !== 0 ? at + fixed : skipSized(bytes, at, depth);
  }
  return at;
}

export function isMap(lead: number): boolean {
  return (lead >= 0x80 && lead < 0x90) || lead === 0xde || lead === 0xdf;
}

export function isArray(lead: number): boolean {
  return (lead >= 0x90 && lead < 0xa0) || lead === 0xdc || lead === 0xdd;
}

/** Where the first item of the container at `at` stands; 0 when the byte there starts no container. */
export function containerContent(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead >= 0x80 && lead < 0xa0) return at + 1;
  if (lead === 0xdc || lead === 0xde) return at + 3;
  return lead === 0xdd || lead === 0xdf ? at + 5 : 0;
}

/** The number of items of the container at `at`; a pair of a map is one. @throws SessionDecodeError */
export function containerSize(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0xa0) return lead & 0x0f;
  return lengthAt(bytes, at + 1, lead === 0xdc || lead === 0xde ? 2 : 4);
}

/** Where the text of the str at `at` starts, after its length; 0 when the value there is not a str. */
export function textContent(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead >= 0xa0 && lead < 0xc0) return at + 1;
  if (lead === 0xd9) return at + 2;
  if (lead === 0xda) return at + 3;
  return lead === 0xdb ? at + 5 : 0;
}
