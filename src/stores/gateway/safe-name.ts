/** A key as a name that means nothing to whoever uses it as a path, a pattern or a URL. */
import { createHash } from 'node:crypto';

/** What file systems take as the name of a file is 255 bytes, and some places add an ending. */
const LONGEST = 230;

/**
 * Letters, digits, `-` and `_` stay as they are, everything else becomes a dot and two hexadecimal digits. Two keys never
 * get the same name; one that is too long becomes a hash, which no escaped key can look like.
 *
 * @param keepColons for places where `:` separates folders: single ones between other characters stay
 */
export function safeName(key: string, { keepColons = false } = {}): string {
  const unsafe = keepColons ? /[^\w:-]|^:|:$|:(?=:)/g : /[^\w-]/g;
  const name = Buffer.from(key, 'utf8')
    .toString('latin1')
    .replace(unsafe, (character) => `.${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
  if (name.length <= LONGEST) return name;
  return `long.-${createHash('sha256').update(key, 'utf8').digest('hex')}`;
}
