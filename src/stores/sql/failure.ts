/** What a user can do about a failure that has a usual cause. */
import { hasCode } from './error-code.ts';

/** Codes of PostgreSQL, of MySQL, and of the system. */
const KNOWN: readonly (readonly [why: string, codes: ReadonlySet<unknown>])[] = [
  [
    'no connection: is a server running there, and is this its address?',
    new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT']),
  ],
  [
    'it refused the user or the password',
    new Set(['28P01', '28000', 1045, 'ER_ACCESS_DENIED_ERROR', 'ER_ACCESS_DENIED_NO_PASSWORD_ERROR']),
  ],
  ['there is no database of that name', new Set(['3D000', 1049, 'ER_BAD_DB_ERROR'])],
  [
    'the user has no right to do this: it needs to SELECT, INSERT, UPDATE and DELETE, and CREATE where the table is missing',
    new Set(['42501', 1142, 1044, 1143, 'ER_TABLEACCESS_DENIED_ERROR', 'ER_DBACCESS_DENIED_ERROR']),
  ],
  [
    'statements prepared on one connection came to another, as PgBouncer does that pools transactions: set `prepare: false`',
    new Set(['26000', '42P05']),
  ],
];

/** Undefined where there is nothing better to say than what the driver says. */
export function explain(error: unknown): string | undefined {
  return KNOWN.find(([, codes]) => hasCode(error, codes))?.[0];
}
