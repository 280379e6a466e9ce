import { adapterSuite } from 'flacon/testing/adapter-suite';
import { describe, it } from 'vitest';
import { serveElysia } from './frameworks/elysia.ts';

adapterSuite({ describe, it }, { name: 'elysia', serve: serveElysia });
