/** Flask's flash messages: the key `_flashes`, a list of (category, message) tuples. */
import { Tuple } from '../codecs/values.ts';
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
  return stored.filter(isPair).map(([category, message]) => [String(category), message]);
}

function fingerprint(entry: unknown): string {
  return isPair(entry) ? `${entry[0]}\0${entry[1]}` : '';
}

function isPair(entry: unknown): entry is [unknown, unknown] {
  return Array.isArray(entry) && entry.length === 2;
}
