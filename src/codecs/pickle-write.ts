/**
 * Values to a pickle of protocol 5, byte for byte as CPython's C pickler writes the same value (`_pickle.c`). Only the identity
 * of equal texts cannot be known here: equal text is taken to be one object, as it is for literals and for keys in Python.
 */
import { SessionEncodeError } from '../errors.ts';
import { MAX_DEPTH } from './limits.ts';
import { leafWeight, maxWeight, NODE_WEIGHT } from './pickle-check.ts';
import { dateState, dateTimeState, isTimeDelta, type State, timeState } from './pickle-datetime.ts';
import { isDecimal, OrderedDict } from './pickle-globals.ts';
import { writeLong } from './pickle-number.ts';
import { PickleOutput } from './pickle-output.ts';
import {
  ByteArray,
  Decimal,
  Extension,
  Float,
  FrozenSet,
  floatMarks,
  isMarked,
  Markup,
  PlainDate,
  PlainTime,
  plainEntries,
  TimeDelta,
  Tuple,
  UUID,
} from './values.ts';

const MARK = 0x28;
const EMPTY_TUPLE = 0x29;
const REDUCE = 0x52;
const NEWOBJ = 0x81;
const BUILD = 0x62;
const SETITEM = 0x73;
const SETITEMS = 0x75;
const MEMOIZE = 0x94;

/** Members of one APPENDS, SETITEMS or ADDITEMS. */
const BATCH = 1000;

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

/** The place of an object that CPython has no single copy of, or that is written in another's stead. */
const NOT_MEMOIZED = -1;
const HASHABLE = [Float, FrozenSet, Date, PlainDate, PlainTime, TimeDelta, UUID, Decimal];

type Entries = readonly (readonly [unknown, unknown])[];
type Marks = ReturnType<typeof floatMarks>;

interface Saved {
  readonly index: number;
  readonly weight: number;
  /** Levels of containers. */
  readonly height: number;
}

class PickleWriter {
  private readonly out = new PickleOutput();
  private memoized = 0;
  /** Where the memo has a text, a class (`module.name`) or one of the objects that exist only once in CPython. */
  private readonly texts = new Map<string, number>();
  private readonly singletons = new Map<string, number>();
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

  save(value: unknown, isFloat: boolean): void {
    const { out } = this;
    switch (typeof value) {
      case 'string':
        return this.saveText(value);
      case 'number':
        out.boundary();
        this.weight += NODE_WEIGHT;
        if (isFloat || !Number.isInteger(value) || Object.is(value, -0)) return out.float(value);
        return this.writeInt(value);
      case 'boolean':
        out.boundary();
        this.weight += NODE_WEIGHT;
        return out.opcode(value ? 0x88 : 0x89);
      case 'bigint':
        out.boundary();
        this.weight += NODE_WEIGHT;
        return this.writeInt(value);
      case 'undefined':
        return this.save(null, false);
      case 'object':
        if (value !== null) return this.saveObject(value);
        out.boundary();
        this.weight += NODE_WEIGHT;
        return out.opcode(0x4e);
      default:
        throw new SessionEncodeError(`pickle: a ${typeof value} is not data`);
    }
  }

  private saveObject(value: object): void {
    if (value instanceof Float) return this.save(value.value, true);
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
    this.get(known.index);
    return true;
  }

  /** Returns the object's place in the memo. */
  private write(value: object): number {
    if (Array.isArray(value)) return value instanceof Tuple ? this.writeTuple(value) : this.writeList(value);
    if (value instanceof Map) return value instanceof OrderedDict ? this.writeOrdered(value) : this.writeMap(value);
    if (value instanceof Set) return value instanceof FrozenSet ? this.writeFrozenSet(value) : this.writeSet(value);
    if (value instanceof Uint8Array) return this.writeBytes(value);
    if (value instanceof Date) return this.writeDate('datetime', dateTimeState(value));
    if (value instanceof PlainDate) return this.writeDate('date', dateState(value));
    if (value instanceof PlainTime) return this.writeDate('time', timeState(value));
    if (value instanceof TimeDelta) return this.writeTimeDelta(value.days, value.seconds, value.microseconds);
    if (value instanceof UUID) return this.writeUuid(value);
    if (value instanceof Decimal) return this.writeDecimal(value);
    if (value instanceof Extension) throw new SessionEncodeError('pickle: a msgpack extension has no counterpart');
    const { __html__, toJSON } = value as { __html__?: unknown; toJSON?: unknown };
    if (typeof __html__ === 'function') return this.writeMarkup(String(__html__.call(value)));
    if (typeof toJSON === 'function') {
      const plain: unknown = toJSON.call(value);
      if (plain !== value) return this.writeInstead(plain);
    }
    return this.writeDict(plainEntries(value), floatMarks(value));
  }

  /** What `toJSON` returned; the object shares its place. */
  private writeInstead(plain: unknown): number {
    this.enter();
    this.save(plain, false);
    return (typeof plain === 'object' && plain !== null && this.objects.get(plain)?.index) || NOT_MEMOIZED;
  }

  private writeList(list: readonly unknown[]): number {
    const { out } = this;
    const marks = floatMarks(list);
    this.enter();
    out.opcode(0x5d); // EMPTY_LIST
    const index = this.memoize();
    if (list.length === 1) {
      this.save(list[0], isMarked(marks, 0, list[0]));
      out.opcode(0x61); // APPEND
    }
    for (let i = 0; i < list.length && list.length > 1; ) {
      out.opcode(MARK);
      for (const end = Math.min(i + BATCH, list.length); i < end; i++) this.save(list[i], isMarked(marks, i, list[i]));
      out.opcode(0x65); // APPENDS
    }
    return index;
  }

  private writeTuple(tuple: Tuple): number {
    const { out } = this;
    const marks = floatMarks(tuple);
    this.enter();
    if (tuple.length === 0) {
      out.opcode(EMPTY_TUPLE);
      return NOT_MEMOIZED;
    }
    if (tuple.length > 3) out.opcode(MARK);
    for (let i = 0; i < tuple.length; i++) this.save(tuple[i], isMarked(marks, i, tuple[i]));
    return this.endTuple(tuple.length);
  }

  private writeMap(map: Map<unknown, unknown>): number {
    return this.writeDict(definedEntries(map), floatMarks(map));
  }

  private writeDict(entries: Entries, marks: Marks): number {
    const { out } = this;
    this.enter();
    out.opcode(0x7d); // EMPTY_DICT
    const index = this.memoize();
    if (entries.length === 1) {
      this.saveItem(entries[0]!, marks);
      out.opcode(SETITEM);
    } else if (entries.length > 1) {
      this.saveBatches(entries, (entry) => this.saveItem(entry, marks), SETITEMS);
    }
    return index;
  }

  /** Its items do not come from an exact dict, and a batch of one is then written without a mark. */
  private writeOrdered(dict: OrderedDict): number {
    const { out } = this;
    const entries = definedEntries(dict);
    const marks = floatMarks(dict);
    this.enter();
    this.saveClass('collections', 'OrderedDict', true);
    out.boundary();
    out.opcode(EMPTY_TUPLE);
    out.opcode(REDUCE);
    const index = this.memoize();
    for (let i = 0; i < entries.length; ) {
      const end = Math.min(i + BATCH, entries.length);
      const single = end - i === 1;
      if (!single) out.opcode(MARK);
      while (i < end) this.saveItem(entries[i++]!, marks);
      out.opcode(single ? SETITEM : SETITEMS);
    }
    return index;
  }

  private saveItem([key, value]: readonly [unknown, unknown], marks: Marks): void {
    this.saveKey(key);
    this.save(value, isMarked(marks, key as string, value));
  }

  private saveKey(key: unknown): void {
    if (typeof key !== 'string' && !isHashable(key))
      throw new SessionEncodeError('pickle: a key that Python cannot hash');
    this.save(key, false);
  }

  private writeSet(set: Set<unknown>): number {
    const marks = floatMarks(set);
    this.enter();
    this.out.opcode(0x8f); // EMPTY_SET
    const index = this.memoize();
    if (set.size > 0) this.saveBatches([...set], (member, i) => this.saveMember(member, i, marks), 0x90); // ADDITEMS
    return index;
  }

  private writeFrozenSet(set: FrozenSet): number {
    const marks = floatMarks(set);
    this.enter();
    this.out.opcode(MARK);
    let i = 0;
    for (const member of set) this.saveMember(member, i++, marks);
    this.out.opcode(0x91); // FROZENSET
    return this.memoize();
  }

  private saveMember(member: unknown, index: number, marks: Marks): void {
    if (isMarked(marks, index, member)) this.save(member, true);
    else this.saveKey(member ?? null);
  }

  /** As for dicts and sets: a full last batch is followed by an empty one. */
  private saveBatches<T>(members: readonly T[], save: (member: T, index: number) => void, opcode: number): void {
    let i = 0;
    let full = true;
    while (full) {
      this.out.opcode(MARK);
      const end = Math.min(i + BATCH, members.length);
      full = end - i === BATCH;
      for (; i < end; i++) save(members[i]!, i);
      this.out.opcode(opcode);
    }
  }

  private writeBytes(bytes: Uint8Array): number {
    if (bytes instanceof ByteArray) {
      this.out.byteArray(bytes);
      return this.memoize();
    }
    if (bytes.length > 1) {
      this.out.byteString(bytes);
      return this.memoize();
    }
    // CPython keeps one object for no bytes, and one for each single byte.
    const name = `bytes ${bytes[0]}`;
    const known = this.singletons.get(name);
    if (known !== undefined) {
      this.get(known);
      return known;
    }
    this.out.byteString(bytes);
    return this.memoizeAs(name);
  }

  private writeDate(name: 'datetime' | 'date' | 'time', { bytes, offset }: State): number {
    const { out } = this;
    this.saveClass('datetime', name);
    out.boundary();
    out.boundary();
    out.byteString(bytes);
    this.memoize();
    if (offset !== null) this.saveZone(offset);
    this.endTuple(offset === null ? 1 : 2);
    out.opcode(REDUCE);
    return this.memoize();
  }

  /** `timezone.utc` exists once in CPython, other zones are made anew for each value. */
  private saveZone(offset: number): void {
    const { out } = this;
    out.boundary();
    const known = offset === 0 ? this.singletons.get('utc') : undefined;
    if (known !== undefined) return this.get(known);
    this.saveClass('datetime', 'timezone');
    out.boundary();
    out.boundary();
    this.writeTimeDelta(Math.floor(offset / 86_400), offset < 0 ? offset + 86_400 : offset, 0);
    this.endTuple(1);
    out.opcode(REDUCE);
    if (offset === 0) this.memoizeAs('utc');
    else this.memoize();
  }

  private writeTimeDelta(days: number, seconds: number, microseconds: number): number {
    if (!isTimeDelta(days, seconds, microseconds)) throw new SessionEncodeError('pickle: a malformed timedelta');
    this.saveClass('datetime', 'timedelta');
    this.out.boundary();
    for (const part of [days, seconds, microseconds]) {
      this.out.boundary();
      this.writeInt(part);
    }
    this.endTuple(3);
    this.out.opcode(REDUCE);
    return this.memoize();
  }

  private writeUuid(uuid: UUID): number {
    const { out } = this;
    this.saveClass('uuid', 'UUID', true);
    out.boundary();
    out.opcode(EMPTY_TUPLE);
    out.opcode(NEWOBJ);
    const index = this.memoize();
    out.boundary();
    out.opcode(0x7d); // EMPTY_DICT
    this.memoize();
    this.writeText('int');
    out.boundary();
    this.writeInt(BigInt(`0x${uuid.hex}`));
    out.opcode(SETITEM);
    out.opcode(BUILD);
    return index;
  }

  private writeDecimal({ text }: Decimal): number {
    if (!isDecimal(text)) throw new SessionEncodeError('pickle: a malformed Decimal');
    this.saveClass('decimal', 'Decimal');
    this.saveTextArgument(text);
    this.out.opcode(REDUCE);
    return this.memoize();
  }

  private writeMarkup(html: string): number {
    this.saveClass('markupsafe', 'Markup', true);
    this.saveTextArgument(html);
    this.out.opcode(NEWOBJ);
    return this.memoize();
  }

  private saveTextArgument(text: string): void {
    this.out.boundary();
    this.writeText(text);
    this.endTuple(1);
  }

  /** @param interned whether CPython keeps the name as an interned text (classes written in Python), or makes it anew (in C) */
  private saveClass(module: string, name: string, interned = false): void {
    const { out } = this;
    const key = `${module}.${name}`;
    out.boundary();
    const known = this.singletons.get(key);
    if (known !== undefined) return this.get(known);
    this.writeText(module);
    if (interned) {
      this.writeText(name);
    } else {
      out.boundary();
      out.text(name);
      this.memoize();
    }
    out.opcode(0x93); // STACK_GLOBAL
    this.memoizeAs(key);
  }

  private saveText(text: string): void {
    this.weight += leafWeight(text);
    this.writeText(text);
  }

  private writeText(text: string): void {
    this.out.boundary();
    const known = this.texts.get(text);
    if (known !== undefined) return this.get(known);
    this.out.text(text);
    this.texts.set(text, this.memoize());
  }

  private writeInt(value: number | bigint): void {
    const { out } = this;
    if (value >= -0x80000000 && value <= 0x7fffffff) {
      const int = Number(value);
      if (int >= 0 && int <= 0xff)
        out.opcode8(0x4b, int); // BININT1
      else if (int >= 0 && int <= 0xffff)
        out.opcode16(0x4d, int); // BININT2
      else out.opcode32(0x4a, int); // BININT
      return;
    }
    const long = writeLong(BigInt(value));
    if (!long) throw new SessionEncodeError('pickle: an integer with too many digits');
    if (long.length <= 0xff)
      out.opcode8(0x8a, long.length); // LONG1
    else out.opcode32(0x8b, long.length); // LONG4
    out.raw(long);
  }

  private endTuple(length: number): number {
    this.out.opcode(length > 3 ? 0x74 : 0x84 + length); // TUPLE, TUPLE1, TUPLE2, TUPLE3
    return this.memoize();
  }

  private enter(): void {
    if (++this.depth > MAX_DEPTH) throw tooDeep();
    this.deepest = Math.max(this.deepest, this.depth);
  }

  private memoize(): number {
    this.out.opcode(MEMOIZE);
    return this.memoized++;
  }

  private memoizeAs(name: string): number {
    const index = this.memoize();
    this.singletons.set(name, index);
    return index;
  }

  private get(index: number): void {
    if (index <= 0xff)
      this.out.opcode8(0x68, index); // BINGET
    else this.out.opcode32(0x6a, index); // LONG_BINGET
  }
}

/** For keys and members of sets. Objects that are not known here become dicts, which cannot be either. */
function isHashable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value !== undefined;
  if (value instanceof Tuple) return value.every((member) => isHashable(member ?? null));
  if (value instanceof Uint8Array) return !(value instanceof ByteArray);
  if (value instanceof Markup || typeof (value as { __html__?: unknown }).__html__ === 'function') return true;
  return HASHABLE.some((type) => value instanceof type);
}

function definedEntries(map: Map<unknown, unknown>): Entries {
  return [...map].filter(([, value]) => value !== undefined);
}

function tooDeep(): SessionEncodeError {
  return new SessionEncodeError('pickle: nested too deep');
}

function tooLarge(): SessionEncodeError {
  return new SessionEncodeError('pickle: shared parts that expand beyond the limit');
}
