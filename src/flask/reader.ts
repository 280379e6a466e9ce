/** Reads settings with strict types, and refuses what cannot be meant. No message shows a secret. */
import { describe } from '../core/options.ts';
import { SessionConfigError } from '../errors.ts';
import { type FlaskConfig, type FlaskName, isFlaskName, KINDS } from './config.ts';

export class ConfigReader {
  readonly #config: Readonly<Record<string, unknown>>;
  readonly #prefix: string;

  /**
   * @param prefix what stands before every name where the user wrote it
   * @throws SessionConfigError for a `SESSION_…` that nobody knows
   */
  constructor(config: FlaskConfig, prefix = '') {
    if (typeof config !== 'object' || config === null) {
      throw new SessionConfigError('config', describe(config), 'an object of Flask settings');
    }
    this.#config = config as Readonly<Record<string, unknown>>;
    this.#prefix = prefix;
    for (const name of Object.keys(config)) {
      if (!name.startsWith('SESSION_') || isFlaskName(name)) continue;
      throw new SessionConfigError(this.nameOf(name), 'an unknown setting', `${this.nameOf(nearest(name))}, maybe`);
    }
  }

  nameOf(name: string): string {
    return this.#prefix + name;
  }

  /** Undefined when it is not set. */
  get(name: FlaskName): unknown {
    return this.#config[name];
  }

  /** Python's truth where it leaves no doubt: None and 0 are false, 1 is true. Texts such as `"false"` are refused. */
  boolean(name: FlaskName, fallback: boolean): boolean {
    const value = this.get(name);
    if (value === undefined) return fallback;
    if (typeof value === 'boolean') return value;
    if (value === null || value === 0) return false;
    return value === 1 || this.refuse(name, 'true or false');
  }

  integer(name: FlaskName, least: number, most: number, fallback: number): number {
    const value = this.get(name) ?? fallback;
    if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
    return this.refuse(
      name,
      `a whole number ${most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`}`,
    );
  }

  /** Text that matches, if a pattern is given. Null is refused. */
  text(name: FlaskName, fallback: string, expected = 'text', pattern?: RegExp): string {
    const value = this.get(name);
    if (value === undefined) return fallback;
    return typeof value === 'string' && (pattern?.test(value) ?? true) ? value : this.refuse(name, expected);
  }

  /** @throws SessionConfigError with what was given, which is no secret */
  refuse(name: FlaskName, expected: string, given: string = describe(this.get(name))): never {
    throw new SessionConfigError(this.nameOf(name), given, expected);
  }
}

/** The known name that takes the fewest changes of one letter. */
function nearest(name: string): string {
  const known = Object.keys(KINDS).filter((other) => other.startsWith('SESSION_'));
  const typed = name.slice(0, 60);
  return known.reduce((best, other) => (distance(typed, other) < distance(typed, best) ? other : best));
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] as number) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
