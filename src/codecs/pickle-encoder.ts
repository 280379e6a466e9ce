/** What every value of a pickle is written with: the memo, texts, ints, tuples and names of classes, as CPython writes them. */
import { SessionEncodeError } from '../errors.ts';
import { writeLong } from './pickle-number.ts';
import { PickleOutput } from './pickle-output.ts';

export const OPCODE = {
  mark: 0x28,
  emptyTuple: 0x29,
  none: 0x4e,
  true: 0x88,
  false: 0x89,
  emptyList: 0x5d,
  append: 0x61,
  appends: 0x65,
  emptyDict: 0x7d,
  setItem: 0x73,
  setItems: 0x75,
  emptySet: 0x8f,
  addItems: 0x90,
  frozenSet: 0x91,
  reduce: 0x52,
  newObject: 0x81,
  build: 0x62,
} as const;

export class PickleEncoder {
  readonly out = new PickleOutput();
  private memoized = 0;
  private readonly texts = new Map<string, number>();
  private readonly singletons = new Map<string, number>();

  /** Puts what was just written into the memo. */
  memoize(): number {
    this.out.opcode(0x94); // MEMOIZE
    return this.memoized++;
  }

  /** The same, for an object that exists only once in CPython. */
  memoizeAs(singleton: string): number {
    const index = this.memoize();
    this.singletons.set(singleton, index);
    return index;
  }

  /** Refers to what has this place in the memo. */
  refer(index: number): void {
    if (index <= 0xff)
      this.out.opcode8(0x68, index); // BINGET
    else this.out.opcode32(0x6a, index); // LONG_BINGET
  }

  /** Refers to an object that exists only once, and returns its place; undefined when it was not written yet. */
  referTo(singleton: string): number | undefined {
    const index = this.singletons.get(singleton);
    if (index !== undefined) this.refer(index);
    return index;
  }

  /** A text; equal ones are taken to be one object. */
  text(text: string): void {
    this.out.boundary();
    const known = this.texts.get(text);
    if (known !== undefined) {
      this.refer(known);
    } else {
      this.out.text(text);
      this.texts.set(text, this.memoize());
    }
  }

  /** A text that CPython makes for this place alone: no other is the same object. */
  ownText(text: string): void {
    this.out.boundary();
    this.out.text(text);
    this.memoize();
  }

  /** @throws SessionEncodeError when a reader would not take so many digits */
  int(value: number | bigint): void {
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

  /** Makes a tuple of the last `length` values; from 4 on, they follow a mark. */
  tuple(length: number): number {
    this.out.opcode(length > 3 ? 0x74 : 0x84 + length); // TUPLE, TUPLE1, TUPLE2, TUPLE3
    return this.memoize();
  }

  /** The empty tuple, which needs no memo. */
  emptyTuple(): void {
    this.out.boundary();
    this.out.opcode(OPCODE.emptyTuple);
  }

  /** @param interned whether the class keeps its name as an interned text (written in Python), or makes it anew (in C) */
  class(module: string, name: string, interned: boolean): void {
    const { out } = this;
    out.boundary();
    const singleton = `${module}.${name}`;
    if (this.referTo(singleton) !== undefined) return;
    this.text(module);
    if (interned) this.text(name);
    else this.ownText(name);
    out.opcode(0x93); // STACK_GLOBAL
    this.memoizeAs(singleton);
  }

  /** Makes an object of a class and its arguments, which were the last values. */
  construct(opcode: typeof OPCODE.reduce | typeof OPCODE.newObject): number {
    this.out.opcode(opcode);
    return this.memoize();
  }
}
