/**
 * What the msgpack codec costs beside `JSON.parse` and `JSON.stringify` of the same session, which is what a session layer
 * without partial reads pays on every request. Run: `node benchmarks/codecs.ts`. Exits with 1 when a target is missed.
 *
 * Every case is checked for correctness before it is timed. The cases take turns in short rounds, so that a busy machine
 * slows all of them alike; what is shown is the median over the rounds, and ratios are medians of the ratios within a round.
 */
import assert from 'node:assert/strict';
import { msgpack } from '../src/codecs/msgpack.ts';
import { median } from './report.ts';

const ROUNDS = 61;
const ROUND_MS = 8;

const session = {
  _permanent: true,
  user_id: 184_467,
  csrf_token: 'b1946ac92492d2347c6235b4d2611184f3a9c7d0',
  name: 'Ann Example',
  email: 'ann.example@example.org',
  locale: 'en-GB',
  cart: [
    { sku: 'A-1001', title: 'Blue teapot', quantity: 1, cents: 2495 },
    { sku: 'B-2040', title: 'Green cup', quantity: 6, cents: 650 },
    { sku: 'C-0007', title: 'Tray', quantity: 1, cents: 1299 },
  ],
  flags: { beta: false, newsletter: true, theme: 'dark' },
  last_seen: 1_767_225_600,
  _flashes: [['message', 'Saved.']],
};

type Key = keyof typeof session;
const patchOf = (values: object, cleared = false) => ({
  cleared,
  entries: new Map(Object.entries(values)),
  moved: new Set<string>(),
});

const json = JSON.stringify(session);
const jsonBytes = new TextEncoder().encode(json);
const record = msgpack.write(undefined, patchOf(session));
const utf8 = new TextDecoder();
let counter = 0;

interface Case {
  name: string;
  run(): unknown;
}

const copyThrough = (bytes: Uint8Array) =>
  msgpack.write(msgpack.open(bytes), patchOf({ last_seen: 1_767_225_600 + (counter++ & 0xff) }));
const parseAndStringify = () => {
  const all = JSON.parse(json) as typeof session;
  all.last_seen = 1_767_225_600 + (counter++ & 0xff);
  return JSON.stringify(all);
};
const getOne = (key: Key): Case => ({ name: `open, get ${key}`, run: () => msgpack.open(record).get(key) });

const parse: Case = { name: 'JSON.parse of a string', run: () => JSON.parse(json) };
const parseBytes: Case = { name: 'JSON.parse of bytes', run: () => JSON.parse(utf8.decode(jsonBytes)) };
const both: Case = { name: 'JSON.parse, change one key, JSON.stringify', run: parseAndStringify };
const reads = [getOne('user_id'), getOne('csrf_token'), getOne('flags'), getOne('cart')];
const everyKey = Object.keys(session);
/** The fair "one key": all ten take turns, small and large. */
const readAny: Case = {
  name: 'open, get one key, each in turn',
  run: () => msgpack.open(record).get(everyKey[counter++ % everyKey.length]!),
};
const readAll: Case = {
  name: 'open, get all ten keys',
  run: () => {
    const opened = msgpack.open(record);
    const all: Record<string, unknown> = {};
    for (const key of opened.keys()) all[key] = opened.get(key);
    return all;
  },
};
const copy: Case = { name: 'open, write with one key changed', run: () => copyThrough(record) };
const same: Case = {
  name: 'open, get cart, same cart',
  run: () => {
    const opened = msgpack.open(record);
    return opened.same('cart', opened.get('cart'));
  },
};

function check(): void {
  const opened = msgpack.open(record);
  assert.deepEqual(opened.keys(), Object.keys(session));
  for (const key of opened.keys()) assert.deepEqual(opened.get(key), session[key as Key]);
  assert.deepEqual(readAll.run(), parse.run());
  assert.deepEqual(parseBytes.run(), session);
  assert.equal(same.run(), true);
  counter = 7;
  const copied = readWhole(copyThrough(record));
  counter = 7;
  assert.deepEqual(copied, JSON.parse(parseAndStringify()));
  assert.notDeepEqual(copied, session);
}

function readWhole(bytes: Uint8Array): unknown {
  const opened = msgpack.open(bytes);
  return Object.fromEntries(opened.keys().map((key) => [key, opened.get(key)]));
}

/** Keeps what the cases return from being optimized away. */
let sink: unknown;

/** Nanoseconds per call, over about `ROUND_MS`. */
function time(run: () => unknown): number {
  const start = process.hrtime.bigint();
  const stop = start + BigInt(ROUND_MS * 1e6);
  let calls = 0;
  let now = start;
  while (now < stop) {
    for (let i = 0; i < 500; i++) sink = run();
    calls += 500;
    now = process.hrtime.bigint();
  }
  return Number(now - start) / calls;
}

check();
const cases = [parse, parseBytes, both, readAny, ...reads, readAll, copy, same];
const times = new Map<Case, number[]>(cases.map((c) => [c, []]));
for (const c of cases) time(c.run);
for (let round = 0; round < ROUNDS; round++) for (const c of cases) times.get(c)!.push(time(c.run));
assert.notEqual(sink, undefined);

const ratio = (c: Case, to: Case) => median(times.get(c)!.map((ns, round) => ns / times.get(to)![round]!));

console.log(
  `node ${process.version}, ${record.length} bytes of msgpack, ${jsonBytes.length} of JSON, ${ROUNDS} rounds\n`,
);
for (const c of cases) console.log(`${c.name.padEnd(44)}${median(times.get(c)!).toFixed(0).padStart(7)} ns`);
console.log();

let missed = false;
function compare(c: Case, to: Case, target?: number): void {
  const measured = ratio(c, to);
  const verdict =
    target === undefined ? '' : measured <= target ? `  ok, target ${target}` : `  MISSED, target ${target}`;
  if (target !== undefined && measured > target) missed = true;
  console.log(`${`${c.name} / ${to.name}`.padEnd(84)}${measured.toFixed(2)}${verdict}`);
}
compare(readAny, parse, 0.5);
compare(reads[0]!, parse, 0.5);
for (const c of reads.slice(1)) compare(c, parse);
compare(reads[0]!, parseBytes);
compare(readAll, parse);
compare(copy, both, 1);
compare(same, both);
process.exitCode = missed ? 1 : 0;
