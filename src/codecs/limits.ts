/** Bounds on what a record from outside may make a reader do. All far above what Flask writes for a real session. */

/** Levels of nesting, for readers and writers. Python's own recursion limit stops it at about a thousand. */
export const MAX_DEPTH = 512;

/** Bytes that a compressed cookie may inflate to. */
export const MAX_INFLATED = 1024 * 1024;

/** Decimal digits of one integer (CPython's `sys.int_info.default_max_str_digits`). */
export const MAX_INT_DIGITS = 4300;
