/** Every framework that the adapters are tested on. */
import type { AdapterApp, AdapterServer } from 'flacon/testing/adapter-suite';
import { serveElysia } from './elysia.ts';
import { serveExpress, serveExpress4 } from './express.ts';
import { serveFastify } from './fastify.ts';
import { serveFetch } from './fetch.ts';
import { serveH3 } from './h3.ts';
import { serveHono } from './hono.ts';
import { serveKoa } from './koa.ts';
import { serveNode } from './node.ts';

export const frameworks: Record<string, (app: AdapterApp) => Promise<AdapterServer>> = {
  elysia: serveElysia,
  express: serveExpress,
  express4: serveExpress4,
  fastify: serveFastify,
  fetch: serveFetch,
  h3: serveH3,
  hono: serveHono,
  koa: serveKoa,
  node: serveNode,
};
