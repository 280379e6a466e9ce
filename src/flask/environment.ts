/** Flask's settings from environment variables, as Flask's `Config.from_prefixed_env` reads them. */

import { setOwn } from '../codecs/values.ts';
import type { SessionOptions } from '../core/options.ts';
import { SessionConfigError } from '../errors.ts';
import { type FlaskConfig, isFlaskName, KINDS } from './config.ts';
import { optionsFrom } from './options.ts';
import { ConfigReader } from './reader.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** X11 sessions have a variable of that name: without a prefix it is not meant for us. */
const NOT_OURS = 'SESSION_MANAGER';

/**
 * {@link flaskConfig} from the variables `FLASK_SECRET_KEY`, `FLASK_SESSION_TYPE` and so on. Values are JSON where they
 * parse, else text: `true`, `3600`, `["older", "old"]`. Keys, names and paths are text in any case (JSON text loses its
 * quotes; `null` is none). `FLASK_PERMANENT_SESSION_LIFETIME__days=3` sets a part. Variables of other settings are left
 * alone, an unknown `FLASK_SESSION_…` is refused.
 * @param prefix what stands before the names, without the underscore that follows it; `''`: the bare names
 * @throws SessionConfigError, by the variable's name
 */
export function flaskConfigFromEnv(env: Environment = process.env, prefix = 'FLASK'): SessionOptions {
  const lead = prefix && `${prefix}_`;
  return optionsFrom(new ConfigReader(readEnvironment(env, lead), lead));
}

function readEnvironment(env: Environment, lead: string): FlaskConfig {
  const config: Record<string, unknown> = {};
  // In Python's order, so that a whole value comes before its parts.
  for (const variable of Object.keys(env).sort()) {
    const text = env[variable];
    if (text === undefined || !variable.startsWith(lead)) continue;
    const [name, ...path] = variable.slice(lead.length).split('__') as [string, ...string[]];
    if (isFlaskName(name)) {
      if (path.length === 0) config[name] = parse(text, KINDS[name]);
      else setPart(config, name, path, parse(text, 'json'), variable);
    } else if (name.startsWith('SESSION_') && variable !== NOT_OURS) {
      config[name] = text;
    }
  }
  return config;
}

function parse(text: string, kind: (typeof KINDS)[keyof typeof KINDS]): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return kind === 'boolean' && text === 'none' ? null : text;
  }
  return kind !== 'text' || value === null || typeof value === 'string' ? value : text;
}

function setPart(
  config: Record<string, unknown>,
  name: string,
  path: string[],
  value: unknown,
  variable: string,
): void {
  let owner = config;
  let key = name;
  for (const next of path) {
    if (!Object.hasOwn(owner, key)) setOwn(owner, key, {});
    const inner = owner[key];
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) {
      throw new SessionConfigError(
        variable,
        'a part',
        'no value for the whole beside it, or one that is a JSON object',
      );
    }
    owner = inner as Record<string, unknown>;
    key = next;
  }
  setOwn(owner, key, value);
}
