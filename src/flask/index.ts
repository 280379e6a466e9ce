/** Sessions shared with a Flask application: its settings, by their own names. */
export type { FlaskConfig, SessionType } from './config.ts';
export { flaskConfigFromEnv } from './environment.ts';
export type { Lifetime } from './lifetime.ts';
export { flaskConfig } from './options.ts';
