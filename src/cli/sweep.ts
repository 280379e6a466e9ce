/** `flacon sweep`: deletes expired sessions from a table (Flask-Session's `flask session_cleanup`). */
import { parseArgs } from 'node:util';
import { SqlStore, type SqlStoreOptions } from '../stores/sql.ts';
import { CommandError } from './command-error.ts';

export const SWEEP_HELP = `flacon sweep --url <url> [--table <name>] [--schema <name>] [--layout <layout>] [--limit <rows>]
  --url      the database, as SQLAlchemy writes it: postgresql://…, mysql+pymysql://…, sqlite:///…
             default: the environment variable SQLALCHEMY_DATABASE_URI, where no other user of the machine sees a password
  --table    default: sessions; in the layout postgresql, flask_sessions
  --schema   default: what the connection has; in the layout postgresql, public
  --layout   sqlalchemy or postgresql (the table of Flask-Session's development branch); default: sqlalchemy
  --limit    rows to delete at the most; default: all that have expired
`;

/** Rows in one statement, so that nobody waits for long. */
const BATCH = 1000;

/** @returns what to print @throws CommandError, SessionConfigError, and errors of the database as they come */
export async function sweep(argv: string[], env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const { help, limit = 'all', url = env.SQLALCHEMY_DATABASE_URI, table, schema, layout } = parsed(argv);
  if (help) return SWEEP_HELP;
  if (!url) throw new CommandError('sweep needs --url, or SQLALCHEMY_DATABASE_URI in the environment');
  const most = limit === 'all' ? Number.POSITIVE_INFINITY : Number(limit);
  if (limit !== 'all' && !/^\d{1,15}$/.test(limit)) throw new CommandError('--limit has to be a whole number');

  // What is not there has nothing to sweep: no reason to make it.
  const options = { url, table, schema, layout, create: false } as SqlStoreOptions;
  const store = new SqlStore(Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)));
  try {
    let deleted = 0;
    for (let batch = -1; batch !== 0 && deleted < most; deleted += batch) {
      batch = await store.sweep(Math.min(BATCH, most - deleted));
    }
    return `${deleted} expired ${deleted === 1 ? 'session' : 'sessions'} deleted`;
  } finally {
    await store.close();
  }
}

function parsed(argv: string[]) {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        url: text,
        table: text,
        schema: text,
        layout: text,
        limit: text,
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
}
