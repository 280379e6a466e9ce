import { adapterSuite } from 'flacon/testing/adapter-suite';
import { describe, it } from 'vitest';
import { serveNode } from './frameworks/node.ts';

adapterSuite({ describe, it }, { name: 'node', serve: serveNode });
