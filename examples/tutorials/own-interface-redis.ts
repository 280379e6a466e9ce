/** The same as own-interface-memory.ts, with its records in Redis. Needs `npm i redis`, and a server at REDIS_URL. */
import { randomBytes } from 'node:crypto';
import { type RedisClient, RedisSessionInterface } from '../own-interface/redis-session-interface.ts';
import { ownInterfaceApp } from './own-interface-app.ts';
import { run } from './run.ts';

const SECRET_KEY = process.env.SECRET_KEY || randomBytes(32).toString('hex');

const redis = await connect(process.env.REDIS_URL || 'redis://127.0.0.1:6379/0');

run(
  ownInterfaceApp(
    new RedisSessionInterface(redis, SECRET_KEY, {
      lifetime: Number(process.env.LIFETIME || 31 * 24 * 60 * 60),
      cookie: { name: 'session', domain: '127.0.0.1', path: '/', httpOnly: true, secure: false, sameSite: 'Lax' },
    }),
  ),
);

/** Imported when it is needed, so that the other examples run without it. */
async function connect(url: string): Promise<RedisClient> {
  const { createClient } = await import('redis');
  const client = createClient({ url });
  // Without a listener, a lost connection would end the process.
  client.on('error', (error: Error) => console.error(`redis: ${error.message}`));
  await client.connect();
  return client;
}
