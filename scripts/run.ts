/** Starts the tools that the checks are made of, and tells what came of it. */
import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { ROOT } from './public-files.ts';

/** What a check found: how many things held and how many did not. */
export interface Outcome {
  passed: number;
  failed: number;
}

export interface Finished {
  /** The exit code; 1 when it could not be started or a signal ended it. */
  code: number;
  /** What it wrote to standard output, when that was asked for. */
  stdout: string;
}

export interface RunOptions {
  /** The package's folder when absent. */
  cwd?: string;
  /** Collect standard output instead of showing it. */
  capture?: boolean;
  /** Do not show standard error. */
  quiet?: boolean;
}

/** Runs a program; the tools in node_modules come first, Node 24 among them. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? ROOT,
      env: { ...process.env, PATH: `${ROOT}node_modules/.bin${delimiter}${process.env.PATH ?? ''}` },
      stdio: ['ignore', options.capture ? 'pipe' : 'inherit', options.quiet ? 'ignore' : 'inherit'],
    });
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve({ code: 1, stdout });
    });
    child.on('close', (code) => resolve({ code: code ?? 1, stdout }));
  });
}

/** One program, one check: it holds when the program ends with 0. */
export async function holds(command: string, args: readonly string[], options?: RunOptions): Promise<Outcome> {
  const { code } = await run(command, args, options);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** For a list of problems of one check: prints them. */
export function reported(problems: readonly string[]): Outcome {
  for (const problem of problems) console.error(problem);
  return problems.length === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: problems.length };
}
