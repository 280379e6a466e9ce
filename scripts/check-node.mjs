// Says plainly that the Node on the PATH is too old for the tools, before one of them fails with a puzzle. Plain JavaScript,
// so that an old Node can run it.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

// 22.18 is the first that runs TypeScript files as they are; vitest and tsdown need it or a later one.
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    [
      `This is Node ${process.versions.node}. The package runs on Node 20.19 and later; its tools need Node 22.18 or later.`,
      '`npm ci` installs Node 24 for them, through the install script of the development dependency `node`, and `npm run`',
      'puts it first on the PATH. That script did not run, or this was not started through npm. To mend it:',
      '',
      '  npm rebuild node     when scripts were ignored (`--ignore-scripts`, or a policy of npm)',
      '  npm ci               when node_modules is missing or incomplete',
    ].join('\n'),
  );
  process.exit(1);
}
