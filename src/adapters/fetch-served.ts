/** Middleware that was set up twice, for the application and for a part of it: twice the same is as good as once. */
import type { SessionInterface } from '../core/session-interface.ts';

const served = new WeakMap<object, Map<string, SessionInterface>>();

/**
 * Whether a request has the session of this interface under this name already. It counts as having it from then on.
 * @param context the framework's object for the request
 */
export function isServed(context: object, name: string, sessionInterface: SessionInterface): boolean {
  const names = served.get(context);
  if (names?.get(name) === sessionInterface) return true;
  if (names) names.set(name, sessionInterface);
  else served.set(context, new Map([[name, sessionInterface]]));
  return false;
}
