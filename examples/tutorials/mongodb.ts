/** Flask-Session's `mongodb`: a document for each session. Needs `npm i mongodb`, and a server. */
import express from 'express';
import { session } from 'flacon';
import { sessions } from 'flacon/adapters/express';
import { flaskConfig } from 'flacon/flask';
import { MongoClient } from 'mongodb';
import { run } from './run.ts';

// MongoClient('127.0.0.1', 27017): it connects when it is first used.
const mongodb = new MongoClient(process.env.MONGODB_URL || 'mongodb://127.0.0.1:27017');

const app = express();
app.use(
  sessions(
    flaskConfig({
      SESSION_TYPE: 'mongodb',
      SESSION_MONGODB: mongodb,
      // In any letters: 'séances', '会话'.
      SESSION_MONGODB_DB: process.env.MONGODB_DB || 'flask_session',
      SESSION_MONGODB_COLLECT: process.env.MONGODB_COLLECT || 'sessions',
      // The server deletes expired documents once a minute. Flask-Session takes them for live ones until then; this does not.
      PERMANENT_SESSION_LIFETIME: Number(process.env.LIFETIME || 7200),
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
