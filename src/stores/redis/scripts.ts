/**
 * What the server does in one step, in Lua. Each script uses one key, so it runs on any node of a cluster that has it, and
 * commands that Redis has had since version 5.
 *
 * `ARGV[1]` is the caller's clock, in milliseconds since 1970. Deadlines are the caller's, and Redis counts by its own clock.
 * Where the two are further apart than a slow network explains, deadlines are moved by the difference, so that a record
 * lives as long as it was meant to; where they are not, a deadline is kept to the millisecond.
 */
import { createHash } from 'node:crypto';

export interface Script {
  readonly source: string;
  /** By which the server knows it once it was sent: lower-case hex SHA-1 of the source. */
  readonly sha: string;
}

/** Milliseconds by which the clocks may differ and count as the same. */
const SAME_CLOCK = 2000;

/**
 * `deadline()`: nil when there is no live record, -1 when it lives for ever. By the caller's clock, because a record that has
 * expired by it does not exist. PEXPIRETIME is there since Redis 7; before, the remaining time says the same, to a millisecond.
 */
const CLOCK = `
local key, now = KEYS[1], tonumber(ARGV[1])
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
local ahead = clock - now
if math.abs(ahead) < ${SAME_CLOCK} then ahead = 0 end
local function deadline()
  local at = redis.pcall('PEXPIRETIME', key)
  if type(at) ~= 'number' then
    at = redis.call('PTTL', key)
    if at >= 0 then at = at + clock end
  end
  if at == -1 then return at end
  at = at - ahead
  if at > now then return at end
end
local function expire(at)
  return redis.call('PEXPIREAT', key, string.format('%.0f', at + ahead))
end`;

/** Answers nil, or the record and its deadline. */
export const READ = script(`${CLOCK}
local at = deadline()
local record = at and redis.call('GET', key)
if record then return {record, at} end
return false`);

/**
 * `ARGV[2]`: the deadline, `never`, or `delete`. `ARGV[3]`: the record. `ARGV[4]`: what is expected; absent: nothing.
 * Answers 1 when written, 0 when what was expected is gone, or the record that is there and its deadline.
 */
export const WRITE = script(`${CLOCK}
local at = deadline()
local record = at and redis.call('GET', key)
local expected = ARGV[4]
if record then
  if record ~= expected then return {record, at} end
elseif expected then
  return 0
end
if ARGV[2] ~= 'delete' then
  redis.call('SET', key, ARGV[3])
  if ARGV[2] ~= 'never' then expire(tonumber(ARGV[2])) end
elseif record then
  redis.call('DEL', key)
end
return 1`);

/** `ARGV[2]`: the deadline, or `never`. Answers 1, or 0 when there is nothing. The record itself is not looked at. */
export const TOUCH = script(`${CLOCK}
if not deadline() then return 0 end
if ARGV[2] == 'never' then redis.call('PERSIST', key) else expire(tonumber(ARGV[2])) end
return 1`);

function script(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}
