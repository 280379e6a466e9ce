/**
 * Flask-Session's `sqlalchemy`, on MySQL or MariaDB: a row for each session. Needs `npm i mysql2`, and a server with the
 * database of the URI. The table is made when it is missing, at the first request: no `db.create_all()`.
 */
import express from 'express';
import { session } from 'flacon';
import { sessions } from 'flacon/adapters/express';
import { flaskConfig } from 'flacon/flask';
import { run } from './run.ts';

const app = express();
app.use(
  sessions(
    flaskConfig({
      SESSION_TYPE: 'sqlalchemy',
      // As SQLAlchemy has it. `+pymysql` names a driver of Python, and `charset` is about text, of which records hold none:
      // both are passed over. There is no SESSION_SQLALCHEMY = db, unless you have a mysql2 pool (or Kysely, Knex, …) to share.
      SQLALCHEMY_DATABASE_URI:
        process.env.DATABASE_URI || 'mysql+pymysql://user:password@127.0.0.1:3306/flask?charset=utf8',
      SESSION_SQLALCHEMY_TABLE: process.env.SESSION_TABLE || 'my_sessions',
      // Once in so many writes, expired rows are deleted. Tutorials leave it out, and the table then grows for ever.
      SESSION_CLEANUP_N_REQUESTS: 500,
    }),
  ),
);

app.get('/set/:value', (req, res) => {
  session.set('value', req.params.value);
  res.send('ok');
});

app.get('/get', (_req, res) => {
  res.type('text').send(session.get('value', 'not set'));
});

run(app);
