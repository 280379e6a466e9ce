/**
 * Turns, for every key its own: whoever changes what is under a key has it alone, readers share it. This is what stands in
 * for compare-and-set where the place behind has none; it reaches as far as this process, and no further.
 */

/** Told to whoever holds a key: whether it still does. */
export interface Turn {
  readonly over: boolean;
}

/** What takes longer is given up, so that an answer that never comes does not close a key for good. */
export interface Limit {
  /** Milliseconds. */
  readonly patience: number;
  late(): Error;
}

interface Lane {
  /** Settles, never rejects, when the last change that was asked for is through. */
  change: Promise<unknown>;
  /** Reads since then. */
  reads: Set<Promise<unknown>>;
  users: number;
}

/** Lanes belong to the place behind, so that two stores over the same one keep out of each other's way. */
const LANES = new WeakMap<object, KeyLanes>();

export function lanesOf(place: object): KeyLanes {
  let lanes = LANES.get(place);
  if (!lanes) {
    lanes = new KeyLanes();
    LANES.set(place, lanes);
  }
  return lanes;
}

export class KeyLanes {
  readonly #lanes = new Map<string, Lane>();

  /** After the changes that were asked for before, beside other reads. */
  read<T>(key: string, step: () => Promise<T>, limit: Limit): Promise<T> {
    const lane = this.#lane(key);
    const result = lane.change.then(() => inTime(step, limit));
    const settled = this.#leave(key, lane, result);
    lane.reads.add(settled);
    void settled.then(() => lane.reads.delete(settled));
    return result;
  }

  /** After everything that was asked for before, and alone. When its turn is over it has to leave the rest undone. */
  change<T>(key: string, step: (turn: Turn) => Promise<T>, limit: Limit): Promise<T> {
    const lane = this.#lane(key);
    const result = Promise.all([lane.change, ...lane.reads]).then(() => inTime(step, limit));
    lane.change = this.#leave(key, lane, result);
    lane.reads = new Set();
    return result;
  }

  /** How many keys are in use: what is idle costs nothing. */
  get size(): number {
    return this.#lanes.size;
  }

  #lane(key: string): Lane {
    let lane = this.#lanes.get(key);
    if (!lane) {
      lane = { change: Promise.resolve(), reads: new Set(), users: 0 };
      this.#lanes.set(key, lane);
    }
    lane.users++;
    return lane;
  }

  #leave(key: string, lane: Lane, result: Promise<unknown>): Promise<void> {
    const leave = (): void => {
      if (--lane.users === 0) this.#lanes.delete(key);
    };
    return result.then(leave, leave);
  }
}

function inTime<T>(step: (turn: Turn) => Promise<T>, { patience, late }: Limit): Promise<T> {
  const turn = { over: false };
  return new Promise((resolve, reject) => {
    const answer = step(turn);
    const timer = setTimeout(() => {
      turn.over = true;
      reject(late());
    }, patience);
    void answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
