/** Sessions shared with a Flask application: its settings, by their own names. */

export type { Lifetime } from '../core/lifetime.ts';
export type { FlaskConfig, SessionType } from './config.ts';
export { flaskConfigFromEnv } from './environment.ts';
export { flaskConfig } from './options.ts';
