/** What is asked of DynamoDB, in its language of expressions. `:now` is in real seconds of UTC. */
import type { Attribute } from './client.ts';
import { toSeconds } from './item.ts';

interface Condition {
  readonly ConditionExpression: string;
  readonly values: Readonly<Record<string, Attribute>>;
}

const LIVE = '(attribute_not_exists(expiration) OR expiration > :now)';
const EXPIRED = 'expiration <= :now';

/** Nothing is there: nothing at all, or nothing that is alive. */
export function absent(now: number): Condition {
  return { ConditionExpression: `attribute_not_exists(id) OR ${EXPIRED}`, values: { ':now': toSeconds(now) } };
}

/** Exactly these bytes are there, and alive. */
export function same(expected: Uint8Array, now: number): Condition {
  return {
    ConditionExpression: `val = :expected AND ${LIVE}`,
    values: { ':expected': { B: expected }, ':now': toSeconds(now) },
  };
}

export function alive(now: number): Condition {
  return { ConditionExpression: `attribute_exists(id) AND ${LIVE}`, values: { ':now': toSeconds(now) } };
}

export function expired(now: number): Condition {
  return { ConditionExpression: EXPIRED, values: { ':now': toSeconds(now) } };
}

/** Sets the deadline, and the record where there is one to set: Flask-Session's own expression. Never: no deadline. */
export function update(expiresAt: number, record?: Uint8Array) {
  const never = expiresAt >= Number.MAX_SAFE_INTEGER;
  const sets = [...(record ? ['val = :value'] : []), ...(never ? [] : ['expiration = :exp'])];
  const parts = [...(sets.length > 0 ? [`SET ${sets.join(', ')}`] : []), ...(never ? ['REMOVE expiration'] : [])];
  return {
    UpdateExpression: parts.join(' '),
    values: { ...(record && { ':value': { B: record } }), ...(!never && { ':exp': toSeconds(expiresAt) }) },
  };
}
