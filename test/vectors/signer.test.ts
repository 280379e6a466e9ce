import { expect, test } from 'vitest';
import { type Digest, type KeyDerivation, Signer } from '../../src/codecs/signer.ts';
import { BadSignatureError } from '../../src/errors.ts';
import { differs } from './differences.ts';
import { type Bytes, loadVectors, type Named, toBytes } from './load.ts';

interface SignerVector extends Named {
  op: 'sign' | 'unsign';
  keys: Bytes[];
  salt: Bytes;
  sep: string;
  key_derivation: KeyDerivation;
  digest: Digest;
  /** sign */
  signed?: Bytes;
  value?: Bytes;
  /** unsign */
  input?: Bytes;
  class?: 'canonical' | 'bad' | 'malleable';
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test.each(loadVectors<SignerVector>('signer').vectors)('$name', (vector) => {
  const signer = new Signer(vector.keys.map(toBytes), {
    salt: toBytes(vector.salt),
    separator: vector.sep,
    keyDerivation: vector.key_derivation,
    digest: vector.digest,
  });

  if (vector.op === 'sign') {
    const { value, signed } = vector as Required<SignerVector>;
    expect(hex(signer.sign(toBytes(value)))).toBe(hex(toBytes(signed)));
    if ('utf8' in value && 'utf8' in signed) expect(signer.sign(value.utf8)).toBe(signed.utf8);
    return;
  }

  const input = vector.input as Bytes;
  if (vector.class === 'canonical') {
    const value = vector.value as Bytes;
    expect(hex(signer.unsign(toBytes(input)))).toBe(hex(toBytes(value)));
    if ('utf8' in input && 'utf8' in value) expect(signer.unsign(input.utf8)).toBe(value.utf8);
    return;
  }
  if (vector.class === 'malleable') {
    differs('signer', vector.name, 'S-MALLEABLE', 'a spelling of the signature that Python never writes is refused');
  }
  expect(() => signer.unsign(toBytes(input))).toThrow(BadSignatureError);
  if ('utf8' in input) expect(() => signer.unsign(input.utf8)).toThrow(BadSignatureError);
});
