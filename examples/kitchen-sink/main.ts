/**
 * `npm run kitchen-sink`: every session operation over HTTP. FRAMEWORK names the web framework, PROFILE the way sessions are
 * kept: `flask` as the environment's SECRET_KEY, SESSION_… and so on say, `secure` by the package's own defaults on the same store.
 */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSessionInterface, SessionConfigError, type SessionOptions } from 'flacon';
import { flaskConfigFromEnv } from 'flacon/flask';
import { OverwritingInterface } from './overwrite.ts';

type Environment = Record<string, string | undefined>;
type Framework = () => Promise<{
  listener(sessionInterface: OverwritingInterface): RequestListener | Promise<RequestListener>;
}>;

const FRAMEWORKS: Record<string, Framework> = {
  elysia: () => import('./elysia.ts'),
  express: () => import('./express.ts'),
  fastify: () => import('./fastify.ts'),
  fetch: () => import('./fetch.ts'),
  h3: () => import('./h3.ts'),
  hono: () => import('./hono.ts'),
  koa: () => import('./koa.ts'),
  nest: () => import('./nest.ts'),
  node: () => import('./node.ts'),
};

function usage(message: string): never {
  console.error(message);
  process.exit(2);
}

/** Values as `flaskConfigFromEnv` reads them: the secrets are text whatever they look like, `none` is Python's None. */
function flaskEnvironment(env: Environment): Environment {
  const { SECRET_KEY, SECRET_KEY_FALLBACKS, ...others } = env;
  const settings = Object.entries(others).map(([name, value]) => {
    return [name, name.startsWith('SESSION_') && value === 'none' ? 'null' : value] as const;
  });
  const fallbacks = SECRET_KEY_FALLBACKS?.split(',').filter((key) => key !== '');
  return {
    ...Object.fromEntries(settings),
    ...(SECRET_KEY ? { SECRET_KEY: JSON.stringify(SECRET_KEY) } : {}),
    ...(fallbacks?.length ? { SECRET_KEY_FALLBACKS: JSON.stringify(fallbacks) } : {}),
  };
}

function optionsFrom(env: Environment): SessionOptions {
  const { PROFILE: profile = 'flask' } = env;
  const flask = flaskConfigFromEnv(flaskEnvironment(env), '');
  if (profile === 'flask') return flask;
  if (profile !== 'secure') usage(`PROFILE is "${profile}"; it can be: flask, secure`);
  const { store = 'cookie', secretKey, secretKeyFallbacks } = flask;
  return { store, ...(secretKey ? { secretKey } : {}), ...(secretKeyFallbacks ? { secretKeyFallbacks } : {}) };
}

const framework = process.env.FRAMEWORK || 'express';
const load = Object.hasOwn(FRAMEWORKS, framework) ? FRAMEWORKS[framework] : undefined;
if (!load) usage(`FRAMEWORK is "${framework}"; it can be: ${Object.keys(FRAMEWORKS).join(', ')}`);

let options: SessionOptions;
let sessionInterface: OverwritingInterface;
try {
  options = optionsFrom(process.env);
  sessionInterface = new OverwritingInterface(createSessionInterface(options));
} catch (error) {
  if (!(error instanceof SessionConfigError)) throw error;
  usage(error.message);
}

const { listener } = await load();
const server = createServer(await listener(sessionInterface));

server.listen(Number(process.env.PORT || 0), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

/** Requests under way are answered, then everything is closed and the process ends by itself. */
process.once('SIGTERM', () => {
  server.close(async () => {
    if (typeof options.store === 'object') await options.store.close?.();
  });
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), 2000).unref();
});
