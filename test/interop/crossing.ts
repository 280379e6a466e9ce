/** This package's side of crossing.py: the formats as that names them, and the program as streams of lines. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Codec, OpenRecord, Patch } from '../../src/codecs/codec.ts';
import { json } from '../../src/codecs/json.ts';
import { msgpack } from '../../src/codecs/msgpack.ts';
import { pickle } from '../../src/codecs/pickle.ts';
import { taggedJson } from '../../src/codecs/tagged-json.ts';
import { URLSafeTimedSerializer } from '../../src/codecs/url-safe.ts';
import type { Notation } from '../vectors/notation.ts';
import { toNotation } from '../vectors/notation.ts';
import { FOLDER, type Python } from './python.ts';

export type Kind = 'cookie' | 'msgpack' | 'json' | 'pickle';

/** crossing.py has the same one. */
const SECRET_KEY = 'a key that both sides know';
const MAX_AGE = 31 * 86_400;

const CODECS: Record<Kind, Codec> = { cookie: taggedJson, msgpack, json, pickle };

/** A record as a line of JSON holds it: a cookie's text, the others in hexadecimal. */
export class Format {
  readonly kind: Kind;
  readonly #codec: Codec;
  readonly #cookies = new URLSafeTimedSerializer(SECRET_KEY);

  constructor(kind: Kind) {
    this.kind = kind;
    this.#codec = CODECS[kind];
  }

  /** @throws SessionDecodeError */
  open(record: string): OpenRecord {
    return this.#codec.open(this.bytes(record));
  }

  /** What is signed, or the record itself. */
  bytes(record: string): Uint8Array {
    if (this.kind !== 'cookie') return Buffer.from(record, 'hex');
    return this.#cookies.loads(record, { now: Date.now() / 1000, maxAge: MAX_AGE }).payload;
  }

  /** @throws SessionEncodeError */
  write(base: OpenRecord | undefined, entries: Iterable<readonly [string, unknown]>): string {
    const patch: Patch = { cleared: false, entries: new Map(entries), moved: new Set() };
    const bytes = this.#codec.write(base, patch);
    return this.kind === 'cookie' ? this.#cookies.dumps(bytes, Date.now() / 1000) : Buffer.from(bytes).toString('hex');
  }
}

/** Every value, each decoded. */
export function notationOf(record: OpenRecord): Notation {
  return ['dict', record.keys().map((key) => [key, toNotation(record.get(key))])];
}

/** Runs crossing.py: the lines that go in, then what it answered to each. @throws Error with what it complained about */
export async function crossing<Answer>(
  python: Python,
  args: readonly string[],
  lines: Iterable<unknown> = [],
): Promise<Answer[]> {
  const child = spawn(python.command, [join(FOLDER, 'crossing.py'), ...args], {
    env: { PATH: process.env.PATH ?? '', ...python.env },
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint += text;
  });
  const ended = once(child, 'close');
  // It may end before it has read everything; what it says then tells more than EPIPE.
  child.stdin.on('error', () => {});
  const feeding = (async () => {
    for (const line of lines) {
      if (!child.stdin.write(`${JSON.stringify(line)}\n`)) await Promise.race([once(child.stdin, 'drain'), ended]);
      if (child.exitCode !== null) break;
    }
    child.stdin.end();
  })();
  const answers: Answer[] = [];
  for await (const line of createInterface({ input: child.stdout })) answers.push(JSON.parse(line));
  await feeding;
  const [code] = await ended;
  if (code !== 0) throw new Error(`crossing.py ended with ${code}:\n${complaint.slice(-5000)}`);
  return answers;
}
