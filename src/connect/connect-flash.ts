/** Messages that connect-flash keeps, `{ type: [message, …] }` under `flash`: here they are Flask's, as `flash()` is. */
import { flash } from '../core/flash.ts';
import type { SessionState } from '../core/state.ts';

const KEY = 'flash';

/** Anything else under that name stays what it is. */
export function takeOverMessages(state: SessionState): void {
  const kept = state.get(KEY);
  if (typeof kept !== 'object' || kept === null || Array.isArray(kept)) return;
  const all = Object.entries(kept);
  const isText = (message: unknown) => typeof message === 'string';
  if (!all.every(([, messages]) => Array.isArray(messages) && messages.every(isText))) return;
  state.delete(KEY);
  for (const [type, messages] of all) for (const message of messages) flash(state, message, type);
}
