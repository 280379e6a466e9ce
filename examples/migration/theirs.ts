/** What express-session was given. Both programs have it: the one to write sessions, the other to take them over. */
import type { SessionOptions } from 'express-session';
import session from 'express-session';
import fileStore from 'session-file-store';

const FileStore = fileStore(session);

export const theirs = {
  secret: process.env.SECRET || 'keyboard cat',
  name: 'connect.sid',
  cookie: { maxAge: 7 * 86_400_000, httpOnly: true, sameSite: 'lax' },
  resave: false,
  saveUninitialized: false,
  store: new FileStore({ path: 'sessions', retries: 0, logFn: () => {} }),
} satisfies SessionOptions;
