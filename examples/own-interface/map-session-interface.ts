/** Records in the memory of this process: gone when it ends, and not seen by another one. */
import { SignedIdSessionInterface } from './signed-id-session-interface.ts';

/** The tutorials let the dictionary grow for ever. Over this many, the one that was saved longest ago goes. */
const MOST_RECORDS = 10_000;

export class MapSessionInterface extends SignedIdSessionInterface {
  readonly #records = new Map<string, { readonly json: string; readonly expiresAt: number }>();

  protected override async read(sid: string): Promise<string | undefined> {
    const record = this.#records.get(sid);
    return record && record.expiresAt > this.now() ? record.json : undefined;
  }

  protected override async write(sid: string, json: string): Promise<void> {
    // A Map keeps the order of insertion; deleting first moves the record to the end.
    this.#records.delete(sid);
    this.#records.set(sid, { json, expiresAt: this.now() + this.lifetime * 1000 });
    const [oldest] = this.#records.keys();
    if (this.#records.size > MOST_RECORDS && oldest !== undefined) this.#records.delete(oldest);
  }

  protected override async remove(sid: string): Promise<void> {
    this.#records.delete(sid);
  }
}
