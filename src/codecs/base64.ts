/**
 * URL-safe base64 without padding, in the one spelling that an encoder writes. Python's decoder takes many spellings of the
 * same bytes (padding, unused bits, foreign characters); none of them is accepted here, so that one value has one text.
 */

/** RFC 4648 section 5 text of the bytes, padding removed (itsdangerous `base64_encode`). */
export function encodeBase64(bytes: Uint8Array): string {
  return view(bytes).toString('base64url');
}

/** The bytes, or undefined when the text is not exactly what {@link encodeBase64} writes for them. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64url');
  // The platform's decoder is lenient too. Writing its answer again costs less than checking each character.
  return bytes.toString('base64url') === text ? bytes : undefined;
}

/** The same memory with Buffer's methods. */
export function view(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
