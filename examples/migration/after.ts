/** The same application on flacon: whoever was signed in still is. */
import { sessions } from 'flacon/adapters/express';
import { fromExpressSession } from 'flacon/connect';
import { SqliteStore } from 'flacon/stores/sqlite';
import { run } from './app.ts';
import { theirs } from './theirs.ts';

let arrived = 0;

run(
  sessions(
    fromExpressSession(
      {
        store: new SqliteStore({ path: 'sessions.db' }),
        idleTimeout: 7 * 86_400,
        onEvent(event) {
          // When this number has stood still for as long as their cookies lasted, the call around these options can go.
          if (event.type === 'migrated') console.log(`taken over: ${++arrived}`);
        },
      },
      theirs,
    ),
  ),
);
