/** Records whose format is not known beforehand: Flask-Session reads the configured format, then the other, then pickle. */
import { SessionDecodeError } from '../errors.ts';
import type { Codec, OpenRecord } from './codec.ts';

/**
 * Opens a record with the first codec that can read it (Flask-Session `Serializer.decode`).
 * @param codecs in the order in which they are tried; the configured format first
 * @throws SessionDecodeError when none can; its cause is the last codec's error
 */
export function openAny(record: Uint8Array, codecs: readonly Codec[]): OpenRecord {
  let cause: SessionDecodeError | undefined;
  for (const codec of codecs) {
    try {
      return codec.open(record);
    } catch (error) {
      if (!(error instanceof SessionDecodeError)) throw error;
      cause = error;
    }
  }
  throw new SessionDecodeError(`a record of none of these formats: ${codecs.map(({ name }) => name).join(', ')}`, {
    cause,
  });
}
