/**
 * `npm run lock`, after every change of a dependency: writes into package-lock.json the packages for other platforms that npm
 * left out, as it does when it could not fetch them (they are optional, so it goes on). `npm ci` refuses such a lock file on
 * every platform. What their owner pins in `optionalDependencies`, and their name, say everything that is needed.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { ROOT } from './public-files.ts';

interface LockedPackage {
  version?: string;
  cpu?: string[];
  dev?: boolean;
  optional?: boolean;
  optionalDependencies?: Record<string, string>;
  os?: string[];
}

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
/** As workerd's packages have it: `windows-64`. */
const OTHER_WORDS: Readonly<Record<string, string>> = { '64': 'x64', windows: 'win32' };
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/** The missing packages by their place in the lock file. */
export function missingPlatforms(packages: Readonly<Record<string, LockedPackage>>): Record<string, LockedPackage> {
  const missing: Record<string, LockedPackage> = {};
  for (const [owner, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (isLocked(packages, owner, name) || !/^\d+\.\d+\.\d+/.test(version)) continue;
      const words = name.split(/[/-]/).map((word) => OTHER_WORDS[word] ?? word);
      const os = SYSTEMS.filter((system) => words.includes(system));
      const cpu = PROCESSORS.filter((processor) => words.includes(processor));
      // Without a platform in its name it is no package for another one: then npm itself has to find it.
      if (os.length === 0 || cpu.length === 0) continue;
      missing[`node_modules/${name}`] = { version, cpu, ...(dev && { dev }), optional: true, os };
    }
  }
  return missing;
}

/** Whether `name` is found as Node would find it: in the owner's own node_modules, or in one further up. */
function isLocked(packages: Readonly<Record<string, LockedPackage>>, owner: string, name: string): boolean {
  for (let at = owner; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    if (`${at === '' ? '' : `${at}/`}node_modules/${name}` in packages) return true;
    if (at === '') return false;
  }
}

/** The folders with dependencies of their own, relative to this repository's. */
const EXAMPLES = ['astro', 'nextjs', 'react-router', 'sveltekit'];
const FOLDERS = ['', 'benchmarks/', 'test/runtimes/programs/', ...EXAMPLES.map((name) => `examples/${name}/`)];

/** The lock files of this repository. */
export function lockFiles(): string[] {
  return FOLDERS.map((folder) => `${ROOT}${folder}package-lock.json`).filter((file) => existsSync(file));
}

function complete(file: string): void {
  const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockedPackage> };
  const missing = missingPlatforms(lock.packages);
  const entries = Object.entries({ ...lock.packages, ...missing });
  lock.packages = Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${file}: ${Object.keys(missing).length} packages added`);
}

if (import.meta.main) {
  for (const file of lockFiles()) complete(file);
}
