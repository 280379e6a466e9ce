import { describe, expect, test } from 'vitest';
import { checkLayers } from '../../scripts/check-layers.ts';
import { tree } from './tree.ts';

const PACKAGE = JSON.stringify({
  peerDependencies: { '@nestjs/common': '>=11', express: '>=4' },
  peerDependenciesMeta: { '@nestjs/common': { optional: true }, express: { optional: true } },
});

function violations(files: Record<string, string>): string[] {
  return checkLayers(tree({ 'package.json': PACKAGE, ...files })).violations;
}

describe('what is right passes', () => {
  test.each<[string, Record<string, string>]>([
    ['an import downwards', { 'src/core/a.ts': "import { E } from '../errors.ts';\n", 'src/errors.ts': '' }],
    ['a pure module of Node in core', { 'src/core/a.ts': "import { createHmac } from 'node:crypto';\n" }],
    ['any module of Node in a store', { 'src/stores/a.ts': "import { readFileSync } from 'node:fs';\n" }],
    ['an optional peer as a type', { 'src/adapters/express.ts': "import type { Request } from 'express';\n" }],
    ['an optional peer when it is needed', { 'src/stores/a.ts': "export const load = () => import('express');\n" }],
    [
      'a framework at load time, where a file is made with it',
      { 'src/adapters/nestjs.ts': "import { Module } from '@nestjs/common';\n" },
    ],
    ['code in a comment', { 'src/core/a.ts': "/**\n * import express from 'express';\n * import('express')\n */\n" }],
    ['400 lines', { 'src/core/a.ts': '\n'.repeat(400) }],
  ])('%s', (_, files) => {
    expect(violations(files)).toEqual([]);
  });
});

describe('what is wrong is named, with what would be right', () => {
  test.each<[string, Record<string, string>, RegExp]>([
    [
      'an import upwards',
      { 'src/core/a.ts': "import { b } from '../stores/b.ts';\n", 'src/stores/b.ts': '' },
      /^src\/core\/a\.ts imports src\/stores\/b\.ts: core may import codecs, errors$/,
    ],
    [
      'a re-export upwards',
      { 'src/codecs/a.ts': "export type {\n  B,\n} from '../core/b.ts';\n", 'src/core/b.ts': '' },
      /codecs may import errors$/,
    ],
    [
      'a type from above',
      { 'src/errors.ts': "export type A = typeof import('./core/a.ts');\n", 'src/core/a.ts': '' },
      /errors may import no other layer$/,
    ],
    ['I/O in core', { 'src/core/a.ts': "import { connect } from 'node:net';\n" }, /core may import node:crypto/],
    ['a hash in the errors', { 'src/errors.ts': "import 'node:crypto';\n" }, /errors may import nothing from outside/],
    [
      'a framework in core',
      { 'src/core/a.ts': "import type { Request } from 'express';\n" },
      /nothing else from outside/,
    ],
    [
      'a driver at load time',
      { 'src/stores/a.ts': "import { createClient } from 'redis';\n" },
      /as a type, or by import/,
    ],
    [
      'a framework at load time elsewhere',
      { 'src/adapters/nestjs-a.ts': "import { Module } from '@nestjs/common';\n" },
      /as a type, or by import/,
    ],
    [
      'a driver that is no peer',
      { 'src/stores/a.ts': "export const load = () => import('@redis/client/dist');\n" },
      /declare @redis\/client as an optional peer/,
    ],
    [
      'a cycle',
      { 'src/core/a.ts': "import { b } from './b.ts';\n", 'src/core/b.ts': "import { a } from './a.ts';\n" },
      /^src\/core\/a\.ts -> src\/core\/b\.ts -> src\/core\/a\.ts: a cycle/,
    ],
    ['401 lines', { 'src/core/a.ts': '\n'.repeat(401) }, /401 lines; 400 at most/],
    ['a file of utilities', { 'src/core/utils.ts': '' }, /a name that says nothing/],
    ['a file of types', { 'src/stores/types.ts': '' }, /a name that says nothing/],
    ['a folder that is no layer', { 'src/shared/a.ts': '' }, /not in a layer/],
  ])('%s', (_, files, expected) => {
    expect(violations(files)).toEqual([expect.stringMatching(expected)]);
  });
});
