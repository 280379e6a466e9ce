/**
 * Values that Python has and JavaScript has not. A record that Flask wrote may contain them; a handler that does not touch
 * them gives them back unchanged, and one that does meets them in these forms.
 */

/**
 * A whole number that Python is to see as a float: `new Float(1)` is written `1.0`. A plain `1` is written as an int, and
 * numbers with a fraction, NaN, infinities and -0 are always floats. Reading a session gives plain numbers, never this.
 */
export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
  valueOf(): number {
    return this.value;
  }
  toJSON(): number {
    return this.value;
  }
}

const FLOATS: unique symbol = Symbol('flacon.floats');
type WithFloats = { [FLOATS]?: Map<string | number, number> };

/**
 * Remembers that `container[key]` was a whole float on the wire, so that it is one again when the container is written back
 * with that member unchanged. Invisible to the handler; lost (the number becomes an int) when the container is copied.
 */
export function markFloat(container: object, key: string | number, value: number): void {
  const marks = (container as WithFloats)[FLOATS];
  if (marks) marks.set(key, value);
  else Object.defineProperty(container, FLOATS, { value: new Map([[key, value]]) });
}

/** The marks of a container, to be consulted with {@link isMarked}; undefined for nearly all containers. */
export function floatMarks(container: object): ReadonlyMap<string | number, number> | undefined {
  return (container as WithFloats)[FLOATS];
}

/** Whether the number under `key` is still the whole float that was read there. */
export function isMarked(
  marks: ReadonlyMap<string | number, number> | undefined,
  key: string | number,
  value: unknown,
): boolean {
  return marks !== undefined && typeof value === 'number' && Object.is(marks.get(key), value);
}

/** Python's tuple: an array in every respect but how it is written. `Tuple.of('message', 'hello')`. */
export class Tuple<T = unknown> extends Array<T> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

/** Python's frozenset. */
export class FrozenSet<T = unknown> extends Set<T> {}

/** Python's bytearray. Plain bytes are a `Uint8Array`. */
export class ByteArray extends Uint8Array {}

/** Text that is already safe HTML (markupsafe `Markup`). Anything with an `__html__` method is written as one. */
export class Markup {
  readonly html: string;
  constructor(html: string) {
    this.html = html;
  }
  __html__(): string {
    return this.html;
  }
  toString(): string {
    return this.html;
  }
  toJSON(): string {
    return this.html;
  }
}

/** Python's `uuid.UUID`: 32 hexadecimal digits, held in lower case with dashes. */
export class UUID {
  readonly value: string;

  /** @throws TypeError when the text is not 32 hexadecimal digits with or without dashes */
  constructor(text: string) {
    const hex = text.replaceAll('-', '').toLowerCase();
    if (!/^[0-9a-f]{32}$/.test(hex)) throw new TypeError('UUID: expected 32 hexadecimal digits');
    this.value = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
  get hex(): string {
    return this.value.replaceAll('-', '');
  }
  toString(): string {
    return this.value;
  }
  toJSON(): string {
    return this.value;
  }
}

/** Python's `decimal.Decimal`, as its text. */
export class Decimal {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
  toJSON(): string {
    return this.text;
  }
}

/**
 * A `Date` with what Python's `datetime` has beyond one. An aware datetime in UTC whose fraction is whole milliseconds is
 * a plain `Date`; all others are this. A plain `Date` is written as an aware datetime in UTC.
 */
export class DateTime extends Date {
  /** What whole milliseconds leave over, in microseconds: 0 to 999. */
  readonly microsecond: number;
  /** Seconds east of UTC; null for a naive datetime, whose wall clock the UTC fields (`getUTCHours`, …) then show. */
  readonly offset: number | null;

  /** @param time milliseconds since 1970 (of the wall clock read as UTC, when naive) */
  constructor(time: number, microsecond = 0, offset: number | null = 0) {
    super(time);
    this.microsecond = microsecond;
    this.offset = offset;
  }

  /** Python's `isoformat()`. */
  override toISOString(): string {
    const wall = new Date(this.getTime() + (this.offset ?? 0) * 1000).toISOString();
    const micros = this.getUTCMilliseconds() * 1000 + this.microsecond;
    const fraction = micros === 0 ? '' : `.${String(micros).padStart(6, '0')}`;
    return wall.slice(0, -5) + fraction + isoOffset(this.offset);
  }
  override toJSON(): string {
    return this.toISOString();
  }
}

function isoOffset(offset: number | null): string {
  if (offset === null) return '';
  const size = Math.abs(offset);
  const part = (n: number) => String(Math.floor(n)).padStart(2, '0');
  const seconds = size % 60 === 0 ? '' : `:${part(size % 60)}`;
  return `${offset < 0 ? '-' : '+'}${part(size / 3600)}:${part((size / 60) % 60)}${seconds}`;
}

/** Python's `date`, as `YYYY-MM-DD`. */
export class PlainDate {
  readonly iso: string;
  constructor(iso: string) {
    this.iso = iso;
  }
  toString(): string {
    return this.iso;
  }
  toJSON(): string {
    return this.iso;
  }
}

/** Python's `time`, as its `isoformat()`. */
export class PlainTime {
  readonly iso: string;
  constructor(iso: string) {
    this.iso = iso;
  }
  toString(): string {
    return this.iso;
  }
  toJSON(): string {
    return this.iso;
  }
}

/** Python's `timedelta`, normalised as there: 0 ≤ seconds < 86400, 0 ≤ microseconds < 1000000, days carries the sign. */
export class TimeDelta {
  readonly days: number;
  readonly seconds: number;
  readonly microseconds: number;
  constructor(days: number, seconds = 0, microseconds = 0) {
    this.days = days;
    this.seconds = seconds;
    this.microseconds = microseconds;
  }
  /** The whole length in seconds. */
  valueOf(): number {
    return this.days * 86_400 + this.seconds + this.microseconds / 1e6;
  }
  /** ISO 8601 text, as msgspec writes it. */
  toJSON(): string {
    let micros = BigInt(this.days) * 86_400_000_000n + BigInt(this.seconds) * 1_000_000n + BigInt(this.microseconds);
    const sign = micros < 0n ? '-' : '';
    if (micros < 0n) micros = -micros;
    const days = micros / 86_400_000_000n;
    const rest = micros % 86_400_000_000n;
    if (micros === 0n) return 'P0D';
    let text = `${sign}P`;
    if (days > 0n) text += `${days}D`;
    if (rest > 0n) {
      const fraction = String(rest % 1_000_000n)
        .padStart(6, '0')
        .replace(/0+$/, '');
      text += `T${rest / 1_000_000n}${fraction ? `.${fraction}` : ''}S`;
    }
    return text;
  }
}

/** A msgpack extension that has no meaning here. Written back as it was. */
export class Extension {
  /** -128 to 127. */
  readonly type: number;
  readonly data: Uint8Array;
  constructor(type: number, data: Uint8Array) {
    this.type = type;
    this.data = data;
  }
}

/** Sets an own property even when the key is `__proto__`: keys from outside are data, never a prototype. */
export function setOwn(target: object, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    (target as Record<string, unknown>)[key] = value;
  }
}

/**
 * What an encoder makes of an object that is none of the types it knows, as `JSON.stringify` would: the result of `toJSON`
 * when there is one, else its own enumerable members. Members that are undefined are left out.
 */
export function plainEntries(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, member]) => member !== undefined);
}
