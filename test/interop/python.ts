/**
 * The Python software on the other side: Flask 3.1 with Flask-Session 0.8 from PyPI, and Debian's old releases of both. Made
 * once in a cache folder outside the repository (FLACON_CACHE, else the user's own) and used again until something changes.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ServerMissing } from '../servers/process.ts';

export interface Python {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  /** Absent where there is only Flask itself. */
  readonly flaskSession?: string;
  /** Why there is no Flask-Session 0.8. */
  readonly reason?: string;
}

export const FOLDER = fileURLToPath(new URL('.', import.meta.url));

/** Nothing is written beside the programs, nothing of the user's own is read, and deprecations are known. */
const QUIET = { PYTHONDONTWRITEBYTECODE: '1', PYTHONNOUSERSITE: '1', PYTHONWARNINGS: 'ignore', PYTHONUTF8: '1' };

const CACHE = process.env.FLACON_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'flacon');

/** Flask 3.1 needs it. */
const LEAST_PYTHON = '3.9';

/**
 * Flask 3.1 and Flask-Session 0.8; where they cannot be had and this is no CI, Debian's Flask without Flask-Session.
 * @throws ServerMissing with what to install
 */
export async function startPython(): Promise<Python> {
  try {
    return await virtualEnvironment();
  } catch (error) {
    if (!(error instanceof ServerMissing) || process.env.CI) throw error;
    console.warn(`Debian's Flask instead of Flask 3.1: ${error.message}`);
    const { command, env } = await debian(['flask'], ['python3-flask']);
    return { command, env, reason: error.message };
  }
}

/** The last cachelib that names files by MD5. */
export const OLD_CACHELIB = 'cachelib==0.15.*';

/**
 * The same, with another release of a package before its own.
 * @throws ServerMissing with what pip complained about
 */
export async function withPackage(python: Python, requirement: string): Promise<Python> {
  // Debian's Flask comes without Flask-Session, and so without cachelib: nothing to replace.
  if (python.flaskSession === undefined) return python;
  const folder = await cached('package', [python.command, requirement], async (path) => {
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--target', path];
    await output(python.command, [...install, requirement], `pip could not install ${requirement}`);
  });
  return { ...python, env: { ...python.env, PYTHONPATH: folder } };
}

/**
 * Debian's Flask 2.2 and Flask-Session 0.3.2, whose records are pickles.
 * @throws ServerMissing with what to install
 */
export function startLegacyPython(): Promise<Python> {
  return debian(
    ['flask', 'flask_session', 'redis', 'memcache', 'flask_sqlalchemy', 'pymongo'],
    ['python3-flask-session', 'python3-redis', 'python3-memcache', 'python3-flask-sqlalchemy', 'python3-pymongo'],
  );
}

async function virtualEnvironment(): Promise<Python> {
  const python = process.env.PYTHON || 'python3';
  const requirements = join(FOLDER, 'requirements.txt');
  const version = await output(python, ['-c', `import sys; print(sys.version, sys.base_prefix)`], 'no Python');
  const isRecent = `import sys; print(sys.version_info >= tuple(map(int, "${LEAST_PYTHON}".split("."))))`;
  if ((await output(python, ['-c', isRecent], 'no Python')).trim() !== 'True') {
    throw new ServerMissing(`Python ${LEAST_PYTHON} or later is needed, PYTHON or PATH has ${version.split(' ')[0]}`);
  }
  const folder = await cached('python', [version, readFileSync(requirements, 'utf8')], async (path) => {
    const hint = `python3 -m venv failed: install Debian's python3-venv`;
    await output(python, ['-m', 'venv', '--clear', path], hint);
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--prefer-binary'];
    await output(join(path, 'bin', 'python'), [...install, '-r', requirements], 'pip could not install Flask');
  });
  const command = join(folder, 'bin', 'python');
  const show = `import importlib.metadata as m; print(*(f"{n} {m.version(n)}" for n in ("flask", "flask-session")))`;
  const flaskSession = (await output(command, ['-c', show], 'Flask is broken')).trim();
  return { command, env: QUIET, flaskSession };
}

/**
 * Debian's packages: as they are installed; else unpacked without installing them.
 * @param modules that have to be importable
 */
async function debian(modules: readonly string[], packages: readonly string[]): Promise<Python> {
  const command = '/usr/bin/python3';
  const check = ['-c', `import ${modules.join(', ')}`];
  const hint = `install Debian's ${packages.join(', ')}`;
  try {
    await output(command, check, hint, QUIET);
    return { command, env: QUIET };
  } catch {
    const release = await output('apt-cache', ['policy', ...packages], hint);
    const folder = await cached('debian', [release], (path) => unpack(packages, path, hint));
    const env = { ...QUIET, PYTHONPATH: join(folder, 'root', 'usr', 'lib', 'python3', 'dist-packages') };
    await output(command, check, hint, env);
    return { command, env };
  }
}

async function unpack(packages: readonly string[], path: string, hint: string): Promise<void> {
  mkdirSync(path, { recursive: true });
  const kinds = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'];
  const depends = ['depends', '--recurse', ...kinds.map((kind) => `--no-${kind}`)];
  const closure = await output('apt-cache', [...depends, ...packages], hint);
  const wanted = [...new Set(closure.match(/^python3-(?!minimal)[\w.+-]+$/gm))];
  await output('apt-get', ['-qq', 'download', ...wanted], hint, QUIET, path);
  await output('sh', ['-c', 'for deb in *.deb; do dpkg-deb -x "$deb" root || exit; done; rm *.deb'], hint, QUIET, path);
}

/** What `make` puts into the folder, made again only when something of what it depends on changes. */
async function cached(
  name: string,
  dependsOn: readonly string[],
  make: (path: string) => Promise<void>,
): Promise<string> {
  const digest = createHash('sha256').update(dependsOn.join('\0')).digest('hex').slice(0, 16);
  const path = join(CACHE, `${name}-${digest}`);
  const done = join(path, '.complete');
  mkdirSync(CACHE, { recursive: true });
  // Test files run side by side: one makes it, the others wait.
  while (!existsSync(done)) {
    const release = takeLock(`${path}.lock`);
    if (!release) {
      await sleep(200);
      continue;
    }
    try {
      if (existsSync(done)) break;
      rmSync(path, { recursive: true, force: true });
      await make(path);
      writeFileSync(done, '');
    } finally {
      release();
    }
  }
  return path;
}

const STALE_MS = 600_000;

function takeLock(lock: string): (() => void) | undefined {
  try {
    mkdirSync(lock);
  } catch {
    // Left behind by a run that was killed.
    if (existsSync(lock) && Date.now() - statSync(lock).mtimeMs > STALE_MS) rmSync(lock, { recursive: true });
    return undefined;
  }
  return () => rmSync(lock, { recursive: true, force: true });
}

/** @throws ServerMissing with the last line of what the program complained about */
function output(
  command: string,
  args: readonly string[],
  hint: string,
  env: Readonly<Record<string, string>> = QUIET,
  cwd?: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, maxBuffer: 1 << 26, ...(cwd === undefined ? {} : { cwd }) };
    execFile(command, [...args], options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const complaint = (stderr.trim().split('\n').at(-1) ?? '').slice(0, 300) || error.message.split('\n')[0];
      reject(new ServerMissing(`${hint} (${complaint})`));
    });
  });
}
