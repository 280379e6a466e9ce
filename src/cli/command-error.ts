/** A command line that cannot be understood. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
