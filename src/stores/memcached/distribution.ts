/**
 * Which of several servers has a key: as one of Python's clients decides it, so that a Flask application with the same list
 * of servers finds the same records. With one server they all agree.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ServerAddress } from './servers.ts';

/**
 * - `pymemcache`: its `HashClient`, rendezvous hashing with MurmurHash3. Adding a server moves only the keys that it gets.
 * - `ketama`: the ring of libketama (MD5, 160 points a server). pylibmc with `ketama_weighted`, and many other clients.
 * - `pylibmc-ketama`: pylibmc with `ketama` or `distribution: consistent`, a ring of 100 points a server.
 * - `pylibmc`: pylibmc as it comes. Adding a server moves nearly every key, that is, ends nearly every session.
 * - `python-memcached`: the same in its way.
 */
export type Distribution = 'pymemcache' | 'ketama' | 'pylibmc-ketama' | 'pylibmc' | 'python-memcached';

/** The index of the server for a key, given as its bytes, each as a character. */
export type Locate = (key: string) => number;

type Point = readonly [at: number, server: number];

const MAKERS: Readonly<Record<Distribution, (names: readonly string[]) => Locate>> = {
  pymemcache: rendezvous,
  ketama: (names) => ring(names, 40, md5Points, (key) => md5Points(key)[0]!),
  'pylibmc-ketama': (names) => ring(names, 100, (text) => [oneAtATime(text)], oneAtATime),
  pylibmc: (names) => (key) => oneAtATime(key) % names.length,
  'python-memcached': (names) => (key) => ((crc32(Buffer.from(key, 'latin1')) >>> 16) & 0x7fff) % names.length,
};

export const DISTRIBUTIONS = Object.keys(MAKERS) as readonly Distribution[];

export function locator(distribution: Distribution, servers: readonly ServerAddress[]): Locate {
  return servers.length === 1 ? () => 0 : MAKERS[distribution](servers.map(({ name }) => name));
}

/** Every server draws for every key; the highest draw has it. */
function rendezvous(names: readonly string[]): Locate {
  return (key) => {
    let best = 0;
    let highest = -1;
    for (let i = 0; i < names.length; i++) {
      const score = murmur3(`${names[i]}-${key}`);
      if (score > highest || (score === highest && names[i]! > names[best]!)) {
        highest = score;
        best = i;
      }
    }
    return best;
  };
}

/** The servers' points on a circle: a key belongs to the first point at or after its own. */
function ring(
  names: readonly string[],
  rounds: number,
  pointsOf: (text: string) => readonly number[],
  place: (key: string) => number,
): Locate {
  const points: Point[] = [];
  names.forEach((name, server) => {
    // libmemcached leaves the standard port out.
    const label = name.replace(/:11211$/, '');
    for (let round = 0; round < rounds; round++) {
      for (const at of pointsOf(`${label}-${round}`)) points.push([at, server]);
    }
  });
  points.sort(([a], [b]) => a - b);
  return (key) => {
    const at = place(key);
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (points[middle]![0] < at) low = middle + 1;
      else high = middle;
    }
    return points[low === points.length ? 0 : low]![1];
  };
}

/** Four points out of one digest, each little-endian. */
function md5Points(text: string): number[] {
  const digest = createHash('md5').update(text, 'latin1').digest();
  return [0, 4, 8, 12].map((offset) => digest.readUInt32LE(offset));
}

/** Bob Jenkins' one-at-a-time hash. */
function oneAtATime(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) {
    hash = (hash + text.charCodeAt(i)) | 0;
    hash = (hash + (hash << 10)) | 0;
    hash ^= hash >>> 6;
  }
  hash = (hash + (hash << 3)) | 0;
  hash ^= hash >>> 11;
  return (hash + (hash << 15)) >>> 0;
}

/** MurmurHash3, 32 bits, seed 0 (Austin Appleby, public domain). */
function murmur3(text: string): number {
  const blocks = text.length & ~3;
  let hash = 0;
  for (let i = 0; i < blocks; i += 4) {
    hash ^= scrambled(
      text.charCodeAt(i) |
        (text.charCodeAt(i + 1) << 8) |
        (text.charCodeAt(i + 2) << 16) |
        (text.charCodeAt(i + 3) << 24),
    );
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let i = text.length - 1; i >= blocks; i--) rest = (rest << 8) | text.charCodeAt(i);
  if (blocks < text.length) hash ^= scrambled(rest);
  hash ^= text.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scrambled(block: number): number {
  const mixed = Math.imul(block, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}
