import { setTimeout as sleep } from 'node:timers/promises';

/** Tries until the answer is as wanted. @throws Error with the last answer after `seconds` */
export async function eventually<T>(
  attempt: () => Promise<T>,
  isWanted: (answer: T) => boolean,
  seconds = 20,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await attempt();
    if (isWanted(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(answer)} after ${seconds} seconds`);
    await sleep(100);
  }
}
