/** `app.session_interface = …`: an interface of one's own, with its records in memory. The class is in ../own-interface. */
import { randomBytes } from 'node:crypto';
import { MapSessionInterface } from '../own-interface/map-session-interface.ts';
import { ownInterfaceApp } from './own-interface-app.ts';
import { run } from './run.ts';

const SECRET_KEY = process.env.SECRET_KEY || randomBytes(32).toString('hex');

run(
  ownInterfaceApp(
    new MapSessionInterface(SECRET_KEY, {
      lifetime: Number(process.env.LIFETIME || 31 * 24 * 60 * 60),
      // Every attribute, as in the tutorial.
      cookie: { name: 'session', domain: '127.0.0.1', path: '/', httpOnly: true, secure: false, sameSite: 'Lax' },
    }),
  ),
);
