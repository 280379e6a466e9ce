/** Flask-Session's `redis`: the data is in Redis, the cookie holds a signed id. Needs `npm i redis`, and a server. */
import { randomBytes } from 'node:crypto';
import express from 'express';
import { session } from 'flacon';
import { sessions } from 'flacon/adapters/express';
import { flaskConfig } from 'flacon/flask';
import { createClient } from 'redis';
import { run } from './run.ts';

// redis.Redis(host='127.0.0.1', port=6379, password='…', db=0)
const redis = createClient({
  socket: { host: process.env.REDIS_HOST || '127.0.0.1', port: Number(process.env.REDIS_PORT || 6379) },
  password: process.env.REDIS_PASSWORD || '', // none
  database: Number(process.env.REDIS_DB || 0),
  // While the server is away, requests fail; they do not wait for it to come back.
  disableOfflineQueue: true,
});
// Without a listener, a lost connection would end the process.
redis.on('error', (error: Error) => console.error(`redis: ${error.message}`));
await redis.connect(); // the Python client does it at the first command

const app = express();
app.use(
  sessions(
    flaskConfig({
      SECRET_KEY: process.env.SECRET_KEY || randomBytes(32).toString('hex'),
      SESSION_TYPE: 'redis',
      // False: the cookie goes with the browser. Tutorials say that the session does; its record lives on for the lifetime below.
      SESSION_PERMANENT: process.env.PERMANENT === 'true',
      // Nobody guesses an id of 256 random bits, signed or not: Flask-Session has deprecated this.
      SESSION_USE_SIGNER: true,
      // The id follows as it is. Some tutorials have 'flask-session' here, and keys such as flask-sessionx3mQ….
      SESSION_KEY_PREFIX: process.env.KEY_PREFIX || 'session:',
      SESSION_REDIS: redis,
      PERMANENT_SESSION_LIFETIME: 7200, // seconds after the last request, for permanent sessions and others
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

app.get('/pop', (_req, res) => {
  // What is left is an empty session, whose record is deleted.
  res.type('text').send(session.pop('value', 'not set'));
});

run(app);
