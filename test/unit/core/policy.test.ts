import { describe, expect, it } from 'vitest';
import { decide, type Facts, type Rules } from '../../../src/core/policy.ts';

const nothing: Facts = {
  accessed: false,
  modified: false,
  pending: false,
  nested: false,
  empty: false,
  isNew: false,
  permanent: false,
  endChanged: false,
  ownIdleTime: false,
  offered: true,
  ended: false,
  renamed: false,
  reissue: false,
  due: false,
};
const flask: Rules = { refresh: 'always', flask: true, inCookie: false, rolling: true };
const flaskOff: Rules = { refresh: 'never', flask: true, inCookie: false, rolling: true };
const flaskCookie: Rules = { refresh: 'always', flask: true, inCookie: true, rolling: true };
const secure: Rules = { refresh: 0.1, flask: false, inCookie: false, rolling: false };
const rolling: Rules = { ...secure, rolling: true };

/** data, cookie, vary */
const table: [string, Rules, Partial<Facts>, string][] = [
  ['Flask-Session refreshes an untouched session', flask, {}, 'touch keep -'],
  ['and its cookie, when permanent', flask, { permanent: true }, 'touch set vary'],
  ['but not without SESSION_REFRESH_EACH_REQUEST', flaskOff, { permanent: true }, 'keep keep -'],
  ['Flask-Session sends the cookie of a changed session', flask, { accessed: true, modified: true }, 'write set vary'],
  ['Flask-Session stores a nested change without a cookie', flask, { accessed: true, nested: true }, 'write keep vary'],
  [
    'Flask-Session deletes an emptied session',
    flask,
    { accessed: true, modified: true, empty: true },
    'delete clear vary',
  ],
  [
    'and clears the cookie of a new one that was emptied',
    flask,
    { modified: true, empty: true, isNew: true, offered: false, accessed: true },
    'keep clear vary',
  ],
  [
    '`modified = false` keeps what was set out of the record',
    flaskOff,
    { accessed: true, pending: true },
    'keep keep vary',
  ],
  ['unless every request writes', flask, { accessed: true, pending: true }, 'write keep vary'],
  ['Flask’s cookie is sent again when permanent', flaskCookie, { permanent: true }, 'touch set vary'],
  ['and with a nested change', flaskCookie, { accessed: true, nested: true }, 'write set vary'],
  ['a new empty session leaves no trace', secure, { isNew: true, empty: true, offered: false }, 'keep keep -'],
  [
    'not even when it was cleared',
    secure,
    { isNew: true, empty: true, offered: false, modified: true, accessed: true },
    'keep keep vary',
  ],
  [
    'a new session gets a cookie',
    secure,
    { isNew: true, modified: true, accessed: true, offered: false },
    'write set vary',
  ],
  ['an old one keeps its own', secure, { modified: true, accessed: true }, 'write keep vary'],
  ['reading alone does nothing', secure, { accessed: true }, 'keep keep vary'],
  ['until a share of the lifetime has passed', secure, { accessed: true, due: true }, 'touch keep vary'],
  [
    'regenerate writes, and sends the new id',
    secure,
    { accessed: true, modified: true, renamed: true },
    'write set vary',
  ],
  [
    'destroy deletes and clears',
    secure,
    { accessed: true, modified: true, ended: true, empty: true, isNew: true },
    'delete clear vary',
  ],
  [
    'a cookie that ends with idleness moves along',
    rolling,
    { accessed: true, due: true, permanent: true },
    'touch set vary',
  ],
  ['and with what is written', rolling, { accessed: true, modified: true, permanent: true }, 'write set vary'],
  [
    'so does that of a session with an idle time of its own',
    secure,
    { accessed: true, due: true, permanent: true, ownIdleTime: true },
    'touch set vary',
  ],
  ['unless it ends with the browser’s', secure, { accessed: true, due: true, ownIdleTime: true }, 'touch keep vary'],
  ['"remember me" sends the cookie', secure, { accessed: true, modified: true, endChanged: true }, 'write set vary'],
  ['an old key’s cookie is issued again', secure, { accessed: true, reissue: true }, 'keep set vary'],
];

describe('decide', () => {
  it.each(table)('%s', (_name, rules, facts, expected) => {
    const { data, cookie, vary } = decide({ ...nothing, ...facts }, rules);
    expect(`${data} ${cookie} ${vary ? 'vary' : '-'}`).toBe(expected);
  });
});
