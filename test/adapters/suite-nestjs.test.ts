import { adapterSuite } from 'flacon/testing/adapter-suite';
import { describe, it } from 'vitest';
import { serveNestOnExpress, serveNestOnFastify } from './frameworks/nestjs.ts';

adapterSuite({ describe, it }, { name: 'nestjs on express', serve: serveNestOnExpress });
adapterSuite({ describe, it }, { name: 'nestjs on fastify', serve: serveNestOnFastify, forwardedProto: 'last' });
