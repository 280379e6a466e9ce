/** The base64 of Python's `base64.b64encode` and `b64decode`: the standard alphabet (RFC 4648 section 4), padded. */
import { SessionDecodeError } from '../errors.ts';

const CHUNK = 8192;

export function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += CHUNK) {
    binary += String.fromCharCode.apply(null, bytes.subarray(at, at + CHUNK) as unknown as number[]);
  }
  return btoa(binary);
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const SEXTETS = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) SEXTETS[ALPHABET.charCodeAt(i)] = i;

const PAD = 0x3d;

/**
 * As lenient as Python: other ASCII characters are skipped, and nothing is read after a padding that completes a group.
 * @throws SessionDecodeError for other than ASCII, or a last group without its padding
 */
export function decodeBase64(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(text.length / 4) * 3);
  let length = 0;
  let group = 0;
  let inGroup = 0;
  let pads = 0;
  let complete = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) throw new SessionDecodeError('base64 text is not ASCII');
    if (complete) continue;
    if (code === PAD) {
      if (inGroup >= 2 && inGroup + ++pads >= 4) complete = true;
      continue;
    }
    const sextet = SEXTETS[code] as number;
    if (sextet < 0) continue;
    pads = 0;
    if (inGroup > 0) bytes[length++] = ((group << 6) | sextet) >> (6 - 2 * inGroup);
    group = sextet;
    inGroup = (inGroup + 1) % 4;
  }
  if (inGroup !== 0 && !complete) throw new SessionDecodeError('base64 text without its padding');
  return bytes.slice(0, length);
}
