import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  asciiString,
  decodeUtf8,
  integerText,
  type JsonDialect,
  msgspecFloat,
  pythonFloat,
  readJson,
  UNUSUAL_NUMBER,
  utf8String,
} from '../../../src/codecs/json-text.ts';
import { MAX_DEPTH, MAX_INT_DIGITS } from '../../../src/codecs/limits.ts';
import { Float } from '../../../src/codecs/values.ts';
import { SessionDecodeError, SessionEncodeError } from '../../../src/errors.ts';
import { toNotation } from '../../vectors/notation.ts';
import { anyUnits } from './json-values.ts';

const unusual = new RegExp(UNUSUAL_NUMBER);
const PYTHON: JsonDialect = { nonFinite: true, loneSurrogates: true, unusual };
const MSGSPEC: JsonDialect = { nonFinite: false, loneSurrogates: false, unusual: /^/ };
/** Never lets JSON.parse do it. */
const SLOW: JsonDialect = { ...PYTHON, unusual: /^/ };

describe('readJson', () => {
  test('keys with escapes, after objects of the same shape with a lone backslash for a key', () => {
    // JSON.parse of V8 13.6 to 14.6 answers the lone backslash for all of them.
    for (const spelling of ['"', '\\', '/', 'b', 'f', 'n', 'r', 't', 'u0041']) {
      for (const dialect of [PYTHON, SLOW]) {
        expect(Object.keys(readJson('{"first":1,"\\\\" : 2}', dialect) as object)).toEqual(['first', '\\']);
        const key = JSON.parse(`"\\${spelling}"`);
        const object = readJson(`{"first":1,"\\${spelling}" : 2}`, dialect) as object;
        expect(Object.entries(object), spelling).toEqual(Object.entries({ first: 1, [key]: 2 }));
      }
    }
  });

  test.each([
    ['1', ['int', '1']],
    ['-0', ['int', '0']],
    ['1.0', ['float', '1.0']],
    ['-0.0', ['float', '-0.0']],
    ['1E2', ['float', '100.0']],
    ['1e-400', ['float', '0.0']],
    ['1e400', ['float', 'inf']],
    ['NaN', ['float', 'nan']],
    [
      '[Infinity,-Infinity]',
      [
        'list',
        [
          ['float', 'inf'],
          ['float', '-inf'],
        ],
      ],
    ],
    ['9007199254740991', ['int', '9007199254740991']],
    ['9007199254740993', ['int', '9007199254740993']],
    ['-18446744073709551616', ['int', '-18446744073709551616']],
    ['[9007199254740991.5]', ['list', [['float', '9007199254740992.0']]]],
    ['[999999999999999.99]', ['list', [['float', '1000000000000000.0']]]],
    ['[123456789.123456]', ['list', [['float', '123456789.123456']]]],
    [
      '[1, 1.0, 1.50]',
      [
        'list',
        [
          ['int', '1'],
          ['float', '1.0'],
          ['float', '1.5'],
        ],
      ],
    ],
    ['{"a":1,"a":2}', ['dict', [['a', ['int', '2']]]]],
    ['{"a":1.0,"a":1}', ['dict', [['a', ['int', '1']]]]],
    ['{"a":1,"a":1.0}', ['dict', [['a', ['float', '1.0']]]]],
    [
      '{"a":[1.0],"b":2}',
      [
        'dict',
        [
          ['a', ['list', [['float', '1.0']]]],
          ['b', ['int', '2']],
        ],
      ],
    ],
    [
      '[[1.0],1]',
      [
        'list',
        [
          ['list', [['float', '1.0']]],
          ['int', '1'],
        ],
      ],
    ],
    ['{"__proto__":{"x":1.0}}', ['dict', [['__proto__', ['dict', [['x', ['float', '1.0']]]]]]]],
    [' \t\r\n[ ]\n', ['list', []]],
    ['{ }', ['dict', []]],
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00E9\\ud83d\\ude00"', '"\\/\b\f\n\r\té😀'],
    ['"\\ud800"', '\ud800'],
    ['"a\\udc00\\ud800b"', 'a\udc00\ud800b'],
    ['"\x7fé😀\u2028"', '\x7fé😀\u2028'],
    ['["a: 1.0, -0"]', ['list', ['a: 1.0, -0']]],
  ])('reads %s as Python does', (json, expected) => {
    expect(toNotation(readJson(json, PYTHON))).toEqual(expected);
    expect(toNotation(readJson(json, SLOW))).toEqual(expected);
  });

  test.each(
    [
      '',
      ' ',
      '{',
      '[',
      '"',
      '"a',
      '{"a"',
      '{"a":',
      '{"a":1',
      '{"a":1,',
      '{"a":1,}',
      '[1,]',
      '[,1]',
      '{,}',
      '{a:1}',
      "'a'",
    ]
      .concat([
        '01',
        '-',
        '+1',
        '.5',
        '1.',
        '1.e5',
        '1e',
        '1e+',
        '0x1',
        '--1',
        '-a',
        'nan',
        'inf',
        '+Infinity',
        'truex',
      ])
      .concat([
        'tru',
        'nul',
        'undefined',
        '1 2',
        '{} x',
        '[]]',
        '{}}',
        '/**/1',
        '\ufeff{}',
        '\v1',
        '\u00a01',
        '{"a" 1}',
      ])
      .concat(['"\n"', '"\t"', '"\0"', '"\x1f"', '"\\x"', '"\\u12"', '"\\u12g4"', '"\\u+123"', '"\\', '"\\"', '{1:2}'])
      .concat(['[1 2]', '{"a":1 "b":2}', '\x001', '1\0', '[-]', '["\\uD800\\"]']),
  )('refuses %j', (json) => {
    for (const dialect of [PYTHON, SLOW, MSGSPEC]) expect(() => readJson(json, dialect)).toThrow(SessionDecodeError);
  });

  test.each([
    'NaN',
    'Infinity',
    '[-Infinity]',
    '1e400',
    '-1e309',
    '"\\ud800"',
    '"\\udc00"',
    '"\\ud800\\u0041"',
    '"\\ud800x"',
  ])('refuses %s where msgspec does', (json) => {
    expect(() => readJson(json, MSGSPEC)).toThrow(SessionDecodeError);
    expect(() => readJson(json, PYTHON)).not.toThrow();
  });

  test('a whole float is a Float when it is the outermost value', () => {
    expect(readJson('1.0', PYTHON)).toEqual(new Float(1));
    expect(readJson('[1.0]', PYTHON)).toEqual([1]);
  });

  test('integers end at the length at which Python stops', () => {
    const digits = '9'.repeat(MAX_INT_DIGITS);
    expect(readJson(`-${digits}`, PYTHON)).toBe(-BigInt(digits));
    expect(() => readJson(`[${digits}9]`, PYTHON)).toThrow(SessionDecodeError);
  });

  test.each([PYTHON, SLOW])('nesting ends at the bound', (dialect) => {
    const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(() => readJson(nested(MAX_DEPTH), dialect)).not.toThrow();
    expect(() => readJson(nested(MAX_DEPTH + 1), dialect)).toThrow(/nested too deeply/);
    expect(() => readJson(`${nested(MAX_DEPTH + 1).replace(']', '"]"]')}  `, dialect)).toThrow(SessionDecodeError);
    expect(() => readJson('['.repeat(1_000_000), dialect)).toThrow(SessionDecodeError);
    expect(() => readJson('{"a":'.repeat(1_000_000), dialect)).toThrow(SessionDecodeError);
  });

  test('many containers side by side are not deep', () => {
    const wide = `[${'[],'.repeat(100_000)}{}]`;
    expect(readJson(wide, PYTHON)).toHaveLength(100_001);
  });

  test('the message tells where, never what', () => {
    expect(() => readJson('{"secret":"hunter2" x}', PYTHON)).toThrow(/^not JSON: [a-z ,]+ at \d+$/);
  });

  test('agrees with JSON.parse on whatever that accepts', () => {
    const integersOnly = fc.json({ noUnicodeString: false }).filter((json) => !/\d[.eE]|-0|\d{16}/.test(json));
    fc.assert(
      fc.property(integersOnly, (json) => {
        expect(readJson(json, SLOW)).toEqual(JSON.parse(json));
      }),
    );
  });

  test('both ways of reading agree on pieces of JSON put together at random', () => {
    const pieces = fc.constantFrom(
      ...[
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"',
        ' ',
        '\\',
        '\\u',
        'u',
        '0',
        '1',
        '-',
        '.',
        'e',
        '+',
        'E5',
        '16',
        '"a"',
        '"b":',
      ],
      ...[
        '1.0',
        '1.5',
        '12345678901.5',
        '0.1',
        '-0',
        'NaN',
        '-Infinity',
        'true',
        'null',
        '\n',
        '\ud800',
        '\u0000',
        '"a":1',
      ],
      ...['123456789012345', '1234567890123456', '1.10', '9.999999', '{"', '\\ud83d', '\\ude00', '__proto__', 'é'],
    );
    const outcome = (json: string, dialect: JsonDialect) => {
      try {
        return toNotation(readJson(json, dialect));
      } catch (error) {
        if (!(error instanceof SessionDecodeError)) throw error;
        return 'refused';
      }
    };
    const randomly = fc.array(pieces, { maxLength: 12 }).map((list) => list.join(''));
    const inList = fc.array(pieces, { maxLength: 6 }).map((list) => `[${list.join('')}]`);
    fc.assert(
      fc.property(fc.oneof(randomly, inList), (json) => {
        expect(outcome(json, PYTHON)).toEqual(outcome(json, SLOW));
      }),
      { numRuns: 2000 },
    );
  });

  test('long texts of every kind take one pass', () => {
    const size = 300_000;
    const ends = (json: string) => {
      for (const dialect of [PYTHON, SLOW, MSGSPEC]) {
        try {
          readJson(json, dialect);
        } catch (error) {
          expect(error).toBeInstanceOf(SessionDecodeError);
        }
      }
    };
    for (const unit of [
      '\\',
      '\\"',
      '\\u0041',
      'x',
      ',1',
      ':1.',
      ' ',
      '1',
      '-',
      '" ',
      ',"',
      '[1.0]',
      '{"a":1.0},',
      '0.0',
    ]) {
      ends(unit.repeat(size / unit.length));
      ends(`["${unit.repeat(size / unit.length)}"]`);
      ends(`[1${unit.repeat(size / unit.length)}]`);
    }
    ends(`[0.${'0'.repeat(size)}1,1${'0'.repeat(size)}.5,1e${'9'.repeat(size)}]`);
    ends(`{${'"a":1.0,'.repeat(size / 8)}"a":1}`);
  });
});

test('decodeUtf8 is strict, and keeps a byte order mark for the reader to refuse', () => {
  expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31))).toBe('\ufeff1');
  for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe4, 0xbd]]) {
    expect(() => decodeUtf8(Uint8Array.from(bad))).toThrow(SessionDecodeError);
  }
});

test.each([
  [0, '0.0', '0.0'],
  [-0, '-0.0', '-0.0'],
  [1, '1.0', '1.0'],
  [0.1, '0.1', '0.1'],
  [-2.25, '-2.25', '-2.25'],
  [1e15, '1000000000000000.0', '1000000000000000.0'],
  [9999999999999998, '9999999999999998.0', '9999999999999998.0'],
  [1e16, '1e+16', '1e16'],
  [1.2345678901234568e17, '1.2345678901234568e+17', '1.2345678901234568e17'],
  [1e22, '1e+22', '1e22'],
  [-1.5e300, '-1.5e+300', '-1.5e300'],
  [0.0001, '0.0001', '0.0001'],
  [0.00001, '1e-05', '0.00001'],
  [9.99e-6, '9.99e-06', '9.99e-6'],
  [1e-7, '1e-07', '1e-7'],
  [-1.5e-10, '-1.5e-10', '-1.5e-10'],
  [5e-324, '5e-324', '5e-324'],
  [1.7976931348623157e308, '1.7976931348623157e+308', '1.7976931348623157e308'],
  [Number.NaN, 'NaN', 'null'],
  [Number.NEGATIVE_INFINITY, '-Infinity', 'null'],
])('%d is %s for Python and %s for msgspec', (x, python, msgspec) => {
  expect(pythonFloat(x)).toBe(python);
  expect(msgspecFloat(x)).toBe(msgspec);
});

test('floats come back exactly, and as floats', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
      for (const spelled of [pythonFloat(x), msgspecFloat(x)]) {
        expect(Number(spelled)).toBe(x);
        expect(spelled).toMatch(/[.e]/);
      }
    }),
  );
});

test('whole numbers are written with all their digits', () => {
  expect(integerText(-42)).toBe('-42');
  expect(integerText(1e22)).toBe('10000000000000000000000');
  expect(integerText(2n ** 70n)).toBe('1180591620717411303424');
  const longest = 10n ** BigInt(MAX_INT_DIGITS) - 1n;
  expect(integerText(-longest)).toHaveLength(MAX_INT_DIGITS + 1);
  expect(() => integerText(longest + 1n)).toThrow(SessionEncodeError);
  expect(() => integerText(-longest - 1n)).toThrow(SessionEncodeError);
});

test('strings are written in ASCII by the one and in UTF-8 by the other', () => {
  const all = 'q"b\\s/ \b\f\n\r\t\0\x1f\x7fé\u2028😀<&>';
  expect(asciiString(all)).toBe('"q\\"b\\\\s/ \\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\\u00e9\\u2028\\ud83d\\ude00<&>"');
  expect(utf8String(all)).toBe('"q\\"b\\\\s/ \\b\\f\\n\\r\\t\\u0000\\u001f\x7fé\u2028😀<&>"');
  expect(asciiString('\udc00\ud800')).toBe('"\\udc00\\ud800"');
  expect(() => utf8String('\udc00\ud800')).toThrow(SessionEncodeError);
  fc.assert(
    fc.property(anyUnits, (units) => {
      expect(asciiString(units)).toMatch(/^[ -~]*$/);
      expect(JSON.parse(asciiString(units))).toBe(units);
      expect(readJson(asciiString(units), SLOW)).toBe(units);
    }),
  );
});
