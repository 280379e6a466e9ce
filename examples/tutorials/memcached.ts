/** Flask-Session's `memcached`, on one server or several: MEMCACHED_SERVERS has a comma between them. */
import express from 'express';
import { session } from 'flacon';
import { sessions } from 'flacon/adapters/express';
import { flaskConfig } from 'flacon/flask';
import { run } from './run.ts';

const servers = (process.env.MEMCACHED_SERVERS || '127.0.0.1:11211').split(',');

const app = express();
app.use(
  sessions(
    flaskConfig({
      SESSION_TYPE: 'memcached',
      // memcache.Client(['127.0.0.1:11211']). The client comes with flacon, as what npm has either cannot compare or does not
      // keep bytes. With several servers each record is on one of them, and the sessions of a server end with it. To share
      // them with a Flask application, say which client it has, as they disagree about which record goes where:
      // 'memcached://one:11211,two:11211?distribution=python-memcached'.
      SESSION_MEMCACHED: servers,
      SESSION_KEY_PREFIX: 'session:',
      // Not set: PERMANENT_SESSION_LIFETIME, and so 31 days. Memcached takes what is over 30 days for a date; that is minded.
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
