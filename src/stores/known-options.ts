import { SessionConfigError } from '../errors.ts';

/**
 * An option that a store does not have would be ignored without a word where no types are checked.
 * @param known every option of the store
 * @throws SessionConfigError
 */
export function refuseUnknown<O extends object>(options: O, known: Readonly<Record<keyof O, true>>): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    throw new SessionConfigError(name, 'an unknown option', `one of ${Object.keys(known).join(', ')}`);
  }
}
