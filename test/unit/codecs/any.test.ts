import { expect, test } from 'vitest';
import { openAny } from '../../../src/codecs/any.ts';
import { json } from '../../../src/codecs/json.ts';
import { taggedJson } from '../../../src/codecs/tagged-json.ts';
import { SessionDecodeError } from '../../../src/errors.ts';
import { bytes } from './json-values.ts';

test('the first codec that can read a record reads it', () => {
  const record = bytes('{"a":{" t":[1]}}');
  expect(openAny(record, [json, taggedJson]).get('a')).toEqual({ ' t': [1] });
  expect(openAny(record, [taggedJson, json]).get('a')).toEqual([1]);
  expect(openAny(bytes('{"a":NaN}'), [json, taggedJson]).get('a')).toBeNaN();
});

test('when none can, the last reason is the cause', () => {
  const error = (() => {
    try {
      return openAny(bytes('[1]'), [json, taggedJson]);
    } catch (caught) {
      return caught as SessionDecodeError;
    }
  })();
  expect(error).toBeInstanceOf(SessionDecodeError);
  expect((error as SessionDecodeError).message).toBe('a record of none of these formats: json, tagged-json');
  expect((error as SessionDecodeError).cause).toBeInstanceOf(SessionDecodeError);
  expect(() => openAny(bytes('{}'), [])).toThrow(SessionDecodeError);
});

test('an error that is no decoding error is a bug, and is not swallowed', () => {
  const broken = {
    ...json,
    open: () => {
      throw new TypeError('a bug');
    },
  };
  expect(() => openAny(bytes('{}'), [broken, json])).toThrow(TypeError);
});
