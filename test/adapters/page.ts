/** Follows a page of the docs as its reader does: an empty folder, the packages that it installs, the files that it shows, on plain Node. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ensureBuilt, ROOT } from '../examples/built.ts';

const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, VITEST: ___, ...env } = process.env;

export interface PageAnswer {
  readonly status: number;
  readonly text: string;
  readonly setCookie: readonly string[];
}

export class Page {
  /** By the name that stands before a snippet. */
  readonly files: ReadonlyMap<string, string>;
  readonly snippets: number;
  readonly #folder: string;
  readonly #packages: readonly string[];

  /** @param path of the page, relative to `docs/` */
  constructor(path: string) {
    const text = readFileSync(join(ROOT, 'docs', path), 'utf8');
    this.files = new Map(
      [...text.matchAll(/`([\w./-]+)`:\n\n```(?:ts|js|json)(?: \S+)?\n([\s\S]*?)```/g)].map(([, name, code]) => [
        name!,
        code!,
      ]),
    );
    this.snippets = [...text.matchAll(/```(?:ts|js|json)(?: \S+)?\n/g)].length;
    const commands = [...text.matchAll(/^npm install (.*)$/gm)].flatMap(([, names]) => names!.split(' '));
    this.#packages = [...new Set(commands.filter((name) => !name.startsWith('-')))];
    this.#folder = mkdtempSync(join(tmpdir(), 'flacon-page-'));
  }

  /** Only what the page installs is there. */
  async prepare(): Promise<void> {
    await ensureBuilt();
    writeFileSync(join(this.#folder, 'package.json'), '{ "type": "module" }\n');
    for (const name of this.#packages) {
      const link = join(this.#folder, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(name === 'flacon' ? ROOT : join(ROOT, 'node_modules', name), link);
    }
    for (const [name, code] of this.files) writeFileSync(join(this.#folder, name), code);
  }

  /** Runs a file that listens on port 3000, on another one, until the function is done. */
  async serving<R>(file: string, use: (url: string) => Promise<R>): Promise<R> {
    const port = await freePort();
    const code = this.files.get(file);
    if (!code?.includes('3000')) throw new Error(`${file} does not listen on port 3000`);
    writeFileSync(join(this.#folder, file), code.replaceAll('3000', String(port)));
    const server = spawn(process.execPath, [file], { cwd: this.#folder, env, stdio: 'inherit' });
    const ended = once(server, 'exit');
    try {
      const url = `http://localhost:${port}`;
      await untilUp(() => fetch(`${url}/favicon.ico`));
      return await use(url);
    } finally {
      server.kill('SIGKILL');
      await ended;
    }
  }

  /** What the exported `app` of a file answers one visitor, request by request. */
  ask(file: string, ...requests: readonly [path: string, init?: RequestInit][]): PageAnswer[] {
    writeFileSync(join(this.#folder, 'ask.mjs'), ASK);
    const args = ['ask.mjs', `./${file}`, JSON.stringify(requests)];
    const output = execFileSync(process.execPath, args, {
      cwd: this.#folder,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return JSON.parse(output.split('\n').at(-1) ?? '');
  }

  /** What a module beside the page's files prints. */
  run(code: string): string {
    writeFileSync(join(this.#folder, 'run.mjs'), code);
    return execFileSync(process.execPath, ['run.mjs'], { cwd: this.#folder, env, encoding: 'utf8' });
  }

  /** Runs a file by `node --test`. @throws with its output when a test fails */
  test(file: string): string {
    const args = ['--test', '--test-reporter=tap', file];
    return execFileSync(process.execPath, args, { cwd: this.#folder, env, encoding: 'utf8' });
  }

  /** Writes a file anew, with something of this machine in it. */
  change(file: string, change: (code: string) => string): void {
    writeFileSync(join(this.#folder, file), change(this.files.get(file) ?? ''));
  }

  /**
   * Runs `tsc`.
   * @param args none: as the `tsconfig.json` of the page says
   * @returns what it found
   */
  compile(...args: string[]): string {
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    try {
      return execFileSync(process.execPath, [tsc, ...args], { cwd: this.#folder, env, encoding: 'utf8' });
    } catch (error) {
      return (error as { stdout: string }).stdout;
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const ASK = `
const { app } = await import(process.argv[2]);
const answers = [];
let cookie = '';
for (const [path, init = {}] of JSON.parse(process.argv[3])) {
  const headers = { ...init.headers, ...(cookie ? { cookie } : {}) };
  const response = await (app.fetch ?? app)(new Request('http://localhost' + path, { ...init, headers }));
  const setCookie = response.headers.getSetCookie();
  for (const text of setCookie) cookie = text.split(';', 1)[0];
  let text = '';
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) text += typeof piece === 'string' ? piece : decoder.decode(piece);
  answers.push({ status: response.status, text, setCookie });
}
process.stdout.write('\\n' + JSON.stringify(answers));
process.exit();
`;

async function untilUp<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (tries === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
