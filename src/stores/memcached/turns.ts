/** One after the other: for clients that cannot compare on the server. */

/** By the client, since two stores may have the same. */
const turnsOfClients = new WeakMap<object, Turns>();

export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  static of(client: object): Turns {
    let turns = turnsOfClients.get(client);
    if (!turns) {
      turns = new Turns();
      turnsOfClients.set(client, turns);
    }
    return turns;
  }

  /** Runs the step when every earlier one of the same key has ended, however it ended. */
  take<T>(key: string, step: () => Promise<T>): Promise<T> {
    const turn = this.#last.get(key)?.then(step) ?? step();
    const leave = (): void => {
      if (this.#last.get(key) === ended) this.#last.delete(key);
    };
    const ended: Promise<void> = turn.then(leave, leave);
    this.#last.set(key, ended);
    return turn;
  }
}
