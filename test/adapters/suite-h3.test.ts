import { adapterSuite } from 'flacon/testing/adapter-suite';
import { describe, it } from 'vitest';
import { serveH3 } from './frameworks/h3.ts';

adapterSuite({ describe, it }, { name: 'h3', serve: serveH3 });
