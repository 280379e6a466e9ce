/** What the benchmarks share: medians, and the ratios that are promised. */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** This one, over that one, is to be at most so much. */
export type Target = readonly [measured: string, reference: string, atMost: number];

/** Prints each ratio beside its target. @returns whether all are met */
export function verdict(medians: ReadonlyMap<string, number>, targets: readonly Target[]): boolean {
  let met = true;
  console.log('ratios of medians, and what they may be at most');
  for (const [measured, reference, atMost] of targets) {
    const ratio = (medians.get(measured) as number) / (medians.get(reference) as number);
    const ok = ratio <= atMost;
    met &&= ok;
    console.log(`  ${ok ? 'ok  ' : 'MISS'} ${ratio.toFixed(3)} (≤ ${atMost})  ${measured} / ${reference}`);
  }
  return met;
}
