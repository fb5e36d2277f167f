import type { Redis } from 'ioredis';

/*
 * Scripts that handle many keys of a run in one step. One command per key costs this side far more than Redis: an object, a
 * promise and an answer each.
 */

/** Maximum number of keys per script: Redis does nothing else meanwhile, and Lua cannot unpack many more. */
const AT_ONCE = 1000;

const EXPIRE = `for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[1]) end`;

/** Returns the positions, from 0, of keys that do not exist. */
const FIND_MISSING = `
local missing = {}
for at, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 0 then missing[#missing + 1] = at - 1 end
end
return missing`;

/**
 * Reads an event stream. Returns how many events were read, the id of the last one, and for each event with results of a job its
 * kind, the job and the value.
 */
const READ_NEWS = `
local values = { completed = 'returnvalue', failed = 'failedReason', progress = 'data' }
local reply = redis.call('XREAD', 'COUNT', ARGV[2], 'STREAMS', KEYS[1], ARGV[1])
local events = reply and reply[1][2] or {}
local found = { #events, ARGV[1] }
for _, entry in ipairs(events) do
  found[2] = entry[1]
  local fields = entry[2]
  local field = fields[1] == 'event' and values[fields[2]]
  if field then
    local job, value = '', ''
    for at = 3, #fields, 2 do
      if fields[at] == 'jobId' then job = fields[at + 1] end
      if fields[at] == field then value = fields[at + 1] end
    end
    found[#found + 1] = fields[2]
    found[#found + 1] = job
    found[#found + 1] = value
  end
end
return found`;

/** @returns the positions of keys that do not exist */
export async function findMissing(client: Redis, keys: readonly string[]): Promise<number[]> {
    const missing: number[] = [];
    for (let from = 0; from < keys.length; from += AT_ONCE) {
        const some = keys.slice(from, from + AT_ONCE);
        const found = (await client.eval(FIND_MISSING, some.length, ...some)) as readonly number[];
        for (const at of found) missing.push(from + at);
    }
    return missing;
}

/** Sets keys to expire in `seconds` seconds. */
export async function expireKeys(client: Redis, keys: readonly string[], seconds: number): Promise<void> {
    for (let from = 0; from < keys.length; from += AT_ONCE) {
        const some = keys.slice(from, from + AT_ONCE);
        await client.eval(EXPIRE, some.length, ...some, seconds);
    }
}

/** News of a job. */
export type JobUpdate =
    /** The return value of its worker, as JSON. */
    | { readonly job: string; readonly returned: string }
    /** The job continues, and some of its tasks have ended; the value is what it would return now, as JSON. */
    | { readonly job: string; readonly told: string }
    /** BullMQ gave the job up. */
    | { readonly job: string; readonly failed: string };

/**
 * Reads results of jobs from BullMQ's event stream of a queue. Most events are of other kinds and are not transferred.
 * @param after id of the last event already read
 */
export async function readNews(
    client: Redis,
    stream: string,
    after: string,
): Promise<{ readonly last: string; readonly jobs: readonly JobUpdate[]; readonly isAll: boolean }> {
    const [count, last, ...news] = (await client.eval(READ_NEWS, 1, stream, after, AT_ONCE)) as readonly [
        number,
        string,
        ...string[],
    ];
    const jobs: JobUpdate[] = [];
    for (let at = 0; at < news.length; at += 3) {
        const [kind, job = '', value = ''] = news.slice(at, at + 3);
        if (kind === 'completed') jobs.push({ job, returned: value });
        else if (kind === 'progress') jobs.push({ job, told: value });
        else jobs.push({ job, failed: value });
    }
    return { last, jobs, isAll: count < AT_ONCE };
}
