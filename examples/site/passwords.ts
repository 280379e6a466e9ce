/** Passwords are kept as scrypt hashes (RFC 7914), each with a salt of its own. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** 32 MiB and about a tenth of a second for each try. */
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 2 ** 20 };
const BYTES = 32;

/** Salt and hash, as one text. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password.normalize('NFKC'), salt, BYTES, COST);
  return `${salt.toString('base64url')}.${hash.toString('base64url')}`;
}

const NOBODY = `${'A'.repeat(22)}.${'A'.repeat(43)}`;

/** Without a hash (there is no such user) it takes as long as with one, and answers false. */
export async function isPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [salt = '', hash = ''] = (stored ?? NOBODY).split('.');
  const expected = Buffer.from(hash, 'base64url');
  const given = await derive(password.normalize('NFKC'), Buffer.from(salt, 'base64url'), BYTES, COST);
  return timingSafeEqual(given, expected) && stored !== undefined;
}
