/** From the form in which this codec keeps a value to the form that a handler gets. */
import { OrderedDict } from './pickle-globals.ts';
import { ByteArray, DateTime, Float, FrozenSet, markFloat, setOwn, Tuple } from './values.ts';

/**
 * A copy that the handler may change: dicts with only text keys are plain objects, whole floats are marked numbers. A value
 * that is itself a whole float stays a `Float`, as do the keys of a dict, which have no place for a mark.
 *
 * @param shared whether containers may occur twice; they then do in the copy too, as in Python
 */
export function handOut(value: unknown, shared: boolean): unknown {
  return typeof value === 'object' && value !== null ? copy(value, shared ? new Map() : undefined) : value;
}

type Copies = Map<object, object> | undefined;

function copy(value: unknown, copies: Copies): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const known = copies?.get(value);
  if (known) return known;
  if (Array.isArray(value)) {
    const list: unknown[] = value instanceof Tuple ? new Tuple() : [];
    copies?.set(value, list);
    for (let i = 0; i < value.length; i++) list.push(unmark(list, i, value[i], copies));
    return list;
  }
  if (value instanceof Map) return copyDict(value, copies);
  if (value instanceof Set) {
    const set = value instanceof FrozenSet ? new FrozenSet() : new Set();
    copies?.set(value, set);
    let i = 0;
    for (const member of value) set.add(unmark(set, i++, member, copies));
    return set;
  }
  const leaf = copyLeaf(value);
  copies?.set(value, leaf);
  return leaf;
}

function copyDict(dict: Map<unknown, unknown>, copies: Copies): object {
  if (dict instanceof OrderedDict || !hasOnlyText(dict)) {
    const map = dict instanceof OrderedDict ? new OrderedDict() : new Map();
    copies?.set(dict, map);
    for (const [key, member] of dict) {
      const own = copy(key, copies);
      map.set(own, unmark(map, own as string, member, copies));
    }
    return map;
  }
  const object = {};
  copies?.set(dict, object);
  for (const [key, member] of dict as Map<string, unknown>) setOwn(object, key, unmark(object, key, member, copies));
  return object;
}

function hasOnlyText(dict: Map<unknown, unknown>): boolean {
  for (const key of dict.keys()) if (typeof key !== 'string') return false;
  return true;
}

/** A member's copy; a whole float becomes a number, and `container` remembers it. */
function unmark(container: object, key: string | number, member: unknown, copies: Copies): unknown {
  if (!(member instanceof Float)) return copy(member, copies);
  markFloat(container, key, member.value);
  return member.value;
}

/** Only what JavaScript can change in place needs a copy. */
function copyLeaf(value: object): object {
  if (value instanceof ByteArray) return new ByteArray(value);
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (value instanceof DateTime) return new DateTime(value.getTime(), value.microsecond, value.offset);
  if (value instanceof Date) return new Date(value);
  return value;
}
