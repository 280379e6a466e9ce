/** What is wrong with a set-up, as far as the driver's error says. */
import { codeOf } from './collection.ts';

const AUTHENTICATION_FAILED = 18;
/** What Atlas says for the same. */
const ATLAS_ERROR = 8000;
const UNAUTHORIZED = 13;
/** The second is for those who waited for the same attempt to connect as one that got the first. */
const UNREACHABLE: readonly unknown[] = ['MongoServerSelectionError', 'MongoTopologyClosedError'];

/** Undefined for every other failure: its own text may hold keys, and stays in the cause. */
export function explain(error: unknown): string | undefined {
  const { name, cause } = (error ?? {}) as { name?: unknown; cause?: unknown };
  // The first of several at once gets the server's own error, the others one about it.
  const code = codeOf(error) ?? codeOf(cause);
  if (code === AUTHENTICATION_FAILED || code === ATLAS_ERROR) return 'the server refused the user or the password';
  if (code === UNAUTHORIZED) return 'the server refused the command: has the user a role on this database (readWrite)?';
  if (UNREACHABLE.includes(name)) return 'no server answers: is one running, and is this its address?';
  return undefined;
}
