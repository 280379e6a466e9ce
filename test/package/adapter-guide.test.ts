/**
 * docs/adapters/: the adapter that the guide writes from scratch passes the published suite, by the very lines of the page; the
 * index names every adapter, and its links lead somewhere.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createSessionInterface, type Session, session } from 'flacon';
import { MemoryStore } from 'flacon/stores/memory';
import { afterAll, describe, expect, it, test } from 'vitest';
import { publicFiles } from '../../scripts/public-files.ts';
import { ROOT } from '../examples/built.ts';
import { eventually } from '../examples/polling.ts';
import { Visitor } from '../examples/visitor.ts';

/** Beside what is built, which git ignores. */
const folder = join(ROOT, 'dist', `adapter-guide-${process.pid}`);
mkdirSync(folder, { recursive: true });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const page = (name: string): string => readFileSync(join(ROOT, 'docs/adapters', `${name}.md`), 'utf8');
const files = new Map(
  [...page('writing-an-adapter').matchAll(/```ts (\S+)\n([\s\S]*?)```/g)].map(([, name, code]) => [name!, code!]),
);
for (const [name, code] of files) writeFileSync(join(folder, name), code);

// Defines the page's own tests, as a part of these.
await import(join(folder, 'tiny-sessions.test.ts'));

type Context = { path: string; session: Session | null };
type Answer = { body: string | AsyncIterable<string> };
interface Tiny {
  use(middleware: (context: Context, next: () => Promise<Answer>) => Promise<Answer>): Tiny;
  listen(port: number): Server;
}
const { Tiny } = (await import(join(folder, 'tiny.ts'))) as { Tiny: new () => Tiny };
const { sessions } = (await import(join(folder, 'tiny-sessions.ts'))) as {
  sessions(options: object): Parameters<Tiny['use']>[0];
};

async function serve(app: Tiny): Promise<{ url: string; [Symbol.dispose](): void }> {
  const server = app.listen(0);
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('the adapter of the guide', () => {
  it('is shorter than 80 lines', () => {
    expect(files.get('tiny-sessions.ts')?.split('\n').length).toBeLessThanOrEqual(80);
  });

  it('imports nothing that is not public', () => {
    const exported = new Set(publicFiles().map(({ subpath }) => subpath.replace('.', 'flacon')));
    const imported = [...files.values()].flatMap((code) => [...code.matchAll(/from '(flacon[^']*)'/g)]);
    expect(imported.length).toBeGreaterThan(4);
    for (const [, specifier] of imported) expect(exported).toContain(specifier);
  });

  it('compiles, with the framework, its tests and the application', () => {
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: '../../tsconfig.json',
        compilerOptions: { paths: { flacon: ['../../src/index.ts'], 'flacon/*': ['../../src/*.ts'] } },
        include: ['*.ts'],
        exclude: [],
      }),
    );
    let output = '';
    try {
      execFileSync(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', folder], { encoding: 'utf8' });
    } catch (error) {
      output = (error as { stdout: string }).stdout;
    }
    expect(output).toBe('');
  });

  it('serves the application of the guide', async () => {
    const handlers = files.get('tiny-app.ts')!.replace('sessions()', 'sessions({ store: new MemoryStore() })');
    writeFileSync(
      join(folder, 'tiny-app-here.ts'),
      `import { MemoryStore } from 'flacon/stores/memory';\n${handlers.replace('app.listen(3000);', 'export { app };')}`,
    );
    const { app } = (await import(join(folder, 'tiny-app-here.ts'))) as { app: Tiny };
    using server = await serve(app);
    const visitor = new Visitor(server.url);
    expect((await visitor.get('/')).text).toBe('visit 1\n');
    expect((await visitor.get('/')).text).toBe('visit 2\n');
  });

  it('ends a session that is replaced by null', async () => {
    const app = new Tiny().use(sessions(createSessionInterface({ store: new MemoryStore() })));
    app.use(async (context) => {
      if (context.session?.has('name')) context.session = null;
      else context.session?.set('name', 'ada');
      return { body: 'done' };
    });
    using server = await serve(app);
    const visitor = new Visitor(server.url);
    await visitor.get('/');
    expect(visitor.cookies.size).toBe(1);
    expect((await visitor.get('/')).setCookies[0]).toMatch(/^session=;.*Max-Age=0/);
  });

  it('a body that its reader leaves is told so, and what it changed is saved', async () => {
    let left = (): void => {};
    const over = new Promise<void>((resolve) => {
      left = resolve;
    });
    const pieces = async function* () {
      try {
        for (let i = 0; ; i++) {
          session.set('sent', i);
          yield 'x'.repeat(50_000);
        }
      } finally {
        left();
      }
    };
    const app = new Tiny().use(sessions({ store: new MemoryStore() })).use(async ({ path, session: own }) => {
      if (path === '/set') own?.set('sent', -1);
      return { body: path === '/stream' ? pieces() : String(own?.get('sent')) };
    });
    using server = await serve(app);
    const visitor = new Visitor(server.url);
    await visitor.get('/set');
    const cookie = `session=${visitor.cookies.get('session')}`;
    const response = await fetch(`${server.url}/stream`, { headers: { cookie } });
    await response.body?.cancel();
    await over;
    const sent = await eventually(
      async () => Number((await visitor.get('/read')).text),
      (number) => number >= 0,
    );
    expect(sent).toBeGreaterThanOrEqual(0);
  });
});

describe('the index', () => {
  const index = page('README');
  /** What adapters are made of, rather than one of them. */
  const PARTS = ['adapters/exchange'];
  /** Those whose page has another name. */
  const PAGES: Readonly<Record<string, string>> = { next: 'nextjs', ws: 'websockets', 'socket-io': 'websockets' };
  const adapters = publicFiles()
    .map(({ name }) => name)
    .filter((name) => name.startsWith('adapters/') && !PARTS.includes(name));

  test.each(adapters)('names flacon/%s, and links to its page', (name) => {
    const rows = new RegExp(`^\\| \\[[^\\]]+\\]\\(([\\w-]+\\.md)[^|]*\\| \`flacon/${name}\` \\|`, 'gm');
    const adapter = name.slice('adapters/'.length);
    const linked = [...index.matchAll(rows)].map((row) => row[1]);
    expect(linked).toContain(`${PAGES[adapter] ?? adapter}.md`);
  });

  test('every page is in it', () => {
    const pages = readdirSync(join(ROOT, 'docs/adapters')).filter((name) => name !== 'README.md');
    for (const name of pages) expect(index).toContain(`](${name}`);
  });
});

describe.each(['adapters/README', 'adapters/writing-an-adapter', 'adapters/express', 'adapters/node', 'testing'])(
  'docs/%s.md',
  (name) => {
    const file = join(ROOT, 'docs', `${name}.md`);
    const links = [...readFileSync(file, 'utf8').matchAll(/\]\(((?!https?:)[^)#\s]*)(?:#([\w-]+))?\)/g)];

    test.each(links.map(([, path, anchor]) => ({ path: path!, anchor })))('$path#$anchor leads somewhere', (link) => {
      const target = link.path ? join(file, '..', link.path) : file;
      expect(existsSync(target)).toBe(true);
      if (!link.anchor) return;
      const titles = [...readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm)].map((match) => slug(match[1]!));
      expect(titles).toContain(link.anchor);
    });
  },
);

/** As the anchors of headings are made. */
function slug(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');
}
