/**
 * Generated dictionaries, over 10,000 for each format and direction, between this package and the real libraries:
 * itsdangerous and Flask's serializer, msgspec as Flask-Session uses it, pickle. Value by value, and the bytes where one value
 * has only one record. `npx vitest run test/interop/crossing.test.ts`; CROSSING_SEED chooses other ones.
 */
import { describe, expect, test } from 'vitest';
import { SessionDecodeError, SessionEncodeError } from '../../src/errors.ts';
import { available } from '../servers/process.ts';
import { canonical, type Notation, toNotation, toValue } from '../vectors/notation.ts';
import { crossing, Format, type Kind, notationOf } from './crossing.ts';
import { type Dictionary, dictionaries } from './generated.ts';
import { startPython } from './python.ts';

/** Of which some cannot be written, and so do not cross. */
const COUNT = 10_500;
/** The key that we write into Python's records. */
const ADDED = 'written by us';
const SEED = Number(process.env.CROSSING_SEED ?? 20_240_229);

/** What crossing.py writes. */
interface Written {
  /** What it was to write; null where the notation has no name for something in it. */
  readonly value: Notation;
  readonly record?: string;
  /** What it reads from its own record. */
  readonly back?: Notation;
  readonly error?: string;
}

/** What crossing.py reads: a value, and its record unless it was refused here. */
interface Line {
  readonly index: number;
  readonly value: Notation;
  readonly record?: string;
  /** Whether Python is to find that it would have written the same bytes. */
  readonly exact: boolean;
}

/** What crossing.py makes of a record of ours. */
interface Read {
  readonly read?: Notation;
  readonly expected?: Notation;
  /** Whether it would have written the same bytes. */
  readonly same?: boolean;
  /** Why it cannot read the record. */
  readonly error?: string;
  /** Why it would not have written such a value. */
  readonly refused?: string;
}

/** What differs, as a text that tells how to see it again; the first few are enough. */
class Differences {
  readonly #found: string[] = [];
  #count = 0;

  add(index: number, what: string, details: unknown): void {
    this.#count++;
    if (this.#found.length < 5) this.#found.push(`#${index} ${what}: ${JSON.stringify(details).slice(0, 2000)}`);
  }

  expectNone(): void {
    expect(this.#found.join('\n'), `${this.#count} of ${COUNT}, seed ${SEED}`).toBe('');
  }
}

function same(a: Notation, b: Notation): boolean {
  return JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));
}

const python = await available(startPython);
const withFlaskSession = python.server?.flaskSession !== undefined;
const KINDS: readonly Kind[] = ['cookie', 'pickle', 'msgpack', 'json'];

for (const kind of KINDS) {
  const missing = python.missing || ((kind === 'msgpack' || kind === 'json') && !withFlaskSession);
  const note = python.note || (missing ? ` (skipped: ${python.server?.reason?.replace(/[()]/g, '')})` : '');

  describe.skipIf(missing)(`${kind}${note}`, () => {
    const format = new Format(kind);
    const run = <T>(args: string[], lines?: Iterable<unknown>) => crossing<T>(python.server!, args, lines);

    test('what Python writes is read here, written here as there, and survives a write of ours', async () => {
      const written = await run<Written>(['write', kind, String(SEED), String(COUNT)]);
      expect(written).toHaveLength(COUNT);
      const differences = new Differences();
      const extended: Line[] = [];
      for (const [i, line] of written.entries()) {
        if (line.record === undefined) refusedHere(differences, i, line);
        else extended.push(...readHere(differences, i, line as Required<Written>));
      }
      expect(extended.length).toBeGreaterThan(10_000);
      await readThere(differences, extended);
      differences.expectNone();
    }, 240_000);

    test('what is written here is read by Python, which would have written the same', async () => {
      const lines = dictionaries(kind, COUNT, SEED).map((dictionary, i) => lineOf(dictionary, i));
      expect(lines.filter(({ record }) => record !== undefined).length).toBeGreaterThan(10_000);
      const differences = new Differences();
      await readThere(differences, lines);
      differences.expectNone();
    }, 240_000);

    function lineOf(dictionary: Dictionary, index: number): Line {
      const line = { index, value: toNotation(new Map(dictionary)), exact: true };
      try {
        return { ...line, record: format.write(undefined, dictionary) };
      } catch (error) {
        if (!(error instanceof SessionEncodeError)) throw error;
        return line;
      }
    }

    /** Python would not write it: nor do we. */
    function refusedHere(differences: Differences, i: number, { value, error }: Written): void {
      if (value === null) return;
      try {
        format.write(undefined, entriesOf(value));
        differences.add(i, `written here, there ${error}`, value);
      } catch (thrown) {
        if (!(thrown instanceof SessionEncodeError)) differences.add(i, String(thrown), value);
      }
    }

    /** Answers the record with one more key, as a handler of ours leaves it. */
    function readHere(differences: Differences, index: number, { value, record, back }: Required<Written>): Line[] {
      try {
        const read = notationOf(format.open(record));
        if (!same(read, textKeys(back))) differences.add(index, 'read otherwise', { read, back, record });
        // What reads back as something else would be written otherwise the next time; then the bytes say nothing.
        const exact = isWrittenAs(back, record);
        if (!isWrittenAs(value, record)) differences.add(index, 'written otherwise', { value, record });
        const extended = format.write(format.open(record), [[ADDED, index]]);
        const pairs = [...back[1].filter(([key]: [Notation]) => key !== ADDED), [ADDED, ['int', String(index)]]];
        return [{ index, value: ['dict', pairs], record: extended, exact }];
      } catch (error) {
        if (!(error instanceof SessionDecodeError) && !(error instanceof SessionEncodeError)) throw error;
        differences.add(index, String(error), { value, record });
        return [];
      }
    }

    /** True also where the same value may have several records: pickles, and keys at the top that no handler can write. */
    function isWrittenAs(session: Notation, record: string): boolean {
      if (kind === 'pickle' || textKeys(session)[1].length < session[1].length) return true;
      const ours = format.write(undefined, entriesOf(session));
      return Buffer.from(format.bytes(ours)).equals(format.bytes(record));
    }

    async function readThere(differences: Differences, lines: readonly Line[]): Promise<void> {
      const answers = await run<Read>(['read', kind], lines);
      expect(answers).toHaveLength(lines.length);
      for (const [i, answer] of answers.entries()) {
        const line = lines[i] as Line;
        const what = verdict(line, answer);
        if (what !== undefined) differences.add(line.index, what, { ...line, ...answer });
      }
    }
  });
}

/** What differs, if something does. */
function verdict({ record, exact }: Line, { refused, error, read, expected, same: written }: Read): string | undefined {
  if (refused !== undefined) return record === undefined ? undefined : 'refused by Python';
  if (record === undefined) return 'refused here only';
  if (error !== undefined) return 'Python cannot read it';
  if (!same(read, expected)) return 'Python reads otherwise';
  return exact && !written ? 'Python writes otherwise' : undefined;
}

function textKeys(session: Notation): Notation {
  return ['dict', session[1].filter(([key]: [Notation]) => typeof key === 'string')];
}

/** A dict in the notation, as the entries of a patch. */
function entriesOf(session: Notation): [string, unknown][] {
  return session[1].map(([key, value]: [string, Notation]) => [key, toValue(value)]);
}
