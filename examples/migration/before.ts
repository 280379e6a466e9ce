/** The application as it was: on express-session. Sign in at /login/ada, stop it, and start after.ts in the same folder. */
import session from 'express-session';
import { run } from './app.ts';
import { theirs } from './theirs.ts';

run(session(theirs));
