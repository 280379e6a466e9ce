/** The view of the recorded Flask applications: operations on a session, one after the other (data/README.md). */
import type { Session } from '../../src/core/session.ts';
import type { Notation } from './notation.ts';
import { toValue } from './notation.ts';

export type Step = [op: string, ...args: Notation[]];

export class ViewResponse {
  status = 200;
  readonly cookies: string[] = [];
  vary: string | undefined;
}

/** What Flask makes of a view: an exception becomes a page of its own, without the headers that the view set. */
export function perform(request: { readonly session: Session }, steps: readonly Step[]): ViewResponse {
  const response = new ViewResponse();
  try {
    for (const [op, ...args] of steps) {
      if (op === 'abort') return failed(Number(toValue(args[0])));
      if (!isHeader(response, op, args)) step(request.session, op, args);
    }
    return response;
  } catch {
    return failed(500);
  }
}

function failed(status: number): ViewResponse {
  const response = new ViewResponse();
  response.status = status;
  return response;
}

/** Whether the step is one that does not use the session. */
function isHeader(response: ViewResponse, op: string, [a, b]: Notation[]): boolean {
  if (op === 'raise') throw new Error('the view failed');
  if (op === 'vary') response.vary = a;
  else if (op === 'set_cookie') response.cookies.push(`${a}=${b}; Path=/`);
  else return false;
  return true;
}

function step(session: Session, op: string, [a, b]: Notation[]): void {
  switch (op) {
    case 'set':
      session.set(a, toValue(b));
      break;
    case 'get':
      session.get(a);
      break;
    case 'getitem':
      present(session, a);
      break;
    case 'contains':
      session.has(a);
      break;
    case 'len':
    case 'bool':
      void session.size;
      break;
    case 'iterate':
      for (const entry of session) void entry;
      break;
    case 'pop':
      session.pop(a);
      break;
    case 'del':
      present(session, a);
      session.delete(a);
      break;
    case 'pop_default':
      session.pop(a, null);
      break;
    case 'popitem':
      present(session, [...session.keys()].at(-1) ?? '');
      session.pop([...session.keys()].at(-1) as string);
      break;
    case 'clear':
      session.clear();
      break;
    case 'permanent':
      session.permanent = a;
      break;
    case 'read_permanent':
      void session.permanent;
      break;
    case 'setdefault':
      session.setDefault(a, toValue(b));
      break;
    case 'update':
      session.assign(toValue(a) as Record<string, unknown>);
      break;
    case 'nested_append':
      (session.get(a) as unknown[]).push(toValue(b));
      break;
    case 'modified':
      session.modified = a;
      break;
    case 'flash':
      session.flash(toValue(a), b);
      break;
    case 'get_flashed':
      session.takeFlashes();
      break;
    case 'regenerate':
      session.regenerate();
      break;
    default:
      throw new RangeError(`a step that this view does not know: ${op}`);
  }
}

/** Python's KeyError. */
function present(session: Session, key: string): void {
  if (!session.has(key)) throw new Error('no such key');
}
