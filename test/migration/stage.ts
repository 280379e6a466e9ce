/** One visitor who signed in with express-session, and applications on flacon that share a store and take over. */
import session from 'express-session';
import type { SessionOptions, SessionStore } from 'flacon';
import { type ExpressSessionSource, fromExpressSession } from 'flacon/connect';
import { MemoryStore } from 'flacon/stores/memory';
import type { Answer, Visitor } from '../examples/visitor.ts';
import { Events, expressApp, flaconApp, type Site, serve } from './apps.ts';

export const SECRET = 'keyboard cat';

type Callback = (error?: unknown, session?: unknown) => void;

/** express-session's own store, which can be made to wait and to fail, and tells what it was asked. */
export class FormerMemory extends session.MemoryStore {
  readonly calls: string[] = [];
  /** Awaited before the method answers. */
  before: Partial<Record<'get' | 'destroy', () => Promise<void> | void>> = {};
  /** Awaited after the method has looked, before it tells. */
  after: Partial<Record<'get' | 'destroy', () => Promise<void> | void>> = {};

  override get(sid: string, callback: Parameters<session.MemoryStore['get']>[1]): void {
    this.#run('get', callback as Callback, (done) => super.get(sid, done));
  }

  override destroy(sid: string, callback?: (error?: unknown) => void): void {
    this.#run('destroy', callback ?? (() => {}), (done) => super.destroy(sid, done));
  }

  #run(method: 'get' | 'destroy', callback: Callback, run: (done: Callback) => void): void {
    this.calls.push(method);
    (async () => {
      await this.before[method]?.();
      const answer = await new Promise<Parameters<Callback>>((resolve) => run((...args) => resolve(args)));
      await this.after[method]?.();
      return answer;
    })().then((answer) => callback(...answer), callback);
  }

  /** Stops the next `get` before it looks, or when it has looked and did not tell yet. */
  pauseNextGet(when: 'before' | 'after'): { readonly reached: Promise<void>; goOn(): void } {
    let goOn = (): void => {};
    const paused = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const reached = new Promise<void>((resolve) => {
      this[when].get = () => {
        delete this[when].get;
        resolve();
        return paused;
      };
    });
    return { reached, goOn };
  }

  get size(): number {
    return Object.keys((this as unknown as { sessions: object }).sessions).length;
  }
}

/** A store of ours whose keys can be seen. */
export class SeenMemory implements SessionStore {
  readonly name = 'seen';
  readonly keys = new Set<string>();
  readonly synchronous: boolean;
  readonly #memory: MemoryStore;
  readonly #calls: string[];

  constructor(synchronous: boolean, calls: string[], now: () => number = Date.now) {
    this.synchronous = synchronous;
    this.#memory = new MemoryStore({ now });
    this.#calls = calls;
  }

  #answer<T>(name: string, value: T): T {
    this.#calls.push(name);
    if (this.synchronous) return value;
    return new Promise((resolve) => setTimeout(() => resolve(value), 2)) as T;
  }

  read(key: string) {
    return this.#answer('read', this.#memory.read(key));
  }
  write(...[key, record, expiresAt, expected]: Parameters<SessionStore['write']>) {
    const result = this.#memory.write(key, record, expiresAt, expected);
    if (result === 'written') this.keys[record ? 'add' : 'delete'](key);
    return this.#answer('write', result);
  }
  touch(key: string, expiresAt: number) {
    return this.#answer('touch', this.#memory.touch(key, expiresAt));
  }
  delete(key: string) {
    this.keys.delete(key);
    return this.#answer('delete', this.#memory.delete(key));
  }
}

export class Stage {
  readonly former = new FormerMemory();
  readonly calls: string[] = [];
  readonly store: SeenMemory;
  readonly events = new Events();
  readonly #options: Partial<SessionOptions>;
  readonly #source: Partial<ExpressSessionSource>;

  constructor(options: Partial<SessionOptions> = {}, source: Partial<ExpressSessionSource> = {}, synchronous = true) {
    this.store = new SeenMemory(synchronous, this.calls, options.now);
    this.#options = options;
    this.#source = source;
  }

  /** An application on express-session. */
  expressSession(options: Partial<session.SessionOptions> = {}): Promise<Site> {
    return serve(expressApp({ secret: SECRET, store: this.former, ...options }));
  }

  /** One more instance of the application on flacon: it shares nothing with the others but the stores. */
  flacon(): Promise<Site> {
    const source = { secret: SECRET, store: this.former, ...this.#source };
    const options = { store: this.store, onEvent: this.events.listener, ...this.#options };
    return serve(flaconApp(fromExpressSession(options, source)));
  }

  /** Ada, signed in with express-session, who now finds flacon there. */
  async ada(site?: Site): Promise<Visitor> {
    const before = await this.expressSession();
    const visitor = before.visitor();
    await visitor.get('/login/ada');
    this.former.calls.length = 0;
    return visitor.copy((site ?? (await this.flacon())).url);
  }
}

export function dataOf(answer: Answer): unknown {
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text}`);
  return JSON.parse(answer.text);
}
