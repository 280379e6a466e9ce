import { adapterSuite } from 'flacon/testing/adapter-suite';
import { describe, it } from 'vitest';
import { serveHono } from './frameworks/hono.ts';

adapterSuite({ describe, it }, { name: 'hono', serve: serveHono });
