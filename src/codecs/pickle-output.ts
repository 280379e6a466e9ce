/**
 * The bytes of a pickle of protocol 5, in the frames that CPython's C pickler makes (`_pickle.c`: `_Pickler_OpcodeBoundary`,
 * `_Pickler_CommitFrame`, `_Pickler_write_bytes`): one starts with the first opcode after the last, ends at the first value that
 * begins 64 KiB later, and is left out around fewer than 4 bytes and around text or bytes of 64 KiB and more.
 */
import { encodeText } from './pickle-text.ts';

const FRAME_TARGET = 64 * 1024;
const FRAME_LEAST = 4;
const FRAME_HEADER = 9;
const FRAME = 0x95;

/** Opcodes: length in 1, 4 or 8 bytes. */
type Sized = readonly [short: number | undefined, long: number | undefined, huge: number];
const TEXT: Sized = [0x8c, 0x58, 0x8d];
const BYTES: Sized = [0x43, 0x42, 0x8e];
const BYTEARRAY: Sized = [undefined, undefined, 0x96];

export class PickleOutput {
  private bytes = new Uint8Array(256);
  private view = new DataView(this.bytes.buffer);
  private at = 0;
  /** Where the header of the open frame is; -1: none is open. */
  private frame = -1;
  private framing = false;

  constructor() {
    this.opcode8(0x80, 5); // PROTO
    this.framing = true;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.at;
  }

  /** To be called before every value: the only places where a frame may end. */
  boundary(): void {
    if (this.frame !== -1 && this.at - this.frame - FRAME_HEADER >= FRAME_TARGET) this.commit();
  }

  opcode(code: number): void {
    this.reserve(1);
    this.bytes[this.at++] = code;
  }

  opcode8(code: number, argument: number): void {
    this.reserve(2);
    this.bytes[this.at++] = code;
    this.bytes[this.at++] = argument;
  }

  opcode16(code: number, argument: number): void {
    this.reserve(3);
    this.bytes[this.at++] = code;
    this.bytes[this.at++] = argument & 0xff;
    this.bytes[this.at++] = argument >> 8;
  }

  /** The argument is taken modulo 2^32, so it may be signed. */
  opcode32(code: number, argument: number): void {
    this.reserve(5);
    this.bytes[this.at] = code;
    this.view.setUint32(this.at + 1, argument, true);
    this.at += 5;
  }

  float(value: number): void {
    this.reserve(9);
    this.bytes[this.at] = 0x47; // BINFLOAT
    this.view.setFloat64(this.at + 1, value);
    this.at += 9;
  }

  /** @param length of what follows, up to 2^53 */
  opcode64(code: number, length: number): void {
    this.reserve(9);
    this.bytes[this.at] = code;
    this.putLength(this.at + 1, length);
    this.at += 9;
  }

  /** Bytes that belong to the opcode before them. */
  raw(data: Uint8Array): void {
    this.reserve(data.length);
    this.bytes.set(data, this.at);
    this.at += data.length;
  }

  text(text: string): void {
    // The usual text is a short ASCII key. What was written of it is overwritten when it turns out not to be.
    const { length } = text;
    if (length < 0x80) {
      this.reserve(2 + length);
      const { bytes, at } = this;
      let i = 0;
      for (; i < length; i++) {
        const code = text.charCodeAt(i);
        if (code >= 0x80) break;
        bytes[at + 2 + i] = code;
      }
      if (i === length) {
        bytes[at] = TEXT[0]!;
        bytes[at + 1] = length;
        this.at += 2 + length;
        return;
      }
    }
    this.sized(TEXT, encodeText(text));
  }

  byteString(data: Uint8Array): void {
    this.sized(BYTES, data);
  }

  byteArray(data: Uint8Array): void {
    this.sized(BYTEARRAY, data);
  }

  /** The whole pickle. */
  finish(): Uint8Array {
    this.opcode(0x2e); // STOP
    this.commit();
    return this.bytes.slice(0, this.at);
  }

  private sized([short, long, huge]: Sized, data: Uint8Array): void {
    const { framing } = this;
    if (data.length >= FRAME_TARGET) {
      this.commit();
      this.framing = false;
    }
    if (short !== undefined && data.length <= 0xff) this.opcode8(short, data.length);
    else if (long !== undefined && data.length <= 0xffffffff) this.opcode32(long, data.length);
    else this.opcode64(huge, data.length);
    this.raw(data);
    this.framing = framing;
  }

  private reserve(length: number): void {
    const header = this.framing && this.frame === -1 ? FRAME_HEADER : 0;
    const needed = this.at + header + length;
    if (needed > this.bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      larger.set(this.bytes);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    if (header > 0) {
      this.frame = this.at;
      this.at += header;
    }
  }

  private commit(): void {
    const { frame } = this;
    if (frame === -1) return;
    this.frame = -1;
    const length = this.at - frame - FRAME_HEADER;
    if (length >= FRAME_LEAST) {
      this.bytes[frame] = FRAME;
      this.putLength(frame + 1, length);
    } else {
      this.bytes.copyWithin(frame, frame + FRAME_HEADER, this.at);
      this.at -= FRAME_HEADER;
    }
  }

  private putLength(at: number, length: number): void {
    this.view.setUint32(at, length % 2 ** 32, true);
    this.view.setUint32(at + 4, Math.floor(length / 2 ** 32), true);
  }
}
