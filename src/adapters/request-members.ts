/** What code written for express-session and connect-flash finds on a request beside `req.session`. */
import { format } from 'node:util';
import { FLASHES, fingerprint, isMessage } from '../core/flash.ts';
import type { Session } from '../core/session.ts';

type SessionRequest = { readonly session?: Session | null | undefined };

/**
 * `req.sessionID`, and a `req.flash` that connect-flash finds there and leaves alone. They are for the prototype that a
 * framework gives its requests, where they cost no request anything; a request without this package's session has neither.
 * @param exchange where a request keeps its exchange
 */
export function requestMembers(exchange: symbol): PropertyDescriptorMap {
  return {
    sessionID: member('sessionID', exchange, (req) => req.session?.sid),
    flash: member('flash', exchange, () => requestFlash),
  };
}

/** Whoever sets it has his own from then on, on that request. */
function member(name: string, exchange: symbol, find: (req: SessionRequest) => unknown): PropertyDescriptor {
  return {
    get(this: SessionRequest & { readonly [key: symbol]: unknown }) {
      return this[exchange] ? find(this) : undefined;
    },
    set(this: object, value: unknown) {
      Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
    },
    configurable: true,
  };
}

/**
 * connect-flash's function of that name, on Flask's messages: its `req.session.flash` is a method here. With a message
 * (a list of them, or a format and what goes into it) it keeps them, and answers how many of the type there are; with a type
 * alone it takes those out; with nothing, all.
 */
function requestFlash(this: SessionRequest, type?: string, message?: unknown, ...rest: unknown[]): unknown {
  const { session } = this;
  if (!session) throw new TypeError('req.flash() requires a session, and req.session was set to null');
  if (type && message) {
    const texts = rest.length === 0 && Array.isArray(message) ? message : [withArguments(message, rest)];
    for (const text of texts) session.flash(text, type);
    return messagesOf(session).filter(([category]) => category === type).length;
  }
  const taken = take(session, type || undefined);
  if (type) return taken.map(([, text]) => text);
  const byType = new Map<string, unknown[]>();
  for (const [category, text] of taken) {
    const texts = byType.get(category);
    if (texts) texts.push(text);
    else byType.set(category, [text]);
  }
  return Object.fromEntries(byType);
}

function withArguments(message: unknown, rest: unknown[]): unknown {
  return rest.length > 0 ? format(message, ...rest) : message;
}

function messagesOf(session: Session): [string, unknown][] {
  const messages = session.get(FLASHES);
  return Array.isArray(messages) ? messages.filter(isMessage) : [];
}

/** Only what is shown goes: a message that a parallel request adds meanwhile stays for the next page. */
function take(session: Session, type: string | undefined): [string, unknown][] {
  const taken = messagesOf(session).filter(([category]) => type === undefined || category === type);
  if (taken.length === 0) return taken;
  session.update<unknown>(FLASHES, (current: unknown) => {
    if (!Array.isArray(current)) return undefined;
    const shown = new Map<string, number>();
    for (const print of taken.map(fingerprint)) shown.set(print, (shown.get(print) ?? 0) + 1);
    const left = current.filter((entry) => {
      const print = fingerprint(entry);
      const count = shown.get(print) ?? 0;
      if (count > 0) shown.set(print, count - 1);
      return count === 0;
    });
    return left.length > 0 ? left : undefined;
  });
  return taken;
}
