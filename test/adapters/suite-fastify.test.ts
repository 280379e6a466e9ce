import { adapterSuite } from 'flacon/testing/adapter-suite';
import { describe, it } from 'vitest';
import { serveFastify } from './frameworks/fastify.ts';

adapterSuite({ describe, it }, { name: 'fastify', serve: serveFastify, forwardedProto: 'last' });
