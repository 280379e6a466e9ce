/** The page of the adapter for NestJS, followed from an empty folder: its packages, its files, its commands. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../examples/built.ts';
import { Visitor } from '../examples/visitor.ts';
import { type Installation, install } from '../runtimes/installed.ts';

const page = readFileSync(join(ROOT, 'docs/adapters/nestjs.md'), 'utf8');
/** By the path that the text before a snippet ends with. */
const files = new Map(
  [...page.matchAll(/`([\w./-]+)`:\n\n```(?:ts|json)\n([\s\S]*?)```/g)].map(([, name, code]) => [name!, code!]),
);
const PACKAGES = join(ROOT, 'test/runtimes/nest12');
const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, VITEST: ___, ...env } = process.env;

let nest: Installation;
beforeAll(async () => {
  nest = await install(PACKAGES);
  writeFileSync(join(nest.folder, 'package.json'), '{ "type": "module" }\n');
  for (const [name, code] of files) {
    mkdirSync(dirname(join(nest.folder, name)), { recursive: true });
    writeFileSync(join(nest.folder, name), code);
  }
  const tsc = join(dirname(nest.folder), 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [tsc], { cwd: nest.folder, env, stdio: 'inherit' });
}, 300_000);
afterAll(() => nest?.remove());

test('every snippet is a file that was compiled', () => {
  expect(files.size).toBe([...page.matchAll(/```(ts|json)\n/g)].length);
  expect(files.size).toBeGreaterThan(8);
});

test('the packages that it installs are those that it is tested with', () => {
  const commands = [...page.matchAll(/^npm install (.*)$/gm)].flatMap(([, names]) => names!.split(' '));
  const named = new Set(commands.filter((name) => !name.startsWith('--') && name !== 'flacon'));
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(PACKAGES, 'package.json'), 'utf8'));
  expect([...named].sort()).toEqual(Object.keys({ ...dependencies, ...devDependencies }).sort());
});

describe.each(['main', 'main-fastify'])('src/%s.ts', (main) => {
  test('counts visits, and ends in order', async () => {
    const port = await freePort();
    const file = join(nest.folder, 'dist', `${main}.js`);
    writeFileSync(file, readFileSync(file, 'utf8').replace('listen(3000)', `listen(${port}, '127.0.0.1')`));
    const server = spawn(process.execPath, [file], { cwd: nest.folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      let output = '';
      for await (const text of server.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
        output += text;
        if (output.includes('successfully started')) break;
      }
      const visitor = new Visitor(`http://127.0.0.1:${port}`);
      expect((await untilUp(() => visitor.get('/'))).text).toBe('visit 1');
      expect((await visitor.get('/')).text).toBe('visit 2');
    } finally {
      const ended = once(server, 'exit');
      server.kill('SIGTERM');
      expect(await ended).toEqual([null, 'SIGTERM']);
    }
  });
});

test('the tests of the page pass', () => {
  const args = ['--test', '--test-reporter=tap', 'dist/*.test.js'];
  const tests = [...files.keys()].filter((name) => name.endsWith('.test.ts')).length;
  const output = execFileSync(process.execPath, args, { cwd: nest.folder, env, encoding: 'utf8' });
  expect(output).toContain(`# pass ${tests}`);
});

test('the other files of the page do what it says', () => {
  writeFileSync(join(nest.folder, 'dist', 'others.js'), OTHERS);
  const output = execFileSync(process.execPath, [join('dist', 'others.js')], {
    cwd: nest.folder,
    env,
    encoding: 'utf8',
  });
  expect(output).toBe('1 event 0 event 1 event 2 true 2\n');
});

/** An application of the files that no other test uses. */
const OTHERS = `
import 'reflect-metadata';
import { Controller, Get, Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Session } from 'flacon/adapters/nestjs';
import { EventsController } from './events.controller.js';
import { configuredSessions } from './sessions.js';
import { VisitsService } from './visits.service.js';

class OthersController {
  constructor(visits) { this.visits = visits; }
  count() { return String(this.visits.count()); }
  all(session) { return session.get('listening') + ' ' + session.get('heard'); }
}
const own = (name) => Object.getOwnPropertyDescriptor(OthersController.prototype, name);
Inject(VisitsService)(OthersController, undefined, 0);
Controller()(OthersController);
Get('count')(OthersController.prototype, 'count', own('count'));
Get('all')(OthersController.prototype, 'all', own('all'));
Session()(OthersController.prototype, 'all', 0);
class OthersModule {}
const controllers = [OthersController, EventsController];
Module({ imports: [configuredSessions], controllers, providers: [VisitsService] })(OthersModule);

const app = await NestFactory.create(OthersModule, { logger: false });
await app.listen(0, '127.0.0.1');
const url = await app.getUrl();
const first = await fetch(url + '/count');
const headers = { cookie: first.headers.getSetCookie()[0].split(';')[0] };
const get = async (path) => (await fetch(url + path, { headers })).text();
const said = [await first.text(), ...(await get('/events')).match(/event \\d/g), await get('/all')];
console.log(said.join(' '));
app.getHttpServer().closeAllConnections();
await app.close();
`;

async function untilUp<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
