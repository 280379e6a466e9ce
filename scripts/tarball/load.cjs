// Runs inside a folder where only the packed package is installed, on whatever Node is to be tried: loads every export both
// ways and prints one JSON object. Plain JavaScript, since the oldest Node reads no TypeScript.
//
// What a framework's own functions make (`madeWith`) cannot be loaded without it: then the error has to name it.
const entries = JSON.parse(process.argv[2]);

async function main() {
  const problems = [];
  let passed = 0;
  const check = (what, problem) => {
    if (problem) problems.push(`${what}: ${problem}`);
    else passed++;
  };
  const formats = { require: {}, import: {} };

  for (const { specifier, madeWith } of entries) {
    for (const [format, load] of [
      ['require', (name) => require(name)],
      ['import', (name) => import(name)],
    ]) {
      try {
        const loaded = await load(specifier);
        formats[format][specifier] = loaded;
        const surprise = madeWith.length > 0 && `loads without ${madeWith}, which it is made with`;
        check(`${format} ${specifier}`, surprise || (Object.keys(loaded).length === 0 && 'exports nothing'));
      } catch (error) {
        check(`${format} ${specifier}`, !namesMissing(error, madeWith) && String(error));
      }
    }
    const [required, imported] = [formats.require[specifier], formats.import[specifier]];
    if (required && imported) {
      const [cjs, esm] = [namesOf(required), namesOf(imported)];
      check(`names of ${specifier}`, cjs !== esm && `require has ${cjs}; import has ${esm}`);
    }
  }

  // Within one format a class is one class, whichever subpath it was loaded from.
  for (const [format, modules] of Object.entries(formats)) {
    const owners = new Map();
    let split = '';
    for (const [specifier, loaded] of Object.entries(modules)) {
      for (const [name, value] of Object.entries(loaded)) {
        if (typeof value !== 'function' || !/^class\b/.test(Function.prototype.toString.call(value))) continue;
        const owner = owners.get(name);
        if (!owner) owners.set(name, { specifier, value });
        else if (owner.value !== value) split = `${name} of ${specifier} is not that of ${owner.specifier}`;
      }
    }
    check(`${format}: classes are shared`, split);
  }
  console.log(JSON.stringify({ version: process.version, passed, problems }));
}

function namesMissing(error, packages) {
  return /MODULE_NOT_FOUND$/.test(error.code) && packages.some((name) => String(error).includes(`'${name}'`));
}

function namesOf(loaded) {
  return Object.keys(loaded)
    .filter((name) => name !== 'default' && name !== 'module.exports')
    .sort()
    .join(' ');
}

main();
