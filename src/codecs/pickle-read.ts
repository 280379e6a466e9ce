/**
 * The pickle machine, for what protocols 0 to 5 write for plain data. Opcodes and their meaning: CPython `Lib/pickletools.py`,
 * `Modules/_pickle.c`. Everything that reaches outside of the record is refused: classes, persistent ids, the extension registry,
 * buffers. A record can make the machine allocate and work only in proportion to its own length.
 */
import { SessionDecodeError } from '../errors.ts';
import { check } from './pickle-check.ts';
import { findGlobal, Global, Intermediate, PendingUuid } from './pickle-globals.ts';
import { PickleInput } from './pickle-input.ts';
import { parseFloatLine, toFloat } from './pickle-number.ts';
import { ByteArray, FrozenSet, Tuple } from './values.ts';

/** Containers in one record. One costs a hundred bytes of memory and more, but a single byte of the record. */
const MAX_CONTAINERS = 1 << 18;
/** Members that constructors may copy from their arguments, beyond one for each byte of the record. */
const MAX_COPIED = 1 << 20;
const HIGHEST_PROTOCOL = 5;

interface Unpickled {
  /** Dicts are Maps, whole floats are `Float`s, all else as in values.ts. Checked against every bound. */
  readonly value: unknown;
  /** How many bytes the pickle took; what follows is not looked at. */
  readonly length: number;
  /** Whether some object may occur in several places. */
  readonly shared: boolean;
}

/** @throws SessionDecodeError when it is not a pickle of plain data, or breaks a bound */
export function unpickle(record: Uint8Array): Unpickled {
  const input = new PickleInput(record);
  const machine = new Machine(input);
  const value = machine.run();
  check(value, input.length, machine.shared);
  return { value, length: input.at, shared: machine.shared };
}

class Machine {
  shared = false;
  private readonly input: PickleInput;
  private readonly stack: unknown[] = [];
  private readonly marks: number[] = [];
  /** What lies below belongs to the stack before the last MARK. */
  private fence = 0;
  private readonly memo: unknown[] = [];
  private memoSize = 0;
  private containers = 0;
  private copied = 0;
  private readonly charge = (members: number): void => {
    this.container();
    this.copied += members;
    if (this.copied > MAX_COPIED + this.input.length) throw fail('arguments that are copied too often');
  };

  constructor(input: PickleInput) {
    this.input = input;
  }

  run(): unknown {
    const { input, stack } = this;
    for (;;) {
      const opcode = input.uint8();
      switch (opcode) {
        case 0x80: // PROTO
          if (input.uint8() > HIGHEST_PROTOCOL) throw fail('an unknown protocol');
          break;
        case 0x95: // FRAME: only tells a reader of streams how much to fetch
          input.length64();
          break;
        case 0x2e: // STOP
          return this.pop();

        case 0x4e: // NONE
          stack.push(null);
          break;
        case 0x88: // NEWTRUE
          stack.push(true);
          break;
        case 0x89: // NEWFALSE
          stack.push(false);
          break;
        case 0x49: // INT
          stack.push(input.intLine());
          break;
        case 0x4a: // BININT
          stack.push(input.int32());
          break;
        case 0x4b: // BININT1
          stack.push(input.uint8());
          break;
        case 0x4d: // BININT2
          stack.push(input.uint16());
          break;
        case 0x4c: // LONG
          stack.push(input.longLine());
          break;
        case 0x8a: // LONG1
          stack.push(input.long(input.uint8()));
          break;
        case 0x8b: // LONG4: the length is signed
          stack.push(input.long(input.int32()));
          break;
        case 0x46: // FLOAT
          stack.push(parseFloatLine(input.line()));
          break;
        case 0x47: // BINFLOAT
          stack.push(toFloat(input.float64()));
          break;

        case 0x8c: // SHORT_BINUNICODE
          stack.push(input.text(input.uint8()));
          break;
        case 0x58: // BINUNICODE
          stack.push(input.text(input.uint32()));
          break;
        case 0x8d: // BINUNICODE8
          stack.push(input.text(input.length64()));
          break;
        case 0x56: // UNICODE
          stack.push(input.unicodeLine());
          break;
        case 0x53: // STRING
          stack.push(input.stringLine());
          break;
        case 0x55: // SHORT_BINSTRING
          stack.push(input.ascii(input.uint8()));
          break;
        case 0x54: // BINSTRING
          stack.push(input.ascii(input.uint32()));
          break;
        case 0x43: // SHORT_BINBYTES
          stack.push(input.slice(input.uint8()));
          break;
        case 0x42: // BINBYTES
          stack.push(input.slice(input.uint32()));
          break;
        case 0x8e: // BINBYTES8
          stack.push(input.slice(input.length64()));
          break;
        case 0x96: // BYTEARRAY8
          stack.push(new ByteArray(input.slice(input.length64())));
          break;

        case 0x28: // MARK
          this.fence = stack.length;
          this.marks.push(this.fence);
          break;
        case 0x30: // POP: takes a MARK off when that is on top
          if (this.marks.length > 0 && stack.length === this.fence) this.popMark();
          else this.pop();
          break;
        case 0x31: // POP_MARK
          stack.length = this.popMark();
          break;
        case 0x32: // DUP
          this.pushAgain(this.top());
          break;

        case 0x5d: // EMPTY_LIST
          this.container();
          stack.push([]);
          break;
        case 0x6c: // LIST
          this.container();
          stack.push(this.popToMark());
          break;
        case 0x61: {
          // APPEND
          const member = this.pop();
          asList(this.top()).push(member);
          break;
        }
        case 0x65: {
          // APPENDS
          const mark = this.popMark();
          const list = asList(this.below(mark));
          for (let i = mark; i < stack.length; i++) list.push(stack[i]);
          stack.length = mark;
          break;
        }
        case 0x29: // EMPTY_TUPLE
          this.tuple(stack.length);
          break;
        case 0x85: // TUPLE1
        case 0x86: // TUPLE2
        case 0x87: {
          // TUPLE3
          const first = stack.length - (opcode - 0x84);
          if (first < this.fence) throw underflow();
          this.tuple(first);
          break;
        }
        case 0x74: // TUPLE
          this.tuple(this.popMark());
          break;
        case 0x7d: // EMPTY_DICT
          this.container();
          stack.push(new Map());
          break;
        case 0x64: {
          // DICT
          this.container();
          const dict = new Map();
          this.setItems(dict, this.popMark());
          stack.push(dict);
          break;
        }
        case 0x73: {
          // SETITEM
          const value = this.pop();
          const key = this.pop();
          asDict(this.top()).set(key, value);
          break;
        }
        case 0x75: {
          // SETITEMS
          const mark = this.popMark();
          this.setItems(asDict(this.below(mark)), mark);
          break;
        }
        case 0x8f: // EMPTY_SET
          this.container();
          stack.push(new Set());
          break;
        case 0x90: {
          // ADDITEMS
          const mark = this.popMark();
          const set = this.below(mark);
          if (!(set instanceof Set) || set instanceof FrozenSet) throw fail('members for what is not a set');
          for (let i = mark; i < stack.length; i++) set.add(stack[i]);
          stack.length = mark;
          break;
        }
        case 0x91: // FROZENSET
          this.container();
          stack.push(new FrozenSet(this.popToMark()));
          break;

        case 0x70: // PUT
          this.put(input.indexLine());
          break;
        case 0x71: // BINPUT
          this.put(input.uint8());
          break;
        case 0x72: // LONG_BINPUT
          this.put(input.uint32());
          break;
        case 0x94: // MEMOIZE
          this.put(this.memoSize);
          break;
        case 0x67: // GET
          this.get(input.indexLine());
          break;
        case 0x68: // BINGET
          this.get(input.uint8());
          break;
        case 0x6a: // LONG_BINGET
          this.get(input.uint32());
          break;

        case 0x63: // GLOBAL
          stack.push(findGlobal(input.line(), input.line()));
          break;
        case 0x93: {
          // STACK_GLOBAL
          const name = this.pop();
          stack.push(findGlobal(this.pop(), name));
          break;
        }
        case 0x52: // REDUCE
          this.construct('reduce');
          break;
        case 0x81: // NEWOBJ
          this.construct('create');
          break;
        case 0x62: {
          // BUILD
          const state = this.pop();
          const object = this.pop();
          if (!(object instanceof PendingUuid)) throw fail('a state for what is not a UUID');
          stack.push(object.build(state));
          break;
        }
        default:
          // Unknown, or one that plain data never needs: INST, OBJ, NEWOBJ_EX, (BIN)PERSID, EXT*, NEXT_BUFFER, READONLY_BUFFER.
          throw fail('an opcode that is not plain data');
      }
    }
  }

  private top(): unknown {
    if (this.stack.length <= this.fence) throw underflow();
    return this.stack[this.stack.length - 1];
  }

  private pop(): unknown {
    if (this.stack.length <= this.fence) throw underflow();
    return this.stack.pop();
  }

  private popMark(): number {
    const mark = this.marks.pop();
    if (mark === undefined) throw fail('no mark where one must be');
    this.fence = this.marks[this.marks.length - 1] ?? 0;
    return mark;
  }

  /** What the values above the mark are for. */
  private below(mark: number): unknown {
    if (mark <= this.fence) throw underflow();
    return this.stack[mark - 1];
  }

  private popToMark(): unknown[] {
    const mark = this.popMark();
    return this.stack.splice(mark);
  }

  private tuple(first: number): void {
    this.container();
    const length = this.stack.length - first;
    const tuple = new Tuple<unknown>(length);
    for (let i = 0; i < length; i++) tuple[i] = this.stack[first + i];
    this.stack.length = first;
    this.stack.push(tuple);
  }

  private setItems(dict: Map<unknown, unknown>, mark: number): void {
    const { stack } = this;
    if ((stack.length - mark) % 2 !== 0) throw fail('a key without a value');
    for (let i = mark; i < stack.length; i += 2) dict.set(stack[i], stack[i + 1]);
    stack.length = mark;
  }

  private container(): void {
    if (++this.containers > MAX_CONTAINERS) throw fail('more containers than the limit');
  }

  /** Indexes count up from 0 or 1, so none can exceed the record's length: a giant one is only there to allocate. */
  private put(index: number): void {
    if (!(index >= 0 && index <= this.input.length)) throw fail('a memo index beyond the limit');
    const value = this.top();
    if (this.memo[index] === undefined) this.memoSize++;
    this.memo[index] = value;
  }

  private get(index: number): void {
    const value = this.memo[index];
    if (value === undefined) throw fail('a memo index that was never set');
    this.pushAgain(value instanceof PendingUuid ? (value.built ?? value) : value);
  }

  private pushAgain(value: unknown): void {
    if (typeof value === 'object' && value !== null && !(value instanceof Intermediate)) this.shared = true;
    this.stack.push(value);
  }

  private construct(how: 'reduce' | 'create'): void {
    const args = this.pop();
    const global = this.pop();
    const call = global instanceof Global ? global[how] : undefined;
    if (!call || !(args instanceof Tuple)) throw fail('a call of what is not a known constructor');
    this.stack.push(call(args, this.charge));
  }
}

function asList(value: unknown): unknown[] {
  if (!Array.isArray(value) || value instanceof Tuple) throw fail('members for what is not a list');
  return value;
}

function asDict(value: unknown): Map<unknown, unknown> {
  if (!(value instanceof Map)) throw fail('items for what is not a dict');
  return value;
}

function underflow(): SessionDecodeError {
  return fail('a value is missing on the stack');
}

function fail(reason: string): SessionDecodeError {
  return new SessionDecodeError(`pickle: ${reason}`);
}
