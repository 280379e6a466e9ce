/** Keys that no server and no client can misread, whatever text was given. */
import { createHash } from 'node:crypto';

/** What the text protocol takes as it is. */
const PLAIN = /^[\x21-\x7e]{1,250}$/;
/** A surrogate without its other half, which UTF-8 cannot tell from others. */
const LONE_SURROGATE = /[\ud800-\udfff]/u;
/** Bytes that are no longer than 250 in base64. */
const MAX_BASE64 = 186;

export interface WireKey {
  /** In the command, with the flag for base64 where it is needed. */
  readonly text: string;
  readonly flags: '' | ' b';
  /** The key that the server knows, each byte as a character. */
  readonly bytes: string;
}

/**
 * A plain key as it is, and so the keys of Flask-Session. Any other in base64, which the server takes apart again: a key
 * beyond ASCII is then the same that python-memcached and pylibmc write. One too long for that, or empty, as a digest.
 */
export function wireKey(key: string): WireKey {
  if (PLAIN.test(key)) return { text: key, flags: '', bytes: key };
  const bytes = Buffer.from(key);
  if (bytes.length === 0 || bytes.length > MAX_BASE64 || LONE_SURROGATE.test(key)) {
    const text = digestKey(key);
    return { text, flags: '', bytes: text };
  }
  return { text: bytes.toString('base64'), flags: ' b', bytes: bytes.toString('latin1') };
}

/**
 * For clients that put the key into a text command. `memcached` also runs it through `String.replace`, where some pairs with
 * a dollar sign stand for pieces of the command.
 */
export function plainKey(key: string): string {
  return PLAIN.test(key) && !(key.includes('$') && /\$[$&`']/.test(key)) ? key : digestKey(key);
}

function digestKey(key: string): string {
  return `sha256:${createHash('sha256').update(Buffer.from(key, 'utf16le')).digest('hex')}`;
}
