/** Messages that connect-flash keeps, `{ type: [message, …] }` under `flash`: here they are Flask's, as `flash()` is. */
import { Tuple } from '../codecs/values.ts';
import { FLASHES } from '../core/flash.ts';
import type { SessionState, Update } from '../core/state.ts';

const KEY = 'flash';

/** Anything else under that name stays what it is. */
export function takeOverMessages(state: SessionState): void {
  const kept = state.get(KEY);
  if (typeof kept !== 'object' || kept === null || Array.isArray(kept)) return;
  const all = Object.entries(kept);
  const isText = (message: unknown) => typeof message === 'string';
  if (!all.every(([, messages]) => Array.isArray(messages) && messages.every(isText))) return;
  state.delete(KEY);
  // At once: a list that grows by one message at a time is copied for each.
  const added = all.flatMap(([type, messages]) => messages.map((message: string) => Tuple.of(type, message)));
  if (added.length === 0) return;
  state.update(FLASHES, ((current: unknown) => [...(Array.isArray(current) ? current : []), ...added]) as Update);
}
