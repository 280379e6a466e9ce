/**
 * What one request knows of a session: the record as it was read, and the operations done since. Nothing here is written
 * over anything: a commit applies the operations to whatever the record is by then.
 */
import { type OpenRecord, type Patch, REMOVED } from '../codecs/codec.ts';
import { Float } from '../codecs/values.ts';
import { SessionDecodeError, SessionReadOnlyError } from '../errors.ts';
import { EXPIRY, type OwnExpiry, recordedExpiry } from './expiry.ts';
import { EMPTY } from './plain-record.ts';

export type Update = (current: never) => unknown;

type Operation =
  | { readonly kind: 'set'; value: unknown }
  | { readonly kind: 'delete' }
  /** `value` is the result on the record as read; `steps` make it again on another record. */
  | { readonly kind: 'update'; value: unknown; steps: Update[] };

/** Keys that belong to the session system, beside that of expiry.ts. `_permanent` and `_flashes` are Flask's. */
export const PERMANENT = '_permanent';
/** When the session began, in seconds since 1970. Only in the secure profile; handlers do not see it. */
export const CREATED = '_created';

/** What the interface does for a session while a handler runs. */
export interface SessionHooks {
  /** Reads a record that was not read at opening. May throw SessionNotLoadedError. */
  readNow?(): void;
  /** Called when the record turns out to be unreadable while it is being used. */
  undecodable?(cause: unknown): void;
  /** Called after each change once the response's headers have left. May throw SessionHeadersSentError. */
  late?(): void;
}

export class SessionState {
  isNew = true;
  accessed = false;
  modified = false;
  /** Set by `destroy`: the record is to go, whatever else the request did before. */
  destroyed = false;
  /** Why writing is refused, if it is. */
  readOnly: string | undefined;
  hooks: SessionHooks | undefined;
  /** Whether `_created` is this session's own, which no handler can set. */
  keepsCreated = false;
  /** What `clear` makes of `_permanent`: Flask-Session's leaves it in place, Flask's drops it with the rest. */
  permanentAfterClear: 'as-before' | 'set' | 'none' = 'none';

  #base: OpenRecord = EMPTY;
  /** Opens the record that a commit of this request wrote, should anything more be asked of it. */
  #reopen: (() => OpenRecord) | undefined;
  #unread = false;
  #cleared = false;
  #nested = false;
  readonly #operations = new Map<string, Operation>();
  /** The operations as of the last `patch`, with the number of steps that each update had by then. */
  #taken: ReadonlyMap<string, { readonly operation: Operation; readonly steps: number }> = new Map();
  #clears = 0;
  #takenClears = 0;
  /** Counts how often everything was dropped: a commit that began before knows nothing of this session. */
  #epoch = 0;
  #takenEpoch = 0;
  readonly #moved = new Set<string>();
  /** Objects of the base that a handler holds, and may have changed in place. */
  readonly #lent = new Map<string, unknown>();

  /** The record that the operations are on. Reads it first where that was put off. */
  get base(): OpenRecord {
    if (this.#unread) {
      this.#unread = false;
      try {
        this.hooks?.readNow?.();
      } catch (error) {
        this.#unread = true;
        throw error;
      }
    }
    if (this.#reopen) {
      this.#base = this.#reopen();
      this.#reopen = undefined;
    }
    return this.#base;
  }

  /** Begins on, or goes over to, another record. Operations stay. */
  rebase(base: OpenRecord): void {
    // Objects that a handler changed in place are changes to the former record: they are made operations while it is here.
    if (this.#lent.size > 0) this.settle();
    this.#base = base;
    this.#reopen = undefined;
    this.#unread = false;
    // What a handler holds of a value that is another by now is no longer a value of this session.
    for (const [key, value] of this.#lent) if (!base.same(key, value)) this.#lent.delete(key);
    for (const [key, operation] of this.#operations) {
      if (operation.kind === 'update') operation.value = runAll(operation.steps, unwrap(base.get(key)));
    }
  }

  /** Puts reading off until something is asked: `hooks.readNow` is then called, and calls `rebase`. */
  postpone(): void {
    this.#unread = true;
  }

  get loaded(): boolean {
    return !this.#unread;
  }

  get(key: string): unknown {
    const operation = this.#operations.get(key);
    if (operation) return operation.kind === 'delete' ? undefined : unwrap(operation.value);
    const { base } = this;
    if (this.#cleared) return undefined;
    const lent = this.#lent.get(key);
    if (lent !== undefined) return lent;
    const value = this.#read(base, key);
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof Float) return value.value;
    this.#lent.set(key, value);
    return value;
  }

  /** A value that cannot be decoded makes the whole session a fresh one: half a session is none. */
  #read(base: OpenRecord, key: string): unknown {
    try {
      return base.get(key);
    } catch (error) {
      if (!(error instanceof SessionDecodeError)) throw error;
      this.hooks?.undecodable?.(error);
      return this.#base.get(key);
    }
  }

  has(key: string): boolean {
    const operation = this.#operations.get(key);
    if (operation) return isSet(operation);
    const { base } = this;
    return !this.#cleared && base.has(key);
  }

  /** The session's own end, when it has one. */
  get expiry(): OwnExpiry | undefined {
    return recordedExpiry(this);
  }

  /** In Python's dict order. */
  keys(): string[] {
    const { base } = this;
    const keys: string[] = [];
    if (!this.#cleared) {
      for (const key of base.keys()) {
        if ((key === CREATED && this.keepsCreated) || this.#moved.has(key)) continue;
        const operation = this.#operations.get(key);
        if (!operation || isSet(operation)) keys.push(key);
      }
    }
    for (const [key, operation] of this.#operations) {
      if (!isSet(operation) || (key === CREATED && this.keepsCreated)) continue;
      if (this.#cleared || this.#moved.has(key) || !base.has(key)) keys.push(key);
    }
    return keys;
  }

  set(key: string, value: unknown): void {
    this.#write();
    if (key === CREATED && this.keepsCreated) return;
    if (value === undefined) {
      this.#remove(key);
      return;
    }
    this.#put(key, { kind: 'set', value });
  }

  /** True when the key was there. A delete of nothing is not a change. */
  delete(key: string): boolean {
    if (!this.has(key) || (key === CREATED && this.keepsCreated)) return false;
    this.#write();
    this.#remove(key);
    return true;
  }

  #remove(key: string): void {
    this.#operations.delete(key);
    this.#operations.set(key, { kind: 'delete' });
    this.#changed();
  }

  #put(key: string, operation: Operation): void {
    if (this.#operations.get(key)?.kind === 'delete') {
      this.#operations.delete(key);
      if (!this.#cleared && this.base.has(key)) this.#moved.add(key);
    }
    this.#operations.set(key, operation);
    this.#changed();
  }

  update(key: string, step: Update): unknown {
    this.#write();
    if (key === CREATED && this.keepsCreated) return undefined;
    const before = this.#operations.get(key);
    // Changed in place before: then the step is upon this very value, wherever it is run.
    const touched = this.#lent.has(key) && !this.base.same(key, this.#lent.get(key));
    const value = run(step, this.get(key));
    // Upon a value that this request set itself, the step is no more than another way to say which value.
    if (before?.kind === 'update') {
      before.value = value;
      before.steps.push(step);
      this.#changed();
    } else if (before || this.#cleared || touched) this.#put(key, { kind: 'set', value });
    else this.#put(key, { kind: 'update', value, steps: [step] });
    return value;
  }

  clear(): void {
    this.#write();
    const permanent =
      this.permanentAfterClear === 'as-before' ? Boolean(this.get(PERMANENT)) : this.permanentAfterClear === 'set';
    const created = this.keepsCreated ? this.get(CREATED) : undefined;
    this.#forget();
    this.#cleared = true;
    this.#clears++;
    if (created !== undefined) this.#operations.set(CREATED, { kind: 'set', value: created });
    if (this.permanentAfterClear !== 'none') this.#operations.set(PERMANENT, { kind: 'set', value: permanent });
    this.#changed();
  }

  /** Sets without counting as a change of the handler's. */
  stamp(key: string, value: unknown): void {
    this.#operations.set(key, { kind: 'set', value });
  }

  /** @throws SessionReadOnlyError */
  requireWritable(): void {
    if (this.readOnly !== undefined) throw new SessionReadOnlyError(this.readOnly);
  }

  #write(): void {
    // First: whether a session is read-only may turn out when its store is read.
    if (this.#unread) void this.base;
    this.requireWritable();
    this.hooks?.late?.();
  }

  #changed(): void {
    this.modified = true;
  }

  /** Drops every operation: the session is what the base says. */
  reset(base: OpenRecord): void {
    this.#epoch++;
    this.#drop(base);
  }

  #drop(base: OpenRecord): void {
    this.#forget();
    this.#cleared = false;
    this.#nested = false;
    this.#base = base;
    this.#reopen = undefined;
    this.#unread = false;
  }

  #forget(): void {
    this.#operations.clear();
    this.#moved.clear();
    this.#lent.clear();
  }

  /**
   * Turns objects that were changed in place into operations.
   * @returns whether there are any such changes that no commit has taken
   */
  settle(): boolean {
    for (const [key, value] of this.#lent) {
      if (this.#operations.has(key) || this.base.same(key, value)) continue;
      this.#operations.set(key, { kind: 'set', value });
      this.#nested = true;
    }
    return this.#nested;
  }

  get hasOperations(): boolean {
    return this.#cleared || this.#operations.size > 0;
  }

  /** No key but those of the session system itself: such a session is not worth a record. */
  isEmpty(systemCounts = false): boolean {
    for (const key of this.keys()) if (systemCounts || (key !== PERMANENT && key !== EXPIRY)) return false;
    return true;
  }

  /** What a commit is to apply. What is done after this call is not part of it, and is still there after `committed`. */
  patch(): Patch {
    this.#taken = new Map(
      [...this.#operations].map(([key, operation]) => [key, { operation, steps: stepsOf(operation).length }]),
    );
    this.#takenClears = this.#clears;
    this.#takenEpoch = this.#epoch;
    const entries = new Map<string, unknown>();
    for (const [key, operation] of this.#operations) {
      entries.set(key, isSet(operation) ? operation.value : REMOVED);
    }
    return { cleared: this.#cleared, entries, moved: new Set(this.#moved) };
  }

  /** The record now is what the last `patch` made of it. Objects set by a handler may still be changed by it. */
  committed(reopen: () => OpenRecord): void {
    if (this.#epoch !== this.#takenEpoch) return;
    const newer = [...this.#operations].filter(([key, operation]) => {
      const taken = this.#taken.get(key);
      if (taken?.operation === operation) stepsOf(operation).splice(0, taken.steps);
      return taken?.operation !== operation || stepsOf(operation).length > 0;
    });
    const clearedSince = this.#clears !== this.#takenClears;
    const held = this.#cleared ? new Map<string, unknown>() : new Map(this.#lent);
    for (const [key, operation] of this.#operations) {
      if (isSet(operation) && typeof operation.value === 'object' && operation.value !== null)
        held.set(key, operation.value);
      else held.delete(key);
    }
    this.#drop(EMPTY);
    this.#reopen = reopen;
    this.#cleared = clearedSince;
    for (const [key, value] of held) this.#lent.set(key, value);
    for (const [key, operation] of newer) this.#operations.set(key, operation);
  }
}

/** An update that answered undefined leaves no key behind. */
function isSet(operation: Operation): operation is Operation & { value: unknown } {
  return operation.kind !== 'delete' && operation.value !== undefined;
}

function stepsOf(operation: Operation): Update[] {
  return operation.kind === 'update' ? operation.steps : [];
}

function unwrap(value: unknown): unknown {
  return value instanceof Float ? value.value : value;
}

function run(step: Update, current: unknown): unknown {
  const value = (step as (current: unknown) => unknown)(current);
  if (value instanceof Promise) {
    value.catch(() => {});
    throw new TypeError(
      'session.update: the function must answer at once, not with a promise (it may have to run again)',
    );
  }
  return value;
}

function runAll(steps: readonly Update[], current: unknown): unknown {
  return steps.reduce((value, step) => run(step, value), current);
}
