import { adapterSuite } from 'flacon/testing/adapter-suite';
import { describe, it } from 'vitest';
import { serveExpress4 } from './frameworks/express.ts';

adapterSuite({ describe, it }, { name: 'express4', serve: serveExpress4 });
