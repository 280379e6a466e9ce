import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SignedId, secretsFrom } from '../../../src/connect/signed-id.ts';

// Made by express-session 1.18 with the secret `keyboard cat`.
const VECTOR = 's%3AQk_XT2K7-clT-x1tVvoY6tIQ83iP72KN.pctuwbDV%2B7pW8c6WglUViNoM7wNGBZ44tqAfDgf0Dqk';

test('the vector', () => {
  expect(new SignedId(['keyboard cat'], 's:').read(VECTOR)).toBe('Qk_XT2K7-clT-x1tVvoY6tIQ83iP72KN');
  expect(new SignedId(['keyboard dog'], 's:').read(VECTOR)).toBeUndefined();
  expect(new SignedId(['keyboard cat'], '').read(VECTOR)).toBeUndefined();
  expect(new SignedId(['keyboard cat'], 's:', 'sha1').read(VECTOR)).toBeUndefined();
});

test('any of the secrets, which may be bytes', () => {
  const bytes = new TextEncoder().encode('keyboard cat');
  expect(new SignedId(['a', bytes, 'b'], 's:').read(VECTOR)).toBeDefined();
});

describe('no other text than the one that was signed', () => {
  const ids = new SignedId(['keyboard cat'], 's:');
  const text = decodeURIComponent(VECTOR);
  test('each character of it matters', () => {
    expect(ids.read(text)).toBeDefined();
    for (let i = 0; i < text.length; i++) {
      for (const other of ['A', 'B', '.', '%', '\0', '']) {
        const changed = text.slice(0, i) + other + text.slice(i + 1);
        if (changed !== text) expect(ids.read(changed)).toBeUndefined();
      }
    }
  });
  test.each(['', '.', 's:', 's:.', 's', '%', '%%%', '%73:', '\ud800', 's:\ud800.x'])('%j', (hostile) => {
    expect(ids.read(hostile)).toBeUndefined();
  });
  test('more than browsers keep is not looked at', () => {
    const id = 'x'.repeat(4000);
    const long = `s:${id}.${createHmac('sha256', 'keyboard cat').update(id).digest('base64').slice(0, 43)}`;
    expect(ids.read(long)).toHaveLength(4000);
    expect(ids.read(long.padEnd(4097, 'x'))).toBeUndefined();
  });
});

test.each([[undefined], [''], [[]], [['']], [['a', '']], [42], [[null]], [{ sign() {}, unsign() {} }]])(
  'a secret that is none is refused, and not shown: %j',
  (given) => {
    expect(() => secretsFrom('secret', given)).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_CONFIG', option: 'secret' }),
    );
  },
);
