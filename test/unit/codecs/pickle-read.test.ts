import { describe, expect, test } from 'vitest';
import { OrderedDict } from '../../../src/codecs/pickle-globals.ts';
import { unpickle } from '../../../src/codecs/pickle-read.ts';
import { encodePickle } from '../../../src/codecs/pickle-write.ts';
import {
  ByteArray,
  DateTime,
  Decimal,
  Float,
  FrozenSet,
  Markup,
  PlainTime,
  TimeDelta,
  Tuple,
  UUID,
} from '../../../src/codecs/values.ts';
import { SessionDecodeError } from '../../../src/errors.ts';
import { expectAtMost } from '../../relative-time.ts';

/** A pickle from its opcodes: text as Latin-1, numbers as bytes. */
function assemble(...parts: (string | number | Uint8Array)[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(
      parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part as string, 'latin1'))),
    ),
  );
}

const read = (...parts: (string | number | Uint8Array)[]) => unpickle(assemble(...parts)).value;

const refuse = (...parts: (string | number | Uint8Array)[]) =>
  expect(() => unpickle(assemble(...parts))).toThrow(SessionDecodeError);

const global = (module: string, name: string) => `c${module}\n${name}\n`;

describe('opcodes', () => {
  test('text lines of protocol 0', () => {
    expect(read('I-42\n.')).toBe(-42);
    expect(read('I-0\n.')).toBe(0);
    expect(read('I01\n.')).toBe(true);
    expect(read('I00\n.')).toBe(false);
    expect(read('L12345678901234567890L\n.')).toBe(12345678901234567890n);
    expect(read('L5\n.')).toBe(5);
    expect(read('F1e+22\n.')).toEqual(new Float(1e22));
    expect(read('F-0.5\n.')).toBe(-0.5);
    expect(Object.is(read('F-0.0\n.'), -0)).toBe(true);
    expect(read('Fnan\n.')).toBeNaN();
    expect(read('F-inf\n.')).toBe(-Infinity);
    expect(read("S'a\\n\\x41\\101\\'\\q\\0'\n.")).toBe("a\nAA'\\q\0");
    expect(read('S"it\'s"\n.')).toBe("it's");
    expect(read('V\xe9\\u4f60\\U0001f600\\ud800\\\\u0041\\n\\\n.')).toBe('é你😀\ud800\\\\u0041\\n\\');
  });

  test.each(['I010', 'I0x1', 'I1_0', 'I+1', 'I 1', 'I', 'Iabc', 'L', 'LL', 'L1l', 'L007', 'F', 'F1e999'])(
    '%s is no number',
    (line) => refuse(`${line}\n.`),
  );

  test.each(['Fx', 'F1_0', 'F0x1p3', 'F1e', "S'", "S'a", 'Sab', "S'\\", "S'\\'", "S'\\x4'", "S'\xe9'", "S'\\xff'"])(
    '%s is malformed',
    (line) => refuse(`${line}\n.`),
  );

  test.each(['V\\u00e', 'V\\uZZZZ', 'V\\U00110000', 'V\\u 041', 'V\\u0x41', 'V\\u@@@@'])('%s is no text', (line) =>
    refuse(`${line}\n.`),
  );

  test('numbers have an end', () => {
    expect(read(`L-${'9'.repeat(4300)}L\n.`)).toBe(-(10n ** 4300n) + 1n);
    refuse(`L${'9'.repeat(4301)}L\n.`);
    refuse(`F${'1'.repeat(600)}\n.`);
  });

  test('strings of Python 2 are ASCII', () => {
    expect(read('U', 3, 'abc.')).toBe('abc');
    expect(read('T', 3, 0, 0, 0, 'abc.')).toBe('abc');
    refuse('U', 1, '\xff.');
    refuse('T', 3, 0, 0, 0x80, 'abc.');
  });

  test('ints of every width', () => {
    expect(read('K', 255, '.')).toBe(255);
    expect(read('M', 0, 1, '.')).toBe(256);
    expect(read('J', 0xfe, 0xff, 0xff, 0xff, '.')).toBe(-2);
    expect(read(0x8a, 0, '.')).toBe(0);
    expect(read(0x8a, 1, 0xff, '.')).toBe(-1);
    expect(read(0x8a, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, '.')).toBe(2n ** 63n - 1n);
    expect(read(0x8b, 2, 0, 0, 0, 0, 0x80, '.')).toBe(-32768);
    refuse(0x8b, 0xff, 0xff, 0xff, 0xff, '.');
    // 4300 decimal digits are the limit, in whatever base they come.
    expect(read(0x8b, 0xfa, 6, 0, 0, '\x7f'.repeat(1786), '.')).toBeTypeOf('bigint');
    refuse(0x8b, 0xfb, 6, 0, 0, '\x7f'.repeat(1787), '.');
  });

  test('text with surrogates, in each way of UTF-8', () => {
    const lone = 'a\ud800b\udfff é'.repeat(10);
    expect(unpickle(encodePickle(lone)).value).toBe(lone);
    expect(read(0x8c, 6, 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80, '.')).toBe('😀');
    expect(read(0x8c, 4, 0xed, 0x95, 0x9c, 'x.')).toBe('한x');
    for (const bad of ['\xed', '\xed\xa0', '\xed\xa0x', '\xc0\x80', '\xf5\x80\x80\x80', '\xed\xa0\x80\xff', '\x80']) {
      refuse(0x8c, bad.length, bad, '.');
    }
    expect(read(0x8c, 3, '\xef\xbb\xbf.')).toBe('\ufeff');
  });

  test('the stack', () => {
    expect(read('K', 1, 'K', 2, '0.')).toBe(1);
    expect(read('K', 1, '(0.')).toBe(1);
    expect(read('K', 1, '(K', 2, 'K', 3, '1.')).toBe(1);
    expect(read('K', 1, '2', 0x86, '.')).toEqual(Tuple.of(1, 1));
    for (const program of [
      '.',
      '0',
      '1.',
      '2.',
      '(.',
      'K\x01(.',
      '(2.',
      't.',
      'a.',
      's.',
      'e.',
      '(e.',
      'u.',
      '(u.',
      '(K\x01\x86.',
      'R.',
      'b.',
      '\x94.',
    ]) {
      refuse(program);
    }
  });

  test('containers', () => {
    expect(read('(K', 1, 'K', 2, 'l.')).toEqual([1, 2]);
    expect(read('(lp0\nI1\na.')).toEqual([1]);
    expect(read('](K', 1, 'NeNa.')).toEqual([1, null, null]);
    expect(read('(t.')).toEqual(new Tuple());
    expect(read(').')).toEqual(new Tuple());
    expect(read('(K', 1, 'K', 2, 'd.')).toEqual(new Map([[1, 2]]));
    expect(read('}(K', 1, 'K', 2, 'K', 1, 'K', 3, 'u.')).toEqual(new Map([[1, 3]]));
    expect(read(0x8f, '(K', 1, 0x90, '.')).toEqual(new Set([1]));
    expect(read('(K', 1, 0x91, '.')).toEqual(new FrozenSet([1]));
    expect(read('C', 1, 0xff, '.')).toEqual(new Uint8Array([255]));
    expect(read('B', 1, 0, 0, 0, 7, '.')).toEqual(new Uint8Array([7]));
    expect(read(0x8e, 1, 0, 0, 0, 0, 0, 0, 0, 7, '.')).toEqual(new Uint8Array([7]));
    expect(read(0x96, 1, 0, 0, 0, 0, 0, 0, 0, 7, '.')).toEqual(new ByteArray([7]));
    expect(read(0x8d, 1, 0, 0, 0, 0, 0, 0, 0, 'x.')).toBe('x');
    refuse(')Na.');
    refuse('}Na.');
    refuse(']NNs.');
    refuse('}(Nu.');
    refuse('(Nd.');
    refuse('(', 0x91, '(N', 0x90, '.');
  });

  test('the memo', () => {
    expect(read('K', 7, 'p5\n0g5\n.')).toBe(7);
    expect(read('K', 7, 'q', 5, '0h', 5, '.')).toBe(7);
    expect(read('K', 7, 'r', 5, 0, 0, 0, '0j', 5, 0, 0, 0, '.')).toBe(7);
    expect(read('K', 1, 0x94, 'K', 2, 0x94, '0h', 1, 0x86, '.')).toEqual(Tuple.of(1, 2));
    refuse('K', 7, 'p-1\n.');
    refuse('K', 7, 'p99999999999999999999\n.');
    refuse('K', 7, 'r', 255, 255, 255, 255, '.');
    refuse('h', 0, '.');
    refuse('K', 7, 'p0\n0g1\n.');
    refuse('(p0\n.');
  });

  test('a protocol or a frame that cannot be', () => {
    expect(read(0x80, 5, 0x95, 3, 0, 0, 0, 0, 0, 0, 0, 'K', 1, '.')).toBe(1);
    refuse(0x80, 6, 'N.');
    refuse(0x95, 3, 0, 0, 0, 0, 0, 0, 0, 'N.');
    refuse(0x95, 1, 0, 0, 0, 0, 0, 0, 0x80, 'N.');
  });

  test.each([
    ['PERSID', 'Px\n.'],
    ['BINPERSID', 'NQ.'],
    ['EXT1', '\x82\x01.'],
    ['EXT2', '\x83\x01\x00.'],
    ['EXT4', '\x84\x01\x00\x00\x00.'],
    ['INST', '(idatetime\ndatetime\n.'],
    ['OBJ', '(cuuid\nUUID\no.'],
    ['NEWOBJ_EX', 'cuuid\nUUID\n)}\x92.'],
    ['NEXT_BUFFER', '\x97.'],
    ['READONLY_BUFFER', 'N\x98.'],
    ['an unknown one', '\xff.'],
  ])('%s is refused', (_, program) => refuse(program));
});

describe('known names', () => {
  const state = 'C\x0a\x07\xe8\x01\x02\x03\x04\x05\x0a\x5b\xf5';
  const zone = (delta: string) => `${global('datetime', 'timezone')}${global('datetime', 'timedelta')}${delta}R\x85R`;

  test('plain data of old protocols', () => {
    expect(
      read(global('_codecs', 'encode'), 'X', 2, 0, 0, 0, '\xc3\xbf', 'X', 6, 0, 0, 0, 'latin1', 0x86, 'R.'),
    ).toEqual(new Uint8Array([255]));
    expect(read(global('__builtin__', 'bytes'), ')R.')).toEqual(new Uint8Array());
    expect(read(global('builtins', 'bytearray'), 'C', 1, 9, 0x85, 'R.')).toEqual(new ByteArray([9]));
    expect(read(global('__builtin__', 'bytearray'), 'Va\xff\nVlatin-1\n', 0x86, 'R.')).toEqual(
      new ByteArray([97, 255]),
    );
    expect(read(global('__builtin__', 'bytearray'), ')R.')).toEqual(new ByteArray());
    expect(read(global('__builtin__', 'set'), '](K', 1, 'e', 0x85, 'R.')).toEqual(new Set([1]));
    expect(read(global('builtins', 'frozenset'), ']', 0x85, 'R.')).toEqual(new FrozenSet());
    const pairs = ['](](K', 1, 'K', 2, 'ee', 0x85, 'R.'] as const;
    expect(read(global('collections', 'OrderedDict'), ...pairs)).toEqual(new OrderedDict([[1, 2]]));
    expect(read(global('collections', 'OrderedDict'), ')RK', 1, 'K', 2, 's.')).toEqual(new OrderedDict([[1, 2]]));
  });

  test('dates and times', () => {
    const wall = Date.UTC(2024, 0, 2, 3, 4, 5, 678);
    expect(read(global('datetime', 'datetime'), state, 0x85, 'R.')).toEqual(new DateTime(wall, 901, null));
    const utc = read(global('datetime', 'datetime'), state, zone('K\x00K\x00K\x00\x87'), 0x86, 'R.');
    expect(utc).toEqual(new DateTime(wall, 901, 0));
    const west = read(
      global('datetime', 'datetime'),
      state,
      zone('J\xff\xff\xff\xffM\x10\xefK\x00\x87'),
      0x86,
      'R.',
    ) as DateTime;
    expect(west.toISOString()).toBe('2024-01-02T03:04:05.678901-07:00');
    const whole = read(
      global('datetime', 'datetime'),
      'C\x0a\x07\xe8\x01\x02\x03\x04\x05\x00\x00\x00',
      zone('K\x00K\x00K\x00\x87'),
      0x86,
      'R.',
    );
    expect(Object.getPrototypeOf(whole)).toBe(Date.prototype);
    const time = read(
      global('datetime', 'time'),
      'C\x06\x97\x3b\x3b\x0f\x42\x3f',
      zone('K\x00M\x58\x4dK\x00\x87'),
      0x86,
      'R.',
    );
    expect(time).toEqual(new PlainTime('23:59:59.999999+05:30'));
    expect(read(global('datetime', 'date'), 'C\x04\x00\x01\x01\x01', 0x85, 'R.')).toHaveProperty('iso', '0001-01-01');
    expect(read(global('datetime', 'date'), 'C\x04\x07\xe8\x02\x1d', 0x85, 'R.')).toHaveProperty('iso', '2024-02-29');
    expect(read(global('datetime', 'timedelta'), 'J\xff\xff\xff\xffK\x01K\x02\x87R.')).toEqual(new TimeDelta(-1, 1, 2));
  });

  test.each([
    ['a short state', 'datetime', 'C\x09\x07\xe8\x01\x02\x03\x04\x05\x0a\x5b\x85'],
    ['month 0', 'datetime', 'C\x0a\x07\xe8\x00\x02\x03\x04\x05\x0a\x5b\xf5\x85'],
    ['month 13', 'datetime', 'C\x0a\x07\xe8\x0d\x02\x03\x04\x05\x0a\x5b\xf5\x85'],
    ['hour 24', 'datetime', 'C\x0a\x07\xe8\x01\x02\x18\x04\x05\x0a\x5b\xf5\x85'],
    ['a million microseconds', 'datetime', 'C\x0a\x07\xe8\x01\x02\x03\x04\x05\x0f\x42\x40\x85'],
    ['year 0', 'date', 'C\x04\x00\x00\x01\x01\x85'],
    ['year 10000', 'date', 'C\x04\x27\x10\x01\x01\x85'],
    ['30 February', 'date', 'C\x04\x07\xe8\x02\x1e\x85'],
    ['29 February of a common year', 'date', 'C\x04\x07\x6c\x02\x1d\x85'],
    ['a zone of a date', 'date', 'C\x04\x07\xe8\x01\x01N\x86N\x86'],
    ['text as state', 'date', 'X\x04\x00\x00\x00abcd\x85'],
    ['a zone that is text', 'datetime', `${state}X\x03\x00\x00\x00UTC\x86`],
    ['a zone of a whole day', 'datetime', `${state}${zone('K\x01K\x00K\x00\x87')}\x86`],
    ['a zone of microseconds', 'datetime', `${state}${zone('K\x00K\x00K\x01\x87')}\x86`],
    ['too many seconds', 'timedelta', 'K\x00J\x80\x51\x01\x00K\x00\x87'],
    ['negative microseconds', 'timedelta', 'K\x00K\x00J\xff\xff\xff\xff\x87'],
    ['two arguments', 'timedelta', 'K\x00K\x00\x86'],
    ['floats', 'timedelta', 'G\x3f\xf0\x00\x00\x00\x00\x00\x00K\x00K\x00\x87'],
  ])('%s is refused', (_, name, args) => refuse(global('datetime', name), args, 'R.'));

  const uuid = `${global('uuid', 'UUID')})\x81`;

  test('a UUID, which is filled after it was made', () => {
    const expected = new UUID('00000000-0000-0000-0000-000000000005');
    expect(read(uuid, '}X\x03\x00\x00\x00intK\x05sb.')).toEqual(expected);
    expect(read(uuid, '\x94}X\x03\x00\x00\x00intK\x05sb0h\x00.')).toEqual(expected);
    expect(read(uuid, '}(X\x03\x00\x00\x00intK\x05X\x07\x00\x00\x00is_safeK\x00ub.')).toEqual(expected);
    const safe = `${global('uuid', 'SafeUUID')}N\x85R`;
    expect(read(uuid, `}(X\x03\x00\x00\x00intK\x05X\x07\x00\x00\x00is_safe${safe}ub.`)).toEqual(expected);
    refuse(uuid, '.');
    refuse(uuid, '}b.');
    refuse(uuid, 'Nb.');
    refuse(uuid, '}X\x03\x00\x00\x00intJ\xff\xff\xff\xffsb.');
    refuse(uuid, '}X\x03\x00\x00\x00intG\x3f\xe0\x00\x00\x00\x00\x00\x00sb.');
    refuse(uuid, `}X\x03\x00\x00\x00int\x8a\x11${'\0'.repeat(16)}\x01sb.`);
    refuse(uuid, '}(X\x03\x00\x00\x00intK\x05X\x09\x00\x00\x00__class__Nub.');
    refuse(uuid, '\x94}X\x03\x00\x00\x00intK\x05sbh\x00}X\x03\x00\x00\x00intK\x06sb.');
    refuse(']\x94', uuid, '\x94ah\x01}X\x03\x00\x00\x00intK\x05sb0.');
  });

  test('text that is more than text', () => {
    expect(read(global('markupsafe', 'Markup'), 'X\x03\x00\x00\x00<b>\x85\x81.')).toEqual(new Markup('<b>'));
    expect(read(global('decimal', 'Decimal'), 'X\x04\x00\x00\x001.50\x85R.')).toEqual(new Decimal('1.50'));
    for (const text of ['-Infinity', 'sNaN12', '1E+400', '.5', '5.']) {
      expect(read(global('decimal', 'Decimal'), 'U', text.length, text, '\x85R.')).toEqual(new Decimal(text));
    }
    for (const text of ['', 'x', '1_0', '1e', ' 1', '0x1', `${'1'.repeat(200)}x`]) {
      refuse(global('decimal', 'Decimal'), 'U', text.length, text, '\x85R.');
    }
    refuse(global('markupsafe', 'Markup'), 'X\x03\x00\x00\x00<b>\x85R.');
    refuse(global('markupsafe', 'Markup'), 'N\x85\x81.');
    refuse(global('decimal', 'Decimal'), 'K\x05\x85R.');
  });

  test('a name is only good where it belongs', () => {
    for (const name of ['set', 'object', 'bytes']) refuse(global('builtins', name), '.');
    refuse(global('uuid', 'UUID'), ')R.');
    refuse(global('builtins', 'set'), ')\x81.');
    refuse(global('builtins', 'object'), ')\x81.');
    refuse(global('builtins', 'object'), ')R.');
    refuse(global('builtins', 'set'), 'K\x05\x85R.');
    refuse(global('builtins', 'set'), 'X\x02\x00\x00\x00ab\x85R.');
    refuse(global('builtins', 'set'), ']R.');
    refuse(global('builtins', 'bytes'), 'K\x05\x85R.');
    refuse(global('_codecs', 'encode'), 'Va\nVzlib\n\x86R.');
    refuse(global('_codecs', 'encode'), 'V\\u4f60\nVlatin1\n\x86R.');
    refuse(global('_codecs', 'encode'), 'Va\n\x85R.');
    refuse(global('collections', 'OrderedDict'), ']NaR.');
    refuse(global('datetime', 'timezone'), global('datetime', 'timedelta'), 'K\x00K\x00K\x00\x87R\x85R.');
    refuse(
      global('copy_reg', '_reconstructor'),
      global('__builtin__', 'object'),
      global('__builtin__', 'object'),
      'N\x87R.',
    );
    refuse(global('copyreg', '_reconstructor'), global('uuid', 'UUID'), global('builtins', 'object'), 'N\x87R.');
  });

  test.each([
    'os system',
    'builtins eval',
    'builtins getattr',
    'datetime datetime.now',
    'Datetime datetime',
    'builtins set ',
  ])('%s has no meaning', (name) => {
    const [module, ...rest] = name.split(' ');
    refuse(global(module!, rest.join(' ')), '.');
  });

  test('names of an object have none either', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      refuse(global('', name), '.');
      refuse(`X${String.fromCharCode(name.length)}\0\0\0${name}2\x93.`);
    }
    refuse('NN\x93.');
  });
});

describe('bounds', () => {
  /** Beside it: a list as long as any of these. */
  const plain = () => read(`](${'N'.repeat(100_000)}e.`);
  const expectCheap = (run: () => void) => expectAtMost(100, run, plain);

  test('depth', () => {
    const nested = (levels: number) => `${']'.repeat(levels)}${'a'.repeat(levels - 1)}.`;
    expect(read(nested(512))).toBeInstanceOf(Array);
    refuse(nested(513));
    refuse(nested(1_000_000));
    refuse('N', '\x85'.repeat(1_000_000), '.');
    // Each level is used twice by the next one: deep only when the paths are followed.
    refuse(']', '2\x86'.repeat(600), '.');
  });

  test('a shared part is legal, its expansion is bounded', () => {
    // ['x'] 1,000 times
    expect(read(`](\x8c\x01xe\x940](${'h\0'.repeat(1000)}e.`)).toHaveLength(1000);
    expect(read('](\x8c\x01xe', '2\x86'.repeat(15), '.')).toBeInstanceOf(Tuple);
    expectCheap(() => refuse(']', '2\x86'.repeat(300), '.'));
    // 100 KB of text, used 1,000 times
    const text = `X\xa0\x86\x01\0${'x'.repeat(100_000)}\x94`;
    expect(read(text, `](${'h\0'.repeat(100)}e.`)).toHaveLength(100);
    refuse(text, `](${'h\0'.repeat(1000)}e.`);
    // The same bytes made again and again
    const encode = `${global('_codecs', 'encode')}\x94${text}Vlatin1\n\x86\x94`;
    expectCheap(() => refuse(encode, `0${'h\0h\x02R0'.repeat(20_000)}N.`));
    const list = `](${'N'.repeat(100_000)}e\x85\x94`;
    const set = `0${global('builtins', 'set')}\x94`;
    expectCheap(() => refuse(list, set, 'h\x01h\0R0'.repeat(20_000), 'N.'));
  });

  test('keys are hashed only once for a whole bound', () => {
    const tuple = `(${'N'.repeat(100_000)}t\x940`;
    expectCheap(() => refuse(tuple, `](${'}h\0Ns'.repeat(20_000)}e.`));
  });

  test('nothing contains itself', () => {
    refuse(']\x94h\0a.');
    refuse('}\x94Nh\0s.');
    refuse(']\x94h\0\x85a.');
    refuse('\x8f\x94(h\0\x90.');
  });

  test('keys are what Python can hash', () => {
    for (const key of [
      ']',
      '}',
      '\x8f',
      '\x96\0\0\0\0\0\0\0\0',
      ']\x85',
      `${global('collections', 'OrderedDict')})R`,
    ]) {
      refuse(`}${key}Ns.`);
      refuse(`\x8f(${key}\x90.`);
      refuse(`(${key}\x91.`);
    }
    expect(read('}(\x91Ns.')).toBeInstanceOf(Map);
  });

  test('containers', () => {
    expectCheap(() => refuse('('.repeat(1_000_000), '.'));
    expectCheap(() => refuse('}'.repeat(1_000_000), '.'));
    expectCheap(() => refuse(')'.repeat(1_000_000), '.'));
  });

  test('sparse memo', () => {
    let program = 'N';
    for (let i = 900_000; i > 0; i -= 9) program += `p${i}\n`;
    expectCheap(() => read(`${program}.${'\0'.repeat(300_000)}`));
  });

  test('texts that break UTF-8 rules cost no exception each', () => {
    const one = '\x8c\x03\xed\xa0\x80';
    expectCheap(() => read(`](${one.repeat(100_000)}e.`));
  });

  test('messages carry no data', () => {
    for (const program of ['cmy.secret\nname\n.', "S'secret\n.", 'Isecret\n.', '\x8c\x07secret\xff.']) {
      let message = '';
      try {
        read(program);
      } catch (error) {
        message = String(error);
      }
      expect(message).toContain('pickle: ');
      expect(message).not.toContain('secret');
    }
  });
});
