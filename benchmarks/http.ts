/**
 * What a session costs a server, per request, over the bare framework: CPU time of the server's process, on Express, every
 * kind in turn in every round. Ratios of medians. `node http.ts`, after a build.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Load } from './http/load.ts';
import { median, type Target, verdict } from './report.ts';

const ROUNDS = Number(process.env.ROUNDS ?? 60);
const REQUESTS = Number(process.env.REQUESTS ?? 4000);

interface Case {
  readonly kind: string;
  readonly path: string;
  readonly session: boolean;
  /** The case without sessions that it is compared with: the same route. */
  readonly bare?: string;
}

const BARE = 'bare framework';
const BARE_READ = 'bare framework, the route that reads';

const cases: Record<string, Case> = {
  [BARE]: { kind: 'bare', path: '/untouched', session: false },
  [BARE_READ]: { kind: 'bare', path: '/read', session: false },
  'anonymous, untouched: express-session, MemoryStore': {
    kind: 'express-session',
    path: '/untouched',
    session: false,
    bare: BARE,
  },
  'anonymous, untouched: flacon, memory': { kind: 'memory', path: '/untouched', session: false, bare: BARE },
  'anonymous, untouched: flacon, embedded': { kind: 'embedded', path: '/untouched', session: false, bare: BARE },
  'read: express-session, MemoryStore': { kind: 'express-session', path: '/read', session: true, bare: BARE_READ },
  'read: flacon, memory': { kind: 'memory', path: '/read', session: true, bare: BARE_READ },
  'read: flacon, embedded': { kind: 'embedded', path: '/read', session: true, bare: BARE_READ },
  'read: cookie-session': { kind: 'cookie-session', path: '/read', session: true, bare: BARE_READ },
  'read: flacon, signed cookie': { kind: 'signed-cookie', path: '/read', session: true, bare: BARE_READ },
};

const targets: Target[] = [
  ['anonymous, untouched: flacon, memory', 'anonymous, untouched: express-session, MemoryStore', 0.1],
  ['read: flacon, memory', 'read: express-session, MemoryStore', 0.4],
  ['read: flacon, embedded', 'read: express-session, MemoryStore', 1],
  ['read: flacon, signed cookie', 'read: cookie-session', 0.6],
];

class Server {
  readonly process: ChildProcess;
  load!: Load;
  cookie: string | undefined;

  constructor(kind: string, args: string[] = []) {
    this.process = fork(fileURLToPath(new URL('./http/server.ts', import.meta.url)), [kind], { execArgv: args });
  }

  async start(): Promise<this> {
    const [{ port }] = (await once(this.process, 'message')) as [{ port: number }];
    this.load = new Load(port);
    await this.load.open();
    return this;
  }

  async signIn(): Promise<void> {
    const answer = await this.load.once('/login');
    this.cookie = [...answer.matchAll(/^set-cookie: ([^;\r]+)/gim)].map((match) => match[1]).join('; ');
    if (!this.cookie) throw new Error('no cookie');
  }

  async ask<T>(question: string): Promise<T> {
    this.process.send(question);
    return (await once(this.process, 'message'))[0] as T;
  }

  /** CPU microseconds per request. */
  async measure(path: string, cookie: string | undefined, count: number): Promise<number> {
    const before = await this.ask<{ cpu: NodeJS.CpuUsage }>('cpu');
    await this.load.run(path, cookie, count);
    const after = await this.ask<{ cpu: NodeJS.CpuUsage }>('cpu');
    return (after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system) / count;
  }

  stop(): void {
    this.load.close();
    this.process.disconnect();
  }
}

/**
 * A process has luck or not with what the compiler makes of it, for as long as it lives: so there are several of each, one after
 * the other.
 */
const GENERATIONS = 6;
/** Rounds of each process that do not count: a server that was just started is not what is paid for. */
const WARM_UP = 5;

async function perRequest(): Promise<boolean> {
  const samples = new Map<string, number[]>(Object.keys(cases).map((name) => [name, []]));
  for (let generation = 0; generation < GENERATIONS; generation++)
    await measureAll(samples, Math.ceil(ROUNDS / GENERATIONS));

  const over = new Map<string, number>();
  for (const [name, list] of samples) {
    const { bare } = cases[name] as Case;
    // What the machine does besides changes slowly: the two of one round are compared.
    const without = samples.get(bare ?? name) as number[];
    if (bare) over.set(name, median(list.map((cpu, round) => cpu - (without[round] as number))));
  }
  const bare = median(samples.get(BARE) as number[]);
  console.log(
    `\nCPU per request over the bare framework (${bare.toFixed(1)} µs), ${ROUNDS} rounds of ${REQUESTS} requests, in ${GENERATIONS} processes each`,
  );
  for (const [name, cpu] of over) console.log(`  ${cpu.toFixed(2).padStart(8)} µs  ${name}`);
  return verdict(over, targets);
}

async function measureAll(samples: ReadonlyMap<string, number[]>, rounds: number): Promise<void> {
  const servers = new Map<string, Server>();
  for (const { kind } of Object.values(cases)) {
    if (!servers.has(kind)) servers.set(kind, await new Server(kind).start());
  }
  for (const [kind, server] of servers) if (kind !== 'bare') await server.signIn();
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const [name, { kind, path, session }] of Object.entries(cases)) {
      const server = servers.get(kind) as Server;
      const cpu = await server.measure(path, session ? server.cookie : undefined, REQUESTS);
      if (round >= 0) samples.get(name)?.push(cpu);
    }
  }
  for (const server of servers.values()) server.stop();
}

const NEW_VISITORS = Number(process.env.NEW_VISITORS ?? 200_000);

/** Memory while visitors who were never there come, in quarters. */
async function newVisitors(): Promise<boolean> {
  let flat = true;
  console.log(
    `\nmemory of a process serving ${NEW_VISITORS} requests of new visitors, after each quarter (heap, after collection)`,
  );
  for (const [kind, path] of [
    ['memory', '/untouched'],
    ['embedded', '/new'],
    ['memory', '/new'],
  ] as const) {
    const server = await new Server(kind, ['--expose-gc']).start();
    await server.load.run(path, undefined, 2000);
    const heaps: number[] = [];
    for (let quarter = 0; quarter < 4; quarter++) {
      await server.load.run(path, undefined, NEW_VISITORS / 4);
      heaps.push((await server.ask<{ heap: number }>('memory')).heap / 2 ** 20);
    }
    server.stop();
    const [half, end] = [heaps[1], heaps[3]] as [number, number];
    const ok = end < half * 1.1 + 2;
    flat &&= ok;
    const what = path === '/new' ? 'each gets a session' : 'each only looks';
    console.log(
      `  ${ok ? 'ok  ' : 'MISS'} ${heaps.map((heap) => `${heap.toFixed(1)} MiB`).join(', ')}  ${kind}, ${what}`,
    );
  }
  return flat;
}

const fast = await perRequest();
const flat = await newVisitors();
process.exitCode = fast && flat ? 0 : 1;
