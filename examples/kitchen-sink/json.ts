/**
 * JSON that keeps apart what Python keeps apart: `1` and `1.0`, and integers of any size. Numbers are told by how they are
 * spelled, which `JSON.parse` and `JSON.stringify` let through since Node 21.
 */
import { DateTime, Decimal, Float, FrozenSet, Markup, PlainDate, PlainTime, TimeDelta, UUID } from 'flacon';

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

const parse = JSON.parse as (text: string, reviver: Reviver) => unknown;
const raw = (text: string) => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);

/** As many digits of one integer as Python takes. */
const MAX_DIGITS = 4300;

/** Whole floats come as `Float`, integers beyond 2^53 as bigint. @throws SyntaxError | RangeError */
export function parseJson(text: string): unknown {
  return parse(text, (_key, value, { source }) =>
    typeof value === 'number' ? numberFrom(source ?? '', value) : value,
  );
}

function numberFrom(source: string, value: number): unknown {
  if (/[.eE]/.test(source)) return Number.isInteger(value) && !Object.is(value, -0) ? new Float(value) : value;
  if (Number.isSafeInteger(value)) return value || 0;
  if (source.length > MAX_DIGITS) throw new RangeError('an integer with too many digits');
  return BigInt(source);
}

/**
 * What a session holds and JSON does not is written `{"$type": type, "$value": value}`:
 *
 * | type | value |
 * |---|---|
 * | `bytes` | hexadecimal digits |
 * | `datetime`, `date`, `time` | Python's `isoformat()` |
 * | `timedelta` | seconds |
 * | `uuid`, `decimal`, `markup` | text |
 * | `float` | `nan`, `inf`, `-inf` |
 * | `set`, `frozenset` | a list |
 * | `dict` | a list of pairs, when a key is neither text, number, boolean nor None |
 *
 * Tuples are lists. Keys that are numbers, booleans or None become text, as Python's json module writes them.
 */
export function stringifyJson(value: unknown): string {
  return JSON.stringify(plain(value));
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return raw(String(value));
  if (typeof value === 'number') return numberText(value);
  if (typeof value !== 'object' || value === null) return value ?? null;
  if (value instanceof Float) return numberText(value.value);
  if (Array.isArray(value)) return Array.from(value, plain);
  if (value instanceof Map) return dictionary(value);
  return special(value) ?? Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

function numberText(value: number): unknown {
  if (Number.isNaN(value)) return typed('float', 'nan');
  if (!Number.isFinite(value)) return typed('float', value > 0 ? 'inf' : '-inf');
  return Object.is(value, -0) ? raw('-0.0') : value;
}

function special(value: object): unknown {
  if (value instanceof Uint8Array) return typed('bytes', Buffer.from(value).toString('hex'));
  if (value instanceof Date) {
    return typed('datetime', (value instanceof DateTime ? value : new DateTime(value.getTime())).toISOString());
  }
  if (value instanceof PlainDate) return typed('date', value.iso);
  if (value instanceof PlainTime) return typed('time', value.iso);
  if (value instanceof TimeDelta) return typed('timedelta', value.valueOf());
  if (value instanceof UUID) return typed('uuid', value.value);
  if (value instanceof Decimal) return typed('decimal', value.text);
  if (value instanceof Markup) return typed('markup', value.html);
  if (value instanceof FrozenSet) return typed('frozenset', Array.from(value, plain));
  return value instanceof Set ? typed('set', Array.from(value, plain)) : undefined;
}

function dictionary(map: ReadonlyMap<unknown, unknown>): unknown {
  const pairs = Array.from(map, ([key, value]) => [key, plain(value)] as const);
  if (pairs.every(([key]) => key === null || typeof key !== 'object')) {
    return Object.fromEntries(pairs.map(([key, value]) => [String(key), value]));
  }
  return typed(
    'dict',
    pairs.map(([key, value]) => [plain(key), value]),
  );
}

function typed(type: string, value: unknown): unknown {
  return { $type: type, $value: value };
}
