/** Flask's flash messages: the key `_flashes`, a list of (category, message) tuples. */
import { Markup, Tuple } from '../codecs/values.ts';
import type { SessionState, Update } from './state.ts';

export const FLASHES = '_flashes';

const taken = new WeakMap<SessionState, [string, unknown][]>();

export function flash(state: SessionState, message: unknown, category: string): void {
  // An update, not a set: messages of parallel requests are all kept.
  state.update(FLASHES, ((current: unknown) => [
    ...(Array.isArray(current) ? current : []),
    Tuple.of(category, message),
  ]) as Update);
}

/** The messages, taken out of the session at the first call of a request; the same ones at later calls, as in Flask. */
export function takeFlashes(state: SessionState, categories?: readonly string[]): [string, unknown][] {
  let messages = taken.get(state);
  if (!messages) {
    messages = take(state);
    taken.set(state, messages);
  }
  return categories?.length ? messages.filter(([category]) => categories.includes(category)) : [...messages];
}

function take(state: SessionState): [string, unknown][] {
  if (!state.has(FLASHES)) return [];
  const stored = state.get(FLASHES);
  if (!Array.isArray(stored)) {
    state.delete(FLASHES);
    return [];
  }
  const shown = stored.map(fingerprint);
  // Only what is shown now goes: a message that a parallel request adds meanwhile stays for the next page.
  state.update(FLASHES, ((current: unknown) => {
    if (!Array.isArray(current)) return undefined;
    const ours = shown.every((print, i) => fingerprint(current[i]) === print);
    const left = ours ? current.slice(shown.length) : current;
    return left.length > 0 ? left : undefined;
  }) as Update);
  return stored.filter(isMessage).map(([category, message]) => [category, message]);
}

/** Messages of a form that Flask's own never have are compared by identity of their kind: enough to tell lists apart. */
export function fingerprint(entry: unknown): string {
  if (!isMessage(entry)) return typeof entry;
  const [category, message] = entry;
  return `${category}\0${typeof message === 'string' ? message : message instanceof Markup ? message.html : typeof message}`;
}

export function isMessage(entry: unknown): entry is [string, unknown] {
  return Array.isArray(entry) && entry.length === 2 && typeof entry[0] === 'string';
}
