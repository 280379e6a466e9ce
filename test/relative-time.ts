/** How long work takes beside other work on the same machine at the same moment: for bounds that no slow machine breaks. */
import { expect } from 'vitest';

/** A measurement shorter than this, in milliseconds, says more of the clock than of the work. */
const MEASURABLE = 2;
const RUNS = 3;
const TRIES = 5;

/** The shortest of some runs: the others were disturbed by more. */
function shortest(work: () => unknown, times: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run++) {
    const started = performance.now();
    for (let n = 0; n < times; n++) work();
    best = Math.min(best, performance.now() - started);
  }
  return best;
}

/** How many times in a row the work has to be done to be measurable. */
function repetitions(work: () => unknown): number {
  let times = 1;
  while (shortest(work, times) < MEASURABLE) times *= 4;
  return times;
}

/** That the first takes at most so many times as long as the second, in one of some tries. */
export function expectAtMost(factor: number, work: () => unknown, other: () => unknown, what = 'it'): void {
  const times = repetitions(other);
  const factors: string[] = [];
  for (let n = 0; n < TRIES; n++) {
    const ratio = shortest(work, times) / shortest(other, times);
    if (ratio <= factor) return;
    factors.push(ratio.toFixed(1));
  }
  expect.fail(`${what} took ${factors.join(', ')} times as long, at most ${factor} expected`);
}

/** The longest time, in milliseconds, for which nothing else could run in this process while the work was done. */
export async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  let running = true;
  const turn = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  try {
    await work();
  } finally {
    running = false;
    turn();
  }
  return longest;
}

/** That the first holds up the process at most so many times as long as the second, in one of some tries. */
export async function expectTurnsAtMost(
  factor: number,
  work: () => Promise<unknown>,
  other: () => Promise<unknown>,
): Promise<void> {
  const factors: string[] = [];
  for (let n = 0; n < TRIES; n++) {
    const usual = await longestTurn(other);
    const ratio = (await longestTurn(work)) / usual;
    if (ratio <= factor) return;
    factors.push(ratio.toFixed(1));
  }
  expect.fail(`the process was held up ${factors.join(', ')} times as long, at most ${factor} expected`);
}
