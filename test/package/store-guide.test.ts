/**
 * docs/stores/: the store that the guide writes from scratch passes the published suites, by the very lines of the page; the
 * snippets of the stores that need no server run; the index names every store, and its links lead somewhere.
 */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { SessionStore } from 'flacon';
import { afterAll, describe, expect, it, test } from 'vitest';
import { publicFiles } from '../../scripts/public-files.ts';
import { ROOT } from '../examples/built.ts';

/** Beside what is built, which git ignores. */
const folder = join(ROOT, 'dist', `store-guide-${process.pid}`);
const data = mkdtempSync(join(tmpdir(), 'flacon-store-guide-'));
mkdirSync(folder, { recursive: true });
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(data, { recursive: true, force: true });
});

const page = (name: string): string => readFileSync(join(ROOT, 'docs/stores', `${name}.md`), 'utf8');
const guide = page('writing-a-store');
const store = /```ts\n(import [\s\S]*?)```/.exec(guide)?.[1] as string;
const proof = /```ts journal-store\.test\.ts\n([\s\S]*?)```/.exec(guide)?.[1] as string;
writeFileSync(join(folder, 'journal-store.ts'), store);
writeFileSync(join(folder, 'journal-store.test.ts'), proof);

// Defines the page's own tests, as a part of these.
await import(join(folder, 'journal-store.test.ts'));

const { JournalStore } = (await import(join(folder, 'journal-store.ts'))) as {
  JournalStore: new (path: string, now?: () => number) => SessionStore;
};

describe('the store of the guide', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const later = Date.now() + 600_000;
  let files = 0;
  const path = () => join(data, `journal-${files++}`);
  const text = async (each: SessionStore, key: string) => {
    const found = await each.read(key);
    return found && new TextDecoder().decode(found.bytes);
  };

  it('is shorter than 80 lines', () => {
    expect(store.split('\n').length).toBeLessThanOrEqual(80);
  });

  it('compiles, and so do its tests', () => {
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: '../../tsconfig.json',
        compilerOptions: {
          paths: { flacon: ['../../src/index.ts'], 'flacon/*': ['../../src/*.ts'] },
        },
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

  it('says that two processes are not safe', () => {
    expect(new JournalStore(path()).atomic).toBe(false);
  });

  it('finds after a restart what was written, moved and deleted before', async () => {
    const at = path();
    const before = new JournalStore(at);
    for (const key of ['kept', 'moved', 'deleted', 'replaced']) await before.write(key, bytes(key), later, undefined);
    await before.write('for ever', bytes('for ever'), Number.POSITIVE_INFINITY, undefined);
    await before.touch('moved', later + 1000);
    await before.delete('deleted');
    await before.write('replaced', bytes('new'), later, bytes('replaced'));
    const after = new JournalStore(at);
    expect(await text(after, 'kept')).toBe('kept');
    expect((await after.read('moved'))?.expiresAt).toBe(later + 1000);
    expect(await after.read('deleted')).toBeUndefined();
    expect(await text(after, 'replaced')).toBe('new');
    expect((await after.read('for ever'))?.expiresAt).toBe(Number.POSITIVE_INFINITY);
    expect((statSync(at).mode & 0o777).toString(8)).toBe('600');
  });

  it('a line that was cut short spoils neither those before it nor those after', async () => {
    const at = path();
    const before = new JournalStore(at);
    await before.write('before', bytes('before'), later, undefined);
    appendFileSync(at, '\n["torn",17');
    await before.write('after', bytes('after'), later, undefined);
    appendFileSync(at, '\n["torn as we');
    const after = new JournalStore(at);
    expect(await text(after, 'before')).toBe('before');
    expect(await text(after, 'after')).toBe('after');
    expect(await text(after, 'torn')).toBeUndefined();
  });

  it('does not grow with the number of changes', async () => {
    const at = path();
    const journal = new JournalStore(at);
    await journal.write('k', bytes('0'), later, undefined);
    for (let i = 1; i <= 5000; i++) await journal.write('k', bytes(String(i)), later, bytes(String(i - 1)));
    expect(readFileSync(at, 'utf8').split('\n').length).toBeLessThan(1500);
    expect(await text(new JournalStore(at), 'k')).toBe('5000');
  });

  it('a file that cannot be written: an error, and what was there stays', async () => {
    const at = join(data, `folder-${files++}`, 'journal');
    mkdirSync(dirname(at));
    const journal = new JournalStore(at);
    await journal.write('k', bytes('one'), later, undefined);
    rmSync(dirname(at), { recursive: true });
    expect(() => journal.write('k', bytes('two'), later, bytes('one'))).toThrow(/ENOENT/);
    expect(() => journal.delete('k')).toThrow(/ENOENT/);
    expect(await text(journal, 'k')).toBe('one');
  });
});

describe('the pages of the stores that need no server', () => {
  const snippets = ['memory', 'filesystem', 'sqlite', 'README'].flatMap((name) =>
    [...page(name).matchAll(/```ts\n([\s\S]*?)```/g)].map((match, i) => ({ name: `${name}-${i}`, code: match[1]! })),
  );

  test.each(snippets)('the snippet $name runs', async ({ name, code }) => {
    const file = join(folder, `${name}.ts`);
    // Should one of them make its place when it is made, it is not to be here.
    writeFileSync(file, code.replaceAll(/'(\.\/flask_session|\.flacon)/g, `'${join(data, 'place')}`));
    await import(file);
  });

  test('the table of SQLite is as the page says', async () => {
    const { SqliteStore } = await import('flacon/stores/sqlite');
    const { DatabaseSync } = await import('node:sqlite');
    const path = join(data, 'sessions.db');
    const sqlite = new SqliteStore({ path });
    await sqlite.write('k', new Uint8Array(1), Date.now() + 60_000, undefined);
    const database = new DatabaseSync(path);
    const table = database.prepare("SELECT sql FROM sqlite_schema WHERE name = 'sessions'").get() as { sql: string };
    database.close();
    sqlite.close();
    expect(page('sqlite')).toContain(`\n${table.sql}\n`);
  });
});

describe('the index', () => {
  const index = page('README');
  const stores = publicFiles()
    .map(({ name }) => name)
    .filter((name) => name.startsWith('stores/'));

  test.each(stores)('names flacon/%s, and links to its page', (name) => {
    const link = new RegExp(`^\\| \\[\`flacon/${name}\`\\]\\(([\\w-]+\\.md)(#[\\w-]+)?\\) \\|`, 'm').exec(index);
    expect(link?.[1]).toBe(name === 'stores/embedded' ? 'sqlite.md' : `${name.slice('stores/'.length)}.md`);
  });

  test.each(['README', 'writing-a-store', 'memory', 'filesystem', 'sqlite'])(
    'the links of %s lead somewhere',
    (name) => {
      const links = [...page(name).matchAll(/\]\(((?!https?:)[^)#]*)(?:#([\w-]+))?\)/g)];
      for (const [, file, anchor] of links) {
        const target = join(ROOT, 'docs/stores', file || `${name}.md`);
        expect(existsSync(target), `${file} of ${name}`).toBe(true);
        const titles = [...readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm)].map((match) => slug(match[1]!));
        if (anchor) expect(titles, `${file} of ${name}`).toContain(anchor);
      }
    },
  );

  test('every page is in it', () => {
    const pages = readdirSync(join(ROOT, 'docs/stores')).filter((name) => name !== 'README.md');
    for (const name of pages) expect(index).toContain(`](${name}`);
  });

  test('what it says about `atomic` is what the stores say', async () => {
    const { KeyvStore } = await import('flacon/stores/keyv');
    const { MemoryStore } = await import('flacon/stores/memory');
    const { RedisStore } = await import('flacon/stores/redis');
    const isAtomic = ({ atomic }: SessionStore) => atomic !== false;
    expect([new MemoryStore(), new RedisStore()].every(isAtomic)).toBe(true);
    expect(isAtomic(new KeyvStore({ keyv: { get: never, set: never, delete: never } }))).toBe(false);
  });
});

/** As the anchors of headings are made. */
function slug(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');
}

async function never(): Promise<never> {
  throw new Error('not to be called');
}
