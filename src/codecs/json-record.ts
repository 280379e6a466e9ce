/** A JSON object opened as a record: values for reading, and the text of each member for comparing and copying. */
import { SessionEncodeError } from '../errors.ts';
import type { OpenRecord } from './codec.ts';
import { Float, floatMarks, isMarked } from './values.ts';

/** What the record needs to know of its codec. One object per codec: it also tells whose record it is. */
export interface JsonFormat {
  /** @throws SessionDecodeError */
  decode(text: string): unknown;
  /**
   * The text of a member's value.
   * @throws SessionEncodeError, also for undefined
   */
  encode(value: unknown): string;
}

/**
 * The whole text is checked and decoded when it is opened, since the platform does that faster than anything could find
 * the members. Each object is lent out once; only for a second `get`, a comparison or a copy is the text taken apart.
 */
export class JsonRecord implements OpenRecord {
  readonly format: JsonFormat;
  readonly #text: string;
  readonly #values: Readonly<Record<string, unknown>>;
  #keys: string[] | undefined;
  #members: ReadonlyMap<string, string> | undefined;
  #lent: Set<string> | undefined;

  /**
   * @param text a JSON object that is known to be well-formed
   * @param values what it decodes to; the record owns them from now on
   */
  constructor(text: string, values: Record<string, unknown>, format: JsonFormat) {
    this.#text = text;
    this.#values = values;
    this.format = format;
  }

  get size(): number {
    return this.#names().length;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#values, key);
  }

  get(key: string): unknown {
    if (!Object.hasOwn(this.#values, key)) return undefined;
    const value = this.#values[key];
    return typeof value === 'object' && value !== null ? this.#lend(key, value) : this.#plain(key);
  }

  #lend(key: string, value: object): unknown {
    if (this.#lent?.has(key)) return this.format.decode(this.textOf(key));
    this.#lent ??= new Set();
    this.#lent.add(key);
    return value;
  }

  keys(): string[] {
    return this.#names().slice();
  }

  #names(): readonly string[] {
    if (!this.#keys) {
      const names = Object.keys(this.#values);
      // JavaScript puts names that look like array indices first, wherever they stood.
      this.#keys = /^\d/.test(names[0] ?? '') ? [...this.#sliced().keys()] : names;
    }
    return this.#keys;
  }

  same(key: string, value: unknown): boolean {
    if (!Object.hasOwn(this.#values, key)) return false;
    const own = this.#values[key];
    if (typeof own === 'string' && typeof value === 'string') return own === value;
    const text = this.#encoded(value);
    if (text === undefined) return false;
    // Another writer may have spelled the same value in another way.
    return text === this.textOf(key) || text === this.canonical(key);
  }

  /** The member's value exactly as it stands in the record. The key must be there. */
  textOf(key: string): string {
    return this.#sliced().get(key) as string;
  }

  /**
   * The member's value as this package spells it, whoever wrote the record. The key must be there. What can be read but not
   * written (a date beyond the last year, once it is in UTC) stays as it is.
   */
  canonical(key: string): string {
    const value = this.#lent?.has(key) ? this.format.decode(this.textOf(key)) : this.#plain(key);
    return this.#encoded(value) ?? this.textOf(key);
  }

  #encoded(value: unknown): string | undefined {
    try {
      return this.format.encode(value);
    } catch (error) {
      if (error instanceof SessionEncodeError) return undefined;
      throw error;
    }
  }

  #plain(key: string): unknown {
    const value = this.#values[key];
    if (typeof value !== 'number' || !isMarked(floatMarks(this.#values), key, value)) return value;
    return new Float(value);
  }

  #sliced(): ReadonlyMap<string, string> {
    this.#members ??= sliceMembers(this.#text);
    return this.#members;
  }
}

/**
 * The members of a well-formed JSON object, each with the text of its value, in their order. Of a repeated key the last
 * value counts, at the place of the first: as in Python.
 */
function sliceMembers(text: string): Map<string, string> {
  const members = new Map<string, string>();
  let at = skipBlank(text, 0) + 1;
  for (;;) {
    at = skipBlank(text, at);
    if (text.charCodeAt(at) !== QUOTE) return members;
    const keyEnd = skipString(text, at);
    const key = text.slice(at, keyEnd);
    const start = skipBlank(text, skipBlank(text, keyEnd) + 1);
    const end = skipValue(text, start);
    members.set(key.includes('\\') ? JSON.parse(key) : key.slice(1, -1), text.slice(start, end));
    at = skipBlank(text, end) + 1;
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

function skipBlank(text: string, start: number): number {
  let at = start;
  while (text.charCodeAt(at) <= 0x20) at++;
  return at;
}

/** @param start where the opening quote is */
function skipString(text: string, start: number): number {
  for (let from = start + 1; ; ) {
    const quote = text.indexOf('"', from);
    let before = quote;
    while (text.charCodeAt(before - 1) === BACKSLASH) before--;
    if ((quote - before) % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}

function skipValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; ; ) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = skipString(text, at);
      if (depth === 0) return at;
    } else if (code === BRACE || code === BRACKET) {
      depth++;
      at++;
    } else if (depth === 0) {
      if (code === COMMA || code === CLOSING_BRACE || code <= 0x20) return at;
      at++;
    } else {
      at++;
      if ((code === CLOSING_BRACE || code === CLOSING_BRACKET) && --depth === 0) return at;
    }
  }
}
