/** The two applications over one store, and a visitor who goes to and fro between them with one cookie. */
import { join } from 'node:path';
import { start } from '../examples/started.ts';
import { freePort, isListening, startProcess, temporaryFolder } from '../servers/process.ts';
import { FOLDER, type Python } from './python.ts';

export type Side = 'flask' | 'ours';
export type Settings = Readonly<Record<string, string>>;

export const SIDES: readonly Side[] = ['flask', 'ours'];
export const otherSide = (side: Side): Side => (side === 'flask' ? 'ours' : 'flask');

export interface Application {
  readonly url: string;
  /** What it wrote so far. */
  output(): string;
  stop(): Promise<unknown>;
}

export interface Sides {
  readonly flask: string;
  readonly ours: string;
  /** What both wrote so far. */
  output(): string;
  stop(): Promise<void>;
}

/** app.py, by the same settings as the kitchen sink. */
export async function startFlask(python: Python, settings: Settings): Promise<Application> {
  const folder = temporaryFolder('flask');
  const port = await freePort();
  const program = await startProcess({
    command: python.command,
    args: [join(FOLDER, 'app.py')],
    cwd: folder.path,
    env: { ...python.env, ...settings, PORT: String(port) },
    ready: () => isListening(port),
  });
  return {
    url: `http://127.0.0.1:${port}`,
    output: program.output,
    async stop() {
      await program.stop();
      folder.remove();
    },
  };
}

export function startOurs(settings: Settings): Promise<Application> {
  return start('kitchen-sink/main.ts', settings);
}

/** @param first who finds nothing there, and has to make tables and the like */
export async function startSides(python: Python, settings: Settings, first: Side = 'flask'): Promise<Sides> {
  const begin = (side: Side) => (side === 'flask' ? startFlask(python, settings) : startOurs(settings));
  const former = await begin(first);
  // Ours makes them when they are needed.
  await fetch(`${former.url}/set?key=first`, { method: 'POST', body: '1' });
  const latter = await begin(otherSide(first));
  return {
    [first]: former.url,
    [otherSide(first)]: latter.url,
    output: () => `${former.output()}\n${latter.output()}`,
    stop: async () => void (await Promise.all([former.stop(), latter.stop()])),
  } as unknown as Sides;
}

export interface Answer {
  /** What was asked, of whom. */
  readonly request: string;
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the route answers
  readonly json: any;
  readonly setCookies: readonly string[];
}

export class Visitor {
  /** The value of the session's cookie. */
  cookie: string | undefined;
  readonly #sides: Pick<Sides, Side>;
  readonly #name: string;

  constructor(sides: Pick<Sides, Side>, cookie?: string, name = 'session') {
    this.#sides = sides;
    this.#name = name;
    this.cookie = cookie;
  }

  /** Another tab, or somebody who stole the cookie. */
  copy(): Visitor {
    return new Visitor(this.#sides, this.cookie, this.#name);
  }

  get(side: Side, path: string): Promise<Answer> {
    return this.#send(side, path, {});
  }

  post(side: Side, path: string, body?: unknown): Promise<Answer> {
    return this.#send(side, path, { method: 'POST', body: body === undefined ? null : JSON.stringify(body) });
  }

  async #send(side: Side, path: string, init: RequestInit): Promise<Answer> {
    const headers = this.cookie === undefined ? {} : { Cookie: `${this.#name}=${this.cookie}` };
    const response = await fetch(this.#sides[side] + path, { redirect: 'manual', ...init, headers });
    const setCookies = response.headers.getSetCookie();
    for (const cookie of setCookies) {
      if (!cookie.startsWith(`${this.#name}=`)) continue;
      const [, value] = /=([^;]*)/.exec(cookie) ?? [];
      this.cookie = /; Max-Age=0\b/.test(cookie) ? undefined : value;
    }
    const text = await response.text();
    const isJson = response.headers.get('content-type') === 'application/json' && text !== '';
    return {
      request: `${side} ${path}`,
      status: response.status,
      json: isJson ? parseExactly(text) : undefined,
      setCookies,
    };
  }

  /** What the session holds on that side, but for Flask's own mark of a permanent one. */
  async data(side: Side): Promise<Record<string, unknown>> {
    const { _permanent, ...data } = (await this.get(side, '/all')).json.session;
    return data;
  }

  /** What Python holds, in the notation: by key. */
  async typed(): Promise<Map<string, unknown>> {
    return new Map((await this.get('flask', '/typed')).json.session[1]);
  }
}

/** Of a Set-Cookie header: its name and attributes, without what differs from one to the next. */
export function attributes(cookie: string | undefined): string | undefined {
  return cookie?.replace(/=[^;]*/, '').replace(/Expires=[^;]*/, 'Expires');
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** Integers beyond 2^53 as bigint: one side writes a whole float as `1.0`, the other as `1`, and no digit may be lost. */
function parseExactly(text: string): unknown {
  const revive: Reviver = (_key, value, { source = '' }) =>
    typeof value !== 'number' || Number.isSafeInteger(value) || !Number.isInteger(value)
      ? value
      : BigInt(/[.e]/i.test(source) ? value : source);
  return (JSON.parse as (text: string, reviver: Reviver) => unknown)(text, revive);
}
