/** The tags by which Flask's cookie sessions hold what JSON lacks, as they are read (Flask `TaggedJSONSerializer.untag`). */
import { SessionDecodeError } from '../errors.ts';
import { isMapping, iterate } from './decoded-record.ts';
import { parseHttpDate } from './http-date.ts';
import { pythonFloat } from './json-text.ts';
import { decodeBase64 } from './standard-base64.ts';
import { ByteArray, floatMarks, isMarked, Markup, markFloat, setOwn, Tuple, UUID } from './values.ts';

/** The only key of an object that stands for something else. A dict with just such a key is written as ` di`. */
export const TAGS: ReadonlySet<string> = new Set([' di', ' t', ' b', ' m', ' u', ' d']);

/** Matches every JSON text that holds a tag, be it spelled with escapes. */
export const MAYBE_TAGGED = /" (?:di|[tbmud])"|\\u00[2-7]/;

/**
 * Replaces, in place, what is tagged inside of a freshly read value; the value itself is left to {@link untag}.
 * @throws SessionDecodeError where Flask raises
 */
export function untagInside(value: unknown): void {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (isContainer(value[i])) value[i] = untagWhole(value[i]);
    }
  } else if (isContainer(value)) {
    const object = value as Record<string, unknown>;
    for (const key of Object.keys(object)) {
      if (isContainer(object[key])) setOwn(object, key, untagWhole(object[key]));
    }
  }
}

function isContainer(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function untagWhole(value: unknown): unknown {
  untagInside(value);
  return untag(value);
}

/**
 * What a value stands for: itself, unless it is an object with a tag for its only key. What is inside has been untagged.
 * @throws SessionDecodeError where Flask raises
 */
export function untag(object: unknown): unknown {
  if (!isMapping(object)) return object;
  const keys = Object.keys(object);
  const key = keys[0];
  if (keys.length !== 1 || key === undefined) return object;
  const value = object[key];
  switch (key) {
    case ' di':
      return tagLikeDict(value);
    case ' t':
      return tuple(value);
    case ' b':
      return bytes(value);
    case ' m':
      return new Markup(pythonText(value, isMarked(floatMarks(object), key, value)));
    case ' u':
      return uuid(value);
    case ' d':
      return date(value);
    default:
      return object;
  }
}

/** Undoes `{"<key>__": value}`. As in Flask the last two characters go, whatever they are. */
function tagLikeDict(value: unknown): Record<string, unknown> {
  const name = isMapping(value) ? Object.keys(value)[0] : undefined;
  if (!isMapping(value) || name === undefined) throw new SessionDecodeError('tag di: not an object');
  const key = withoutLast(withoutLast(name));
  const dict = {};
  setOwn(dict, key, value[name]);
  if (isMarked(floatMarks(value), name, value[name])) markFloat(dict, key, value[name] as number);
  return dict;
}

/** Without the last character, be it one UTF-16 unit or two. */
function withoutLast(text: string): string {
  return text.slice(0, (text.codePointAt(text.length - 2) ?? 0) > 0xffff ? -2 : -1);
}

function tuple(value: unknown): Tuple {
  if (value instanceof Tuple) return value;
  const items = iterate(value);
  const result = new Tuple<unknown>();
  for (const item of items) result.push(item);
  for (const [i, float] of floatMarks(items) ?? []) markFloat(result, i, float);
  return result;
}

function bytes(value: unknown): Uint8Array {
  // Python decodes bytes too, and there skips what is not ASCII.
  const text = value instanceof Uint8Array ? asciiOf(value) : textOf(value);
  if (text === undefined) throw new SessionDecodeError('tag b: not text');
  return decodeBase64(text);
}

function asciiOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : ' ')).join('');
}

/** Text, and Markup as the text that it is in Python. */
function textOf(value: unknown): string | undefined {
  return value instanceof Markup ? value.html : typeof value === 'string' ? value : undefined;
}

/** Python's `str()` of a simple value. Flask never puts anything but text there; what has parts is refused. */
function pythonText(value: unknown, isFloat: boolean): string {
  const text = textOf(value);
  if (text !== undefined) return text;
  switch (typeof value) {
    case 'boolean':
      return value ? 'True' : 'False';
    case 'bigint':
      return String(value);
    case 'number':
      if (Number.isNaN(value)) return 'nan';
      if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
      return isFloat || !Number.isInteger(value) || Object.is(value, -0) ? pythonFloat(value) : String(value);
  }
  if (value === null) return 'None';
  if (value instanceof UUID) return value.value;
  throw new SessionDecodeError('tag m: not text');
}

function uuid(value: unknown): UUID {
  const hex = textOf(value)
    ?.replaceAll('urn:', '')
    .replaceAll('uuid:', '')
    .replace(/^[{}]+/, '')
    .replace(/[{}]+$/, '')
    .replaceAll('-', '');
  if (hex === undefined || !/^[0-9a-fA-F]{32}$/.test(hex)) throw new SessionDecodeError('tag u: not a UUID');
  return new UUID(hex);
}

/** What is falsy in Python is no date; so is bytes. Other types have no `split`. */
function date(value: unknown): Date | null {
  const text = textOf(value);
  if (text !== undefined) return parseHttpDate(text);
  const nothing =
    !value ||
    (Array.isArray(value) && value.length === 0) ||
    (isMapping(value) && Object.keys(value).length === 0) ||
    (value instanceof Uint8Array && !(value instanceof ByteArray));
  if (!nothing || Number.isNaN(value)) throw new SessionDecodeError('tag d: not text');
  return null;
}
