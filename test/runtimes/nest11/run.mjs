/** On Nest 11, with the built package: the adapter suite, what Nest has beside handlers, and Nest's testing modules. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { Controller, Get, Module } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Session, SessionModule } from 'flacon/adapters/nestjs';
import { MemoryStore } from 'flacon/stores/memory';
import { adapterSuite } from 'flacon/testing/adapter-suite';
import request from 'supertest';
import { decorate } from '../../adapters/frameworks/decorate.ts';
import { serveNestOnExpress, serveNestOnFastify } from '../../adapters/frameworks/nestjs.ts';
import { nestFeatures } from '../../adapters/nestjs-features.ts';

const require = createRequire(import.meta.url);

it('is Nest 11, and loads as CommonJS, too', () => {
  assert.match(require('@nestjs/core/package.json').version, /^11\./);
  assert.equal(typeof require('flacon/adapters/nestjs').SessionModule.forRoot, 'function');
});

adapterSuite({ describe, it }, { name: 'nestjs 11 on express', serve: serveNestOnExpress });
adapterSuite({ describe, it }, { name: 'nestjs 11 on fastify', serve: serveNestOnFastify, forwardedProto: 'last' });
nestFeatures({ describe, it });

class CountController {
  count(session) {
    return String(session.update('visits', (visits) => (visits ?? 0) + 1));
  }
}
decorate(CountController, undefined, [Controller()]);
decorate(CountController, 'count', [Get()], [Session()]);

/** Nest makes a testing module before it knows the platform. */
async function testingModule() {
  class AppModule {}
  const imports = [SessionModule.forRoot({ store: new MemoryStore() })];
  decorate(AppModule, undefined, [Module({ imports, controllers: [CountController] })]);
  return Test.createTestingModule({ imports: [AppModule] }).compile();
}

describe('testing modules', () => {
  it('on Express, asked by supertest', async () => {
    const app = (await testingModule()).createNestApplication();
    await app.init();
    const agent = request.agent(app.getHttpServer());
    await agent.get('/').expect('1');
    await agent.get('/').expect('2');
    await app.close();
  });

  it('on Fastify, asked by inject', async () => {
    const app = (await testingModule()).createNestApplication(new FastifyAdapter());
    await app.init();
    const first = await app.inject('/');
    const [{ name, value }] = first.cookies;
    const second = await app.inject({ url: '/', cookies: { [name]: value } });
    assert.deepEqual([first.payload, second.payload], ['1', '2']);
    await app.close();
  });
});
