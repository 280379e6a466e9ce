import { adapterSuite } from 'flacon/testing/adapter-suite';
import { describe, it } from 'vitest';
import { serveKoa } from './frameworks/koa.ts';

adapterSuite({ describe, it }, { name: 'koa', serve: serveKoa });
