import { expect, test } from 'vitest';
import { expectedExports, exportProblems } from '../../scripts/exports.ts';
import { INTERNAL, publicFiles, staleInternal } from '../../scripts/public-files.ts';
import { tree } from './tree.ts';

const SOURCES = {
  'src/index.ts': '',
  'src/errors.ts': '',
  'src/flask/index.ts': '',
  'src/flask/environment.ts': '',
  'src/core/session.ts': '',
  'src/stores/redis.ts': '',
  'src/stores/redis-scripts.ts': '',
  'src/stores/sql/dialect.ts': '',
  'src/codecs/values.ts': '',
  'src/testing/store-suite.ts': '',
  'src/testing/visitor.ts': '',
};

test('the subpath of an export is its path; parts, shared pieces and deeper files have none', () => {
  expect(publicFiles(tree(SOURCES))).toEqual([
    { name: 'index', subpath: '.' },
    { name: 'errors', subpath: './errors' },
    { name: 'flask/index', subpath: './flask' },
    { name: 'stores/redis', subpath: './stores/redis' },
    { name: 'testing/store-suite', subpath: './testing/store-suite' },
  ]);
});

test('a file that came or went is named', () => {
  const before = expectedExports(tree(SOURCES));
  const { 'src/errors.ts': _, ...rest } = SOURCES;
  const root = tree({
    ...rest,
    'src/stores/memory.ts': '',
    'package.json': JSON.stringify({ exports: { ...before, './flask': './dist/flask.js' } }),
  });
  expect(exportProblems(root).filter((problem) => !problem.startsWith('INTERNAL'))).toEqual([
    './flask differs',
    './stores/memory is in the tree and not in package.json',
    './errors is in package.json and not in the tree',
  ]);
});

test('an internal file that is gone is named', () => {
  expect(staleInternal(tree(SOURCES))).toEqual(INTERNAL.filter((name) => name !== 'codecs/values'));
});
