import { expect, test } from 'vitest';
import { Signer } from '../../src/codecs/signer.ts';
import { BadSignatureError } from '../../src/errors.ts';
import { type Bytes, loadVectors, type Named, toBytes } from './load.ts';

interface SessionIdVector extends Named {
  secret_key: Bytes;
  sid?: string;
  cookie: string;
  error?: unknown;
}

/** Flask-Session signs with SECRET_KEY alone; whether fallbacks are given too is the engine's choice. */
test.each(loadVectors<SessionIdVector>('flask_session_signer').vectors)('$name', (vector) => {
  const signer = new Signer(toBytes(vector.secret_key), { salt: 'flask-session' });
  if (vector.error) {
    expect(() => signer.unsign(vector.cookie)).toThrow(BadSignatureError);
  } else {
    expect(signer.unsign(vector.cookie)).toBe(vector.sid);
    expect(signer.sign(vector.sid as string)).toBe(vector.cookie);
  }
});
