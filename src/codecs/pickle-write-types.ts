/**
 * The data types of Python that are not containers, as CPython pickles them. A `boundary` stands wherever the C pickler begins
 * a value, the inner ones included (a tuple of arguments begins where its first member does), so that frames end where they end
 * there. All return the object's place in the memo.
 */
import { SessionEncodeError } from '../errors.ts';
import { dateState, dateTimeState, isTimeDelta, type State, timeState } from './pickle-datetime.ts';
import { OPCODE, type PickleEncoder } from './pickle-encoder.ts';
import { isDecimal } from './pickle-globals.ts';
import { ByteArray, Decimal, PlainDate, PlainTime, TimeDelta, UUID } from './values.ts';

/** Undefined when the object is none of these types. */
export function writeType(encoder: PickleEncoder, value: object): number | undefined {
  if (value instanceof Uint8Array) return writeBytes(encoder, value);
  if (value instanceof Date) return writeDate(encoder, 'datetime', dateTimeState(value));
  if (value instanceof PlainDate) return writeDate(encoder, 'date', dateState(value));
  if (value instanceof PlainTime) return writeDate(encoder, 'time', timeState(value));
  if (value instanceof TimeDelta) return writeTimeDelta(encoder, value.days, value.seconds, value.microseconds);
  if (value instanceof UUID) return writeUuid(encoder, value);
  if (value instanceof Decimal) return writeDecimal(encoder, value);
  return undefined;
}

export function writeMarkup(encoder: PickleEncoder, html: string): number {
  encoder.class('markupsafe', 'Markup', true);
  // The text is a copy, which only the empty one does not need.
  if (html === '') encoder.text(html);
  else encoder.ownText(html);
  encoder.tuple(1);
  return encoder.construct(OPCODE.newObject);
}

function writeDecimal(encoder: PickleEncoder, { text }: Decimal): number {
  if (!isDecimal(text)) throw new SessionEncodeError('pickle: a malformed Decimal');
  encoder.class('decimal', 'Decimal', false);
  encoder.ownText(text);
  encoder.tuple(1);
  return encoder.construct(OPCODE.reduce);
}

function writeBytes(encoder: PickleEncoder, bytes: Uint8Array): number {
  const { out } = encoder;
  if (bytes instanceof ByteArray) {
    out.byteArray(bytes);
    return encoder.memoize();
  }
  // CPython has one object for no bytes, and one for each single byte.
  const singleton = bytes.length <= 1 ? `bytes ${bytes.join()}` : undefined;
  const known = singleton === undefined ? undefined : encoder.referTo(singleton);
  if (known !== undefined) return known;
  out.byteString(bytes);
  return singleton === undefined ? encoder.memoize() : encoder.memoizeAs(singleton);
}

function writeDate(encoder: PickleEncoder, name: 'datetime' | 'date' | 'time', { bytes, offset }: State): number {
  const { out } = encoder;
  encoder.class('datetime', name, false);
  out.boundary();
  out.byteString(bytes);
  encoder.memoize();
  if (offset !== null) writeZone(encoder, offset);
  encoder.tuple(offset === null ? 1 : 2);
  return encoder.construct(OPCODE.reduce);
}

/** `timezone.utc` exists once in CPython; other zones are made anew for each value. */
function writeZone(encoder: PickleEncoder, offset: number): void {
  const { out } = encoder;
  const utc = offset === 0;
  out.boundary();
  if (utc && encoder.referTo('timezone.utc') !== undefined) return;
  encoder.class('datetime', 'timezone', false);
  writeTimeDelta(encoder, offset < 0 ? -1 : 0, offset < 0 ? offset + 86_400 : offset, 0);
  encoder.tuple(1);
  out.opcode(OPCODE.reduce);
  if (utc) encoder.memoizeAs('timezone.utc');
  else encoder.memoize();
}

function writeTimeDelta(encoder: PickleEncoder, days: number, seconds: number, microseconds: number): number {
  if (!isTimeDelta(days, seconds, microseconds)) throw new SessionEncodeError('pickle: a malformed timedelta');
  encoder.class('datetime', 'timedelta', false);
  for (const part of [days, seconds, microseconds]) {
    encoder.out.boundary();
    encoder.int(part);
  }
  encoder.tuple(3);
  return encoder.construct(OPCODE.reduce);
}

/** Its state is set after it was made, from a dict as its `__getstate__` returns it. */
function writeUuid(encoder: PickleEncoder, uuid: UUID): number {
  const { out } = encoder;
  encoder.class('uuid', 'UUID', true);
  encoder.emptyTuple();
  const index = encoder.construct(OPCODE.newObject);
  out.boundary();
  out.opcode(OPCODE.emptyDict);
  encoder.memoize();
  encoder.text('int');
  out.boundary();
  encoder.int(BigInt(`0x${uuid.hex}`));
  out.opcode(OPCODE.setItem);
  out.opcode(OPCODE.build);
  return index;
}
