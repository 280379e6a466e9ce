/** What a database said was wrong, behind whatever a query builder has wrapped around it. */

/** How deep causes are followed. */
const DEPTH = 5;

/** Whether the error, or one that caused it, has one of these codes (`'40001'`, `'ER_DUP_ENTRY'`, `1062`). */
export function hasCode(error: unknown, codes: ReadonlySet<unknown>, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > DEPTH) return false;
  const { code, errno, errcode, originalCode, cause, meta, driverAdapterError } = error as Record<string, unknown>;
  if ([code, errno, errcode, originalCode].some((each) => codes.has(each))) return true;
  // The last two are where Prisma keeps it.
  return [cause, meta, driverAdapterError].some((inner) => hasCode(inner, codes, depth + 1));
}
