#!/usr/bin/env node
/** The `flacon` command. */
import { readFileSync } from 'node:fs';
import { CommandError } from './command-error.ts';
import { SWEEP_HELP, sweep } from './sweep.ts';

const HELP = `Usage: flacon <command> [options]

Commands:
  sweep      delete expired sessions from a table

Options:
  -h, --help     show this, or what a command takes
  --version      show the version

${SWEEP_HELP}`;

/** @returns the exit code: 0 done, 1 failed, 2 not understood */
async function run([command, ...rest]: string[]): Promise<number> {
  switch (command) {
    case 'sweep':
      return reported(() => sweep(rest, process.env));
    case '--version':
      return reported(async () => version());
    case '-h':
    case '--help':
      return reported(async () => HELP);
    default:
      process.stderr.write(
        `flacon: ${command === undefined ? 'a command is missing' : `no command ${command}`}\n\n${HELP}`,
      );
      return 2;
  }
}

async function reported(step: () => Promise<string>): Promise<number> {
  try {
    process.stdout.write(`${(await step()).trimEnd()}\n`);
    return 0;
  } catch (error) {
    const { message, code } = error as { message?: string; code?: string };
    // Some errors of drivers have no more than a code.
    process.stderr.write(`flacon: ${message || code || String(error)}\n`);
    return error instanceof CommandError ? 2 : 1;
  }
}

function version(): string {
  const description = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(description) as { version: string }).version;
}

process.exitCode = await run(process.argv.slice(2));
