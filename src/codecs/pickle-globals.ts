/**
 * The names that a pickle may mention, and what our own code makes of them. A name is only compared with this table: nothing
 * is imported, looked up or called by name, whatever the opcodes say (surprise S-PICKLE).
 */
import { SessionDecodeError } from '../errors.ts';
import { readDate, readDateTime, readTime, readTimeDelta, zoneOffset } from './pickle-datetime.ts';
import { ByteArray, Decimal, FrozenSet, Markup, type TimeDelta, Tuple, UUID } from './values.ts';

/** Python's `collections.OrderedDict`: a Map that is written back as one. */
export class OrderedDict<K = unknown, V = unknown> extends Map<K, V> {}

/** What only has a meaning while a pickle is read. Left in the data it makes the record unreadable. */
export abstract class Intermediate {
  /** Keeps this class apart from every other by structure too. */
  protected readonly intermediate = true;
}

/** Counts the members that a constructor copies, so that a memoized argument used again and again stays cheap. */
type Charge = (members: number) => void;

type Construct = (args: readonly unknown[], charge: Charge) => unknown;

/** A name of the table. */
export class Global extends Intermediate {
  /** What REDUCE makes; undefined when it may not be called. */
  readonly reduce: Construct | undefined;
  /** What NEWOBJ makes; undefined when it may not be instantiated. */
  readonly create: Construct | undefined;

  constructor(reduce?: Construct, create?: Construct) {
    super();
    this.reduce = reduce;
    this.create = create;
  }
}

/** A `datetime.timezone`, which only occurs inside a datetime or a time. */
class Zone extends Intermediate {
  readonly offset: number;

  constructor(delta: TimeDelta) {
    super();
    this.offset = zoneOffset(delta);
  }
}

/** A `uuid.SafeUUID`: part of the state that old Pythons gave to a UUID. It says where the UUID came from; we drop it. */
class SafeUuid extends Intermediate {}

/** A UUID between NEWOBJ, which makes it empty, and BUILD, which fills it. */
export class PendingUuid extends Intermediate {
  built: UUID | undefined;

  /** @throws SessionDecodeError when it is not the state of a UUID, or the second one */
  build(state: unknown): UUID {
    if (!(state instanceof Map) || this.built) throw refused();
    const int: unknown = state.get('int');
    for (const [key, value] of state) {
      if (key !== 'int' && !(key === 'is_safe' && (isSafety(value) || value instanceof SafeUuid))) throw refused();
    }
    const whole = typeof int === 'bigint' || Number.isInteger(int);
    if (!whole || (int as bigint) < 0 || (int as bigint) >= 1n << 128n) throw refused();
    this.built = new UUID((int as bigint).toString(16).padStart(32, '0'));
    return this.built;
  }
}

/** The values of `uuid.SafeUUID`: safe, unsafe, unknown. */
function isSafety(value: unknown): boolean {
  return value === 0 || value === -1 || value === null;
}

const DECIMAL = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,18})?|inf(?:inity)?|s?nan\d*)$/i;

/** Whether Python's `Decimal(text)` would take it. */
export function isDecimal(text: unknown): text is string {
  return typeof text === 'string' && DECIMAL.test(text);
}

const OBJECT = new Global();
const TEXT = new Global();
const UUID_CLASS = new Global(undefined, (args) => {
  expect(args.length === 0);
  return new PendingUuid();
});
const MARKUP_CLASS = new Global(undefined, ([text, ...rest]) => {
  expect(typeof text === 'string' && rest.length === 0);
  return new Markup(text as string);
});

/** How protocols 0 and 1 make what NEWOBJ makes in later ones: (class, base class, the base's state). */
const RECONSTRUCTOR = new Global((args) => {
  const [type, base, state] = args;
  expect(args.length === 3);
  if (type === UUID_CLASS && base === OBJECT && state === null) return new PendingUuid();
  expect(type === MARKUP_CLASS && base === TEXT && typeof state === 'string');
  return new Markup(state as string);
});

/** How protocols 0 to 2, which have no opcode for bytes, write them. Any other codec is refused. */
const ENCODE = new Global(([text, codec, ...rest], charge) => {
  expect(typeof text === 'string' && (codec === 'latin1' || codec === 'latin-1') && rest.length === 0);
  return latin1(text as string, charge);
});

const BYTES = new Global((args, charge) => (args.length === 0 ? new Uint8Array(0) : copyBytes(args, charge).slice()));

const BYTEARRAY = new Global((args, charge) => {
  if (args.length === 2 && typeof args[0] === 'string') {
    expect(args[1] === 'latin1' || args[1] === 'latin-1');
    return new ByteArray(latin1(args[0], charge));
  }
  return args.length === 0 ? new ByteArray(0) : new ByteArray(copyBytes(args, charge));
});

const SET = new Global((args, charge) => new Set(members(args, charge)));
const FROZENSET = new Global((args, charge) => new FrozenSet(members(args, charge)));

/** Without arguments, the items then come by SETITEMS; Python 2 passes them as a list of pairs. */
const ORDERED_DICT = new Global((args, charge) => {
  const dict = new OrderedDict();
  if (args.length === 0) return dict;
  for (const pair of members(args, charge)) {
    expect(Array.isArray(pair) && pair.length === 2);
    const [key, value] = pair as [unknown, unknown];
    dict.set(key, value);
  }
  return dict;
});

const DATETIME = new Global((args) => readDateTime(...stateAndZone(args)));
const TIME = new Global((args) => readTime(...stateAndZone(args)));
const DATE = new Global((args) => {
  const [state, zone] = stateAndZone(args);
  expect(zone === null);
  return readDate(state);
});
const TIMEDELTA = new Global((args) => {
  expect(args.length === 3);
  return readTimeDelta(args[0], args[1], args[2]);
});
const TIMEZONE = new Global((args) => {
  // The second argument is the zone's name, which has no counterpart.
  expect(args.length === 1 || (args.length === 2 && typeof args[1] === 'string'));
  return new Zone(args[0] as TimeDelta);
});
const DECIMAL_CLASS = new Global((args) => {
  const [text] = args;
  if (args.length !== 1 || !isDecimal(text)) throw refused();
  return new Decimal(text);
});
const SAFE_UUID = new Global((args) => {
  expect(args.length === 1 && isSafety(args[0]));
  return new SafeUuid();
});

const TABLE: ReadonlyMap<string, Global> = new Map([
  ['_codecs encode', ENCODE],
  ...inBuiltins('bytes', BYTES),
  ...inBuiltins('bytearray', BYTEARRAY),
  ...inBuiltins('set', SET),
  ...inBuiltins('frozenset', FROZENSET),
  ...inBuiltins('object', OBJECT),
  ['__builtin__ unicode', TEXT],
  ['builtins str', TEXT],
  ['copy_reg _reconstructor', RECONSTRUCTOR],
  ['copyreg _reconstructor', RECONSTRUCTOR],
  ['collections OrderedDict', ORDERED_DICT],
  ['datetime datetime', DATETIME],
  ['datetime date', DATE],
  ['datetime time', TIME],
  ['datetime timedelta', TIMEDELTA],
  ['datetime timezone', TIMEZONE],
  ['decimal Decimal', DECIMAL_CLASS],
  ['markupsafe Markup', MARKUP_CLASS],
  ['uuid UUID', UUID_CLASS],
  ['uuid SafeUUID', SAFE_UUID],
]);

const LONGEST = 32;

/** @throws SessionDecodeError when the table does not have it */
export function findGlobal(module: unknown, name: unknown): Global {
  if (typeof module !== 'string' || typeof name !== 'string' || module.length + name.length >= LONGEST) throw refused();
  const found = TABLE.get(`${module} ${name}`);
  if (!found) throw refused();
  return found;
}

/** The module's name in Python 3 and in Python 2, which protocols 0 to 2 use. */
function inBuiltins(name: string, global: Global): [string, Global][] {
  return [
    [`builtins ${name}`, global],
    [`__builtin__ ${name}`, global],
  ];
}

function stateAndZone(args: readonly unknown[]): [Uint8Array, number | null] {
  const [state, zone = null] = args;
  expect(state instanceof Uint8Array && args.length <= 2 && (zone === null || zone instanceof Zone));
  return [state as Uint8Array, zone === null ? null : (zone as Zone).offset];
}

function latin1(text: string, charge: Charge): Uint8Array {
  charge(text.length);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    expect(code < 0x100);
    bytes[at] = code;
  }
  return bytes;
}

function copyBytes(args: readonly unknown[], charge: Charge): Uint8Array {
  const [bytes] = args;
  expect(bytes instanceof Uint8Array && args.length === 1);
  charge((bytes as Uint8Array).length);
  return bytes as Uint8Array;
}

function members(args: readonly unknown[], charge: Charge): readonly unknown[] {
  const [list = []] = args;
  expect(Array.isArray(list) && !(list instanceof Tuple) && args.length <= 1);
  charge((list as unknown[]).length);
  return list as unknown[];
}

function expect(holds: boolean): void {
  if (!holds) throw refused();
}

function refused(): SessionDecodeError {
  return new SessionDecodeError('pickle: it names a class or a call that is not plain data');
}
