/** A real browser: Debian's chromium, or what CHROMIUM_PATH names. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

export const browserPath: string | undefined =
  process.env.CHROMIUM_PATH ||
  (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path));

/** On a developer's machine a test may do without; in CI it may not. */
export const canSkip = browserPath === undefined && !process.env.CI;

/** It makes no request of its own. @throws Error where there is none */
export function launch(): Promise<Browser> {
  if (browserPath === undefined)
    throw new Error(`no browser: install one of ${NAMES.join(', ')}, or set CHROMIUM_PATH`);
  return chromium.launch({
    executablePath: browserPath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
