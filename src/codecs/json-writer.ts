/** The walk over JavaScript values that both JSON formats share: what is a container, what is a member, what cannot be held. */
import { SessionEncodeError } from '../errors.ts';
import { integerText } from './json-text.ts';
import { MAX_DEPTH } from './limits.ts';
import { Float, floatMarks, isMarked } from './values.ts';

/**
 * Values in one record. Far beyond any session; it ends the walk over objects that share each other so often that writing
 * them out would never end.
 */
const MAX_VALUES = 1_000_000;

export type Marks = ReadonlyMap<string | number, number> | undefined;

/** Use one per text, through {@link guarded}. `depth` is always the number of containers around a value. */
export abstract class JsonWriter {
  private written = 0;

  protected abstract string(text: string): string;
  protected abstract float(x: number): string;
  /** The text of a value of a known type that is no plain container; undefined when the format has no word for it. */
  protected abstract known(value: object, depth: number): string | undefined;
  /** The keys of a mapping whose keys may be of any type. */
  protected abstract map(value: ReadonlyMap<unknown, unknown>, depth: number, marks: Marks): string;
  /** The order in which the members of an object are written. */
  protected abstract order(names: string[]): string[];

  /**
   * @param isFloat a whole number that was read as a float
   * @returns undefined for what JSON.stringify leaves out of objects
   */
  write(value: unknown, depth: number, isFloat = false): string | undefined {
    if (++this.written > MAX_VALUES) throw new SessionEncodeError('too many values for one record');
    switch (typeof value) {
      case 'string':
        return this.string(value);
      case 'number':
        return isFloat || !Number.isInteger(value) || Object.is(value, -0) ? this.float(value) : integerText(value);
      case 'boolean':
        return value ? 'true' : 'false';
      case 'bigint':
        return integerText(value);
      case 'undefined':
        return undefined;
      case 'object':
        return value === null ? 'null' : this.object(value, depth);
      default:
        throw new SessionEncodeError(`a ${typeof value} cannot be stored`);
    }
  }

  private object(value: object, depth: number): string | undefined {
    if (depth >= MAX_DEPTH) throw new SessionEncodeError('nested too deeply, or inside itself');
    const prototype = Object.getPrototypeOf(value);
    const isLiteral = prototype === Object.prototype || prototype === null;
    if (!isLiteral && prototype === Array.prototype) return this.array(value as unknown[], depth + 1);
    if (!isLiteral || '__html__' in value) {
      const text = this.known(value, depth);
      if (text !== undefined) return text;
      if (Array.isArray(value)) return this.array(value, depth + 1);
      if (value instanceof Map) return this.map(value, depth + 1, floatMarks(value));
      if (value instanceof Float) return this.float(value.value);
      if (value instanceof Number || value instanceof String || value instanceof Boolean) {
        return this.write(value.valueOf(), depth);
      }
    }
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === 'function') {
      const json: unknown = toJSON.call(value, '');
      if (json !== value) return this.write(json, depth + 1);
    }
    if (!isLiteral && isOpaque(value)) throw new SessionEncodeError('an object of this type cannot be stored');
    const names = this.order(Object.keys(value));
    const values: unknown[] = [];
    for (let i = 0; i < names.length; i++) values.push((value as Record<string, unknown>)[names[i] as string]);
    return this.dict(names, values, floatMarks(value), names, depth + 1);
  }

  protected array(items: readonly unknown[], depth: number): string {
    if (depth > MAX_DEPTH) throw new SessionEncodeError('nested too deeply, or inside itself');
    const marks = floatMarks(items);
    let text = '';
    for (let i = 0; i < items.length; i++) {
      const item = this.write(items[i], depth, isMarked(marks, i, items[i])) ?? 'null';
      text += i === 0 ? item : `,${item}`;
    }
    return `[${text}]`;
  }

  /** @param keys what the marks know the members by: the names, or the keys of a Map that the names were made of */
  protected dict(
    names: readonly string[],
    values: readonly unknown[],
    marks: Marks,
    keys: readonly unknown[],
    depth: number,
  ): string {
    let text = '';
    for (let i = 0; i < names.length; i++) {
      const member = this.write(values[i], depth, isMarked(marks, keys[i] as string, values[i]));
      if (member === undefined) continue;
      text += `${text === '' ? '' : ','}${this.string(names[i] as string)}:${member}`;
    }
    return `{${text}}`;
  }
}

/** Types whose members, as JSON.stringify sees them, are nothing or not what the value is: better refused than lost. */
function isOpaque(value: object): boolean {
  return (
    ArrayBuffer.isView(value) ||
    value instanceof ArrayBuffer ||
    value instanceof Set ||
    value instanceof WeakMap ||
    value instanceof WeakSet ||
    value instanceof Promise ||
    value instanceof RegExp
  );
}

/**
 * Runs a writer. Whatever goes wrong in code that is not ours (a getter, a `toJSON`) means that the value cannot be stored.
 * @throws SessionEncodeError
 */
export function guarded<T>(write: () => T): T {
  try {
    return write();
  } catch (cause) {
    if (cause instanceof SessionEncodeError) throw cause;
    throw new SessionEncodeError('a value could not be read for writing', { cause });
  }
}
