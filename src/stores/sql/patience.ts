/** How long something is tried again that others are in the way of, with pauses of random lengths, so that those who met do not meet again. */

/** Milliseconds. */
const LIMIT = 5000;
const LONGEST_PAUSE = 20;

export class Patience {
  readonly #end = performance.now() + LIMIT;
  #pause = 1;

  /** Pauses, or answers that it is over. */
  async isOver(): Promise<boolean> {
    if (performance.now() >= this.#end) return true;
    await new Promise((resolve) => setTimeout(resolve, this.#pause * Math.random()));
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
    return false;
  }
}
