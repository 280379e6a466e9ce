/**
 * What happens when: the session is opened before the handler and saved after it, before the response begins. Without
 * SECRET_KEY there is Flask's null session: reading works, and writing explains itself.
 */
import express, { type ErrorRequestHandler } from 'express';
import {
  type Awaitable,
  createSessionInterface,
  type Session,
  type SessionEffects,
  SessionInterface,
  type SessionRequest,
  session,
} from 'flacon';
import { sessions } from 'flacon/adapters/express';
import { flaskConfig } from 'flacon/flask';
import { escapeHtml } from './escape-html.ts';
import { run } from './run.ts';

/** Any interface, with a line in the log for each step. */
class LoggingSessionInterface extends SessionInterface {
  readonly #inner: SessionInterface;

  constructor(inner: SessionInterface) {
    super();
    this.#inner = inner;
  }

  override openSession(request: SessionRequest): Awaitable<Session | null> {
    console.log('open_session');
    return this.#inner.openSession(request);
  }

  override saveSession(session: Session, request: SessionRequest): Awaitable<SessionEffects> {
    console.log('save_session');
    return this.#inner.saveSession(session, request);
  }

  override makeNullSession(): Session {
    console.log('make_null_session');
    return this.#inner.makeNullSession();
  }
}

const { SECRET_KEY } = process.env;
const inner = createSessionInterface(flaskConfig(SECRET_KEY ? { SECRET_KEY } : {}));

const app = express();
app.use(sessions(new LoggingSessionInterface(inner)));

app.get('/get', (_req, res) => {
  console.log('handler');
  res.send(`Hello, ${escapeHtml(session.get('name', 'nobody'))}`);
});

app.get('/set/:name', (req, res) => {
  console.log('handler');
  session.set('name', req.params.name);
  res.send('ok');
});

const explain: ErrorRequestHandler = (error, _req, res, _next) => {
  res.status(500).send(escapeHtml(error instanceof Error ? error.message : 'failed'));
};
app.use(explain);

run(app);
