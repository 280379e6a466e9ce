/**
 * What a store costs beside its driver alone doing the same commands: CPU time of this process per operation, one at a time and
 * 64 at once. `node stores.ts [--only=redis,…]`. Exits with 1 when a target is missed.
 *
 * Each file of `stores/` exports `cases()`. Store and driver take short turns, so that a busy
 * machine slows both alike; what is compared are the medians over all turns. A server that cannot be had is said and left out.
 */
import { readdirSync } from 'node:fs';
import { ServerMissing } from '../test/servers/process.ts';
import { median } from './report.ts';

/** One operation, done by the store and by the bare driver. Answers are checked by whoever writes the case, before it is timed. */
export interface StoreCase {
  /** `node-redis: read`. */
  readonly name: string;
  /** @param worker which of those that run at once is asking, from 0: for a key of its own */
  readonly store: (worker: number) => unknown;
  readonly bare: (worker: number) => unknown;
}

export interface StoreCases {
  readonly cases: readonly StoreCase[];
  /** Ends clients and servers. */
  close(): unknown;
}

const TURNS = Number(process.env.TURNS ?? 200);
/** Short, so that most turns see no full garbage collection: one takes longer than a turn, and falls to either side by chance. */
const TURN_MS = 4;
const CONCURRENCIES = [1, 64];
const AT_MOST = 1.15;

type Side = (worker: number) => unknown;

async function run(side: Side, concurrency: number, count: number): Promise<void> {
  let left = count;
  const worker = async (number: number): Promise<void> => {
    while (left-- > 0) await side(number);
  };
  await Promise.all(Array.from({ length: concurrency }, (_, number) => worker(number)));
}

/** CPU microseconds per operation. */
async function cost(side: Side, concurrency: number, count: number): Promise<number> {
  const before = process.cpuUsage();
  await run(side, concurrency, count);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

/** How many operations fill a turn. Warms up, too. */
async function countFor({ store, bare }: StoreCase, concurrency: number): Promise<number> {
  for (let count = concurrency; ; count *= 2) {
    await run(bare, concurrency, count);
    const start = performance.now();
    await run(store, concurrency, count);
    if (performance.now() - start >= TURN_MS) return count;
  }
}

async function measure(one: StoreCase, concurrency: number): Promise<boolean> {
  const count = await countFor(one, concurrency);
  const costs: Record<'store' | 'bare', number[]> = { store: [], bare: [] };
  for (let turn = 0; turn < TURNS; turn++) {
    // By chance: whatever is periodic would else keep step with one side.
    const order = Math.random() < 0.5 ? (['store', 'bare'] as const) : (['bare', 'store'] as const);
    for (const side of order) costs[side].push(await cost(one[side], concurrency, count));
  }
  const [store, bare] = [median(costs.store), median(costs.bare)];
  const ratio = store / bare;
  const ok = ratio <= AT_MOST;
  const figures = [store, bare].map((cpu) => `${cpu.toFixed(1)} µs`.padStart(10)).join('');
  console.log(
    `  ${ok ? 'ok  ' : 'MISS'} ${ratio.toFixed(3)} ${figures}  ${String(concurrency).padStart(2)} at once  ${one.name}`,
  );
  return ok;
}

async function main(): Promise<boolean> {
  const only = process.argv
    .find((arg) => arg.startsWith('--only='))
    ?.slice('--only='.length)
    .split(',');
  const files = readdirSync(new URL('./stores/', import.meta.url)).filter((file) => file.endsWith('.ts'));
  console.log(`CPU time per operation, of the store over its bare driver (at most ${AT_MOST}), of each`);
  let met = true;
  for (const name of files.map((file) => file.slice(0, -'.ts'.length))) {
    if (only && !only.includes(name)) continue;
    const { cases } = (await import(`./stores/${name}.ts`)) as { cases?: () => Promise<StoreCases> };
    // A file without cases is a piece that others share.
    if (!cases) continue;
    console.log(`\n${name}`);
    let opened: StoreCases;
    try {
      opened = await cases();
    } catch (error) {
      if (!(error instanceof ServerMissing)) throw error;
      console.log(`  left out: ${error.message}`);
      continue;
    }
    try {
      for (const one of opened.cases) for (const at of CONCURRENCIES) met = (await measure(one, at)) && met;
    } finally {
      await opened.close();
    }
  }
  return met;
}

if (import.meta.main) process.exitCode = (await main()) ? 0 : 1;
