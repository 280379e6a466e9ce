import { adapterSuite } from 'flacon/testing/adapter-suite';
import { describe, it } from 'vitest';
import { serveExpress } from './frameworks/express.ts';

adapterSuite({ describe, it }, { name: 'express', serve: serveExpress });
