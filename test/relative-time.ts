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
