/** The bounds on a value that was unpickled, which may refer to its parts several times, or to itself. */
import { SessionDecodeError } from '../errors.ts';
import { MAX_DEPTH } from './limits.ts';
import { Intermediate } from './pickle-globals.ts';
import { ByteArray, FrozenSet, Tuple } from './values.ts';

/** What one value weighs. Its text and bytes weigh 1 for each unit on top of it. */
const NODE_WEIGHT = 16;

/**
 * What a record may weigh with every shared part counted at each place where it is used. A record that shares nothing never
 * reaches it; sharing may add a million values, or 16 MiB of text. Above that it is a bomb: 1 KB can stand for 10^40 values.
 *
 * @param length bytes of the record
 */
export function maxWeight(length: number): number {
  return 16 * 1024 * 1024 + (NODE_WEIGHT + 1) * length;
}

/** The weight of a value that contains no others. */
export function leafWeight(value: unknown): number {
  if (typeof value === 'string') return NODE_WEIGHT + value.length;
  return typeof value === 'object' && value instanceof Uint8Array ? NODE_WEIGHT + value.length : NODE_WEIGHT;
}

interface Seen {
  readonly weight: number;
  /** Levels of containers, itself included. */
  readonly height: number;
}

/**
 * Checks weight, depth, that nothing contains itself, that keys and members of sets are what Python can hash, and that no
 * class or half-built object is left.
 *
 * @param shared whether any container may occur twice; a tree needs no bookkeeping
 * @throws SessionDecodeError
 */
export function check(value: unknown, length: number, shared: boolean): void {
  new Checker(maxWeight(length), shared).visit(value, 1);
}

class Checker {
  private readonly limit: number;
  /** Containers already visited; null while that goes on. */
  private readonly seen: Map<object, Seen | null> | undefined;
  private weight = 0;
  private deepest = 0;

  constructor(limit: number, shared: boolean) {
    this.limit = limit;
    this.seen = shared ? new Map() : undefined;
  }

  visit(value: unknown, depth: number): void {
    if (typeof value !== 'object' || value === null) {
      this.add(leafWeight(value));
    } else if (value instanceof Map) {
      if (!this.enter(value, depth)) return;
      const [weight, deepest] = this.begin(depth);
      for (const [key, member] of value) {
        this.visitKey(key, depth + 1);
        this.visit(member, depth + 1);
      }
      this.leave(value, depth, weight, deepest);
    } else if (Array.isArray(value) || value instanceof Set) {
      if (!this.enter(value, depth)) return;
      const [weight, deepest] = this.begin(depth);
      if (Array.isArray(value)) for (const member of value) this.visit(member, depth + 1);
      else for (const member of value) this.visitKey(member, depth + 1);
      this.leave(value, depth, weight, deepest);
    } else {
      if (value instanceof Intermediate) throw new SessionDecodeError('pickle: a class where data must be');
      this.add(leafWeight(value));
    }
  }

  private visitKey(key: unknown, depth: number): void {
    this.visit(key, depth);
    if (typeof key === 'object' && key !== null && !isHashable(key)) {
      throw new SessionDecodeError('pickle: a key that Python cannot hash');
    }
  }

  /** False when this container was weighed before. */
  private enter(container: object, depth: number): boolean {
    if (depth > MAX_DEPTH) throw tooDeep();
    if (!this.seen) return true;
    const known = this.seen.get(container);
    if (known === null) throw new SessionDecodeError('pickle: a value that contains itself');
    if (known === undefined) {
      this.seen.set(container, null);
      return true;
    }
    if (depth + known.height - 1 > MAX_DEPTH) throw tooDeep();
    this.deepest = Math.max(this.deepest, depth + known.height - 1);
    this.add(known.weight);
    return false;
  }

  private begin(depth: number): [weight: number, deepest: number] {
    const before: [number, number] = [this.weight, this.deepest];
    this.deepest = depth;
    this.add(NODE_WEIGHT);
    return before;
  }

  private leave(container: object, depth: number, weight: number, deepest: number): void {
    this.seen?.set(container, { weight: this.weight - weight, height: this.deepest - depth + 1 });
    this.deepest = Math.max(this.deepest, deepest);
  }

  private add(weight: number): void {
    this.weight += weight;
    if (this.weight > this.limit) throw new SessionDecodeError('pickle: shared parts that expand beyond the limit');
  }
}

/** For values that were unpickled and are not too deep. What is not a container here is immutable in Python, save bytearray. */
function isHashable(value: unknown): boolean {
  if (value instanceof Tuple) return value.every(isHashable);
  if (value instanceof Set) return value instanceof FrozenSet;
  return !Array.isArray(value) && !(value instanceof Map) && !(value instanceof ByteArray);
}

function tooDeep(): SessionDecodeError {
  return new SessionDecodeError('pickle: nested too deep');
}
