/**
 * Values to a pickle of protocol 5, byte for byte as CPython's C pickler writes the same value (`_pickle.c`). Only the identity
 * of equal texts cannot be known here: equal text is taken to be one object, as it is for literals and for keys in Python.
 */
import { SessionEncodeError } from '../errors.ts';
import { MAX_DEPTH } from './limits.ts';
import { leafWeight, maxWeight } from './pickle-check.ts';
import { OPCODE, PickleEncoder } from './pickle-encoder.ts';
import { OrderedDict } from './pickle-globals.ts';
import { writeMarkup, writeType } from './pickle-write-types.ts';
import {
  ByteArray,
  Decimal,
  Extension,
  Float,
  FrozenSet,
  floatMarks,
  isMarked,
  PlainDate,
  PlainTime,
  plainEntries,
  TimeDelta,
  Tuple,
  UUID,
} from './values.ts';

/** Members of one APPENDS, SETITEMS or ADDITEMS. */
const BATCH = 1000;

/** The place of an object that the memo does not have: it is written again the next time. */
const NOT_MEMOIZED = -1;

const HASHABLE = [Float, FrozenSet, Date, PlainDate, PlainTime, TimeDelta, UUID, Decimal];

/**
 * @throws SessionEncodeError for what a pickle of plain data cannot hold: functions, symbols, extensions, keys that Python cannot
 * hash, values that contain themselves, are nested too deep or, with shared parts counted each time, too large to be read again
 */
export function encodePickle(value: unknown): Uint8Array {
  const writer = new PickleWriter();
  try {
    writer.save(value, false);
  } catch (error) {
    if (error instanceof SessionEncodeError) throw error;
    throw new SessionEncodeError('pickle: a getter or toJSON of a value failed', { cause: error });
  }
  return writer.finish();
}

type Entry = readonly [key: unknown, value: unknown];
type Marks = ReturnType<typeof floatMarks>;

interface Saved {
  readonly index: number;
  readonly weight: number;
  /** Levels of containers. */
  readonly height: number;
}

class PickleWriter {
  private readonly encoder = new PickleEncoder();
  private readonly out = this.encoder.out;
  /** Null: begun, and not finished. */
  private readonly objects = new Map<object, Saved | null>();
  private weight = 0;
  private depth = 0;
  private deepest = 0;

  finish(): Uint8Array {
    const bytes = this.out.finish();
    if (this.weight > maxWeight(bytes.length)) throw tooLarge();
    return bytes;
  }

  /** @param isFloat whether a whole number is to be a float */
  save(value: unknown, isFloat: boolean): void {
    if (typeof value === 'object' && value !== null && !(value instanceof Float)) {
      this.saveObject(value);
      return;
    }
    this.weight += leafWeight(value);
    if (typeof value === 'string') this.encoder.text(value);
    else this.saveAtom(value, isFloat);
  }

  private saveAtom(value: unknown, isFloat: boolean): void {
    this.out.boundary();
    if (value === null || value === undefined) {
      this.out.opcode(OPCODE.none);
    } else if (typeof value === 'boolean') {
      this.out.opcode(value ? OPCODE.true : OPCODE.false);
    } else if (typeof value === 'number') {
      if (isFloat || !Number.isInteger(value) || Object.is(value, -0)) this.out.float(value);
      else this.encoder.int(value);
    } else if (typeof value === 'bigint') {
      this.encoder.int(value);
    } else if (value instanceof Float) {
      this.out.float(value.value);
    } else {
      throw new SessionEncodeError(`pickle: a ${typeof value} is not data`);
    }
  }

  private saveObject(value: object): void {
    this.out.boundary();
    if (this.reuse(value)) return;
    const { weight, deepest, depth } = this;
    this.weight += leafWeight(value);
    this.objects.set(value, null);
    this.deepest = depth;
    const index = this.write(value);
    this.depth = depth;
    this.objects.set(value, { index, weight: this.weight - weight, height: this.deepest - depth });
    this.deepest = Math.max(this.deepest, deepest);
  }

  /** Refers to the object when it was written before. */
  private reuse(value: object): boolean {
    const known = this.objects.get(value);
    if (known === null) throw new SessionEncodeError('pickle: a value that contains itself');
    if (known === undefined || known.index === NOT_MEMOIZED) return false;
    this.weight += known.weight;
    this.deepest = Math.max(this.deepest, this.depth + known.height);
    if (this.deepest > MAX_DEPTH) throw tooDeep();
    if (this.weight > maxWeight(this.out.length)) throw tooLarge();
    this.encoder.refer(known.index);
    return true;
  }

  /** Returns the object's place in the memo. */
  private write(value: object): number {
    if (Array.isArray(value)) return value instanceof Tuple ? this.writeTuple(value) : this.writeList(value);
    if (value instanceof Map) return value instanceof OrderedDict ? this.writeOrdered(value) : this.writeMap(value);
    if (value instanceof Set) return value instanceof FrozenSet ? this.writeFrozenSet(value) : this.writeSet(value);
    const index = writeType(this.encoder, value);
    if (index !== undefined) return index;
    if (value instanceof Extension) throw new SessionEncodeError('pickle: a msgpack extension has no counterpart');
    const { __html__, toJSON } = value as { __html__?: unknown; toJSON?: unknown };
    if (typeof __html__ === 'function') return this.writeMarkup(String(__html__.call(value)));
    if (typeof toJSON === 'function') {
      const plain: unknown = toJSON.call(value);
      if (plain !== value) return this.writeInstead(plain);
    }
    return this.writeDict(plainEntries(value), floatMarks(value));
  }

  private writeMarkup(html: string): number {
    this.weight += html.length;
    return writeMarkup(this.encoder, html);
  }

  /** What `toJSON` returned, whose place the object then shares. */
  private writeInstead(plain: unknown): number {
    this.enter();
    this.save(plain, false);
    const saved = typeof plain === 'object' && plain !== null ? this.objects.get(plain) : undefined;
    return saved?.index ?? NOT_MEMOIZED;
  }

  private writeList(list: readonly unknown[]): number {
    const { out } = this;
    const marks = floatMarks(list);
    this.enter();
    out.opcode(OPCODE.emptyList);
    const index = this.encoder.memoize();
    if (list.length === 1) {
      this.save(list[0], isMarked(marks, 0, list[0]));
      out.opcode(OPCODE.append);
      return index;
    }
    for (let i = 0; i < list.length; ) {
      out.opcode(OPCODE.mark);
      for (const end = Math.min(i + BATCH, list.length); i < end; i++) this.save(list[i], isMarked(marks, i, list[i]));
      out.opcode(OPCODE.appends);
    }
    return index;
  }

  private writeTuple(tuple: Tuple): number {
    const marks = floatMarks(tuple);
    this.enter();
    if (tuple.length === 0) {
      this.encoder.emptyTuple();
      return NOT_MEMOIZED;
    }
    if (tuple.length > 3) this.out.opcode(OPCODE.mark);
    for (let i = 0; i < tuple.length; i++) this.save(tuple[i], isMarked(marks, i, tuple[i]));
    return this.encoder.tuple(tuple.length);
  }

  private writeMap(map: ReadonlyMap<unknown, unknown>): number {
    return this.writeDict(definedEntries(map), floatMarks(map));
  }

  private writeDict(entries: readonly Entry[], marks: Marks): number {
    this.enter();
    this.out.opcode(OPCODE.emptyDict);
    const index = this.encoder.memoize();
    if (entries.length === 1) {
      this.saveItem(entries[0]!, marks);
      this.out.opcode(OPCODE.setItem);
    } else if (entries.length > 1) {
      this.saveBatches(entries, (entry) => this.saveItem(entry, marks), OPCODE.setItems);
    }
    return index;
  }

  /** Its items do not come from an exact dict, and a batch of one is then written without a mark. */
  private writeOrdered(dict: OrderedDict): number {
    const { out } = this;
    const entries = definedEntries(dict);
    const marks = floatMarks(dict);
    this.enter();
    this.encoder.class('collections', 'OrderedDict', false);
    this.encoder.emptyTuple();
    const index = this.encoder.construct(OPCODE.reduce);
    for (let i = 0; i < entries.length; ) {
      const end = Math.min(i + BATCH, entries.length);
      const single = end - i === 1;
      if (!single) out.opcode(OPCODE.mark);
      while (i < end) this.saveItem(entries[i++]!, marks);
      out.opcode(single ? OPCODE.setItem : OPCODE.setItems);
    }
    return index;
  }

  private saveItem([key, value]: Entry, marks: Marks): void {
    this.saveKey(key);
    this.save(value, isMarked(marks, key as string, value));
  }

  private saveKey(key: unknown): void {
    if (!isHashable(key)) throw new SessionEncodeError('pickle: a key that Python cannot hash');
    this.save(key, false);
  }

  private writeSet(set: ReadonlySet<unknown>): number {
    const marks = floatMarks(set);
    this.enter();
    this.out.opcode(OPCODE.emptySet);
    const index = this.encoder.memoize();
    const save = (member: unknown, i: number) => this.saveMember(member, i, marks);
    if (set.size > 0) this.saveBatches([...set], save, OPCODE.addItems);
    return index;
  }

  private writeFrozenSet(set: FrozenSet): number {
    const marks = floatMarks(set);
    this.enter();
    this.out.opcode(OPCODE.mark);
    let i = 0;
    for (const member of set) this.saveMember(member, i++, marks);
    this.out.opcode(OPCODE.frozenSet);
    return this.encoder.memoize();
  }

  private saveMember(member: unknown, index: number, marks: Marks): void {
    if (isMarked(marks, index, member)) this.save(member, true);
    else this.saveKey(member ?? null);
  }

  /** As for dicts and sets: a full last batch is followed by an empty one. */
  private saveBatches<T>(members: readonly T[], save: (member: T, index: number) => void, opcode: number): void {
    let i = 0;
    for (let full = true; full; ) {
      this.out.opcode(OPCODE.mark);
      const end = Math.min(i + BATCH, members.length);
      full = end - i === BATCH;
      for (; i < end; i++) save(members[i]!, i);
      this.out.opcode(opcode);
    }
  }

  private enter(): void {
    if (++this.depth > MAX_DEPTH) throw tooDeep();
    this.deepest = Math.max(this.deepest, this.depth);
  }
}

/** For keys and members of sets. Objects that are not known here become dicts, which cannot be either. */
function isHashable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value !== undefined;
  if (value instanceof Tuple) return value.every((member) => isHashable(member ?? null));
  if (value instanceof Uint8Array) return !(value instanceof ByteArray);
  if (HASHABLE.some((type) => value instanceof type)) return true;
  return !Array.isArray(value) && typeof (value as { __html__?: unknown }).__html__ === 'function';
}

function definedEntries(map: ReadonlyMap<unknown, unknown>): Entry[] {
  return [...map].filter(([, value]) => value !== undefined);
}

function tooDeep(): SessionEncodeError {
  return new SessionEncodeError('pickle: nested too deep');
}

function tooLarge(): SessionEncodeError {
  return new SessionEncodeError('pickle: shared parts that expand beyond the limit');
}
