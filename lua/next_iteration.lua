--[[ next_iteration: plans what follows the iterations of job schedulers that a worker has just taken.
lib/spec/bullmq.md §§9.3, 9.6. Done twice it changes nothing more: an iteration is planned by the one before
it only.

KEYS  1 base
ARGV  1 now (ms)  2 '1': strict, as the reference where it loses work (A.4, 8)
      then 12 for each job: id, scheduler id, every (ms; '': a pattern), next run of the pattern (ms), offset
      (ms), data (JSON), opts of the next iteration (JSON without the last brace), scheduler id as JSON,
      priority, LPUSH or RPUSH; and for a scheduler id of the legacy shape, else '': next run of the legacy
      repeatable (ms), prefix of its jobs' ids
Result  for each job 1: planned, 0: nothing to plan, -1: a legacy repeatable that is not continued; or an
        error ]]
--- keys 1
--- include "iteration"

local q = queue_at(KEYS[1])
local now, strict = tonumber(ARGV[1]), ARGV[2] == '1'
local FIRST, STEP = 3, 12
local PLANNED, NOTHING, NOT_CONTINUED = 1, 0, -1

local function read_job(at)
    return {
        id = ARGV[at], sid = ARGV[at + 1], every = tonumber(ARGV[at + 2]), next = tonumber(ARGV[at + 3]),
        offset = number_or_zero(ARGV[at + 4]), data = ARGV[at + 5], opts = ARGV[at + 6],
        quoted_sid = ARGV[at + 7], priority = number_or_zero(ARGV[at + 8]), push = ARGV[at + 9],
        legacy_next = tonumber(ARGV[at + 10]), legacy_prefix = ARGV[at + 11]
    }
end

local function exists(id)
    if call('EXISTS', q.base .. id) == 0 then
        return false
    end
    emit_trimmed(q, 'duplicated', 'jobId', id)
    return true
end

-- As the 5.x line: the job after carries the data of the one before.
local function continue_legacy(job, name)
    local id = job.legacy_prefix .. whole(job.legacy_next)
    call('ZADD', q['repeat'], job.legacy_next, job.sid)
    max_events(q)
    if exists(id) then
        return NOTHING
    end
    add_iteration(q, job.sid, job.legacy_next, now, {
        id_prefix = job.legacy_prefix, opts = job.opts, prev_millis = true, name = name, data = job.data,
        priority = job.priority, push = job.push
    })
    return PLANNED
end

local function plan(job)
    local prev = tonumber(call('ZSCORE', q['repeat'], job.sid))
    if not prev then
        return NOTHING
    end
    local hash = q['repeat'] .. ':' .. job.sid
    local f = call('HMGET', hash, 'name', 'data', 'every', 'startDate', 'offset', 'ic')
    local name = f[1] or call('HGET', q.base .. job.id, 'name') or ''
    if job.legacy_next and not f[6] then
        if strict then
            return NOT_CONTINUED
        end
        local last = ':' .. whole(prev) -- the prefix differs with the line that made the job
        return job.id:sub(-#last) == last and continue_legacy(job, name) or NOTHING
    end

    local id_prefix = 'repeat:' .. job.sid .. ':'
    if job.id ~= id_prefix .. whole(prev) then
        return NOTHING
    end
    local every = tonumber(f[3]) or job.every
    local next = job.next
    if every then
        next = every_next(prev, every, now, tonumber(f[5]) or job.offset, tonumber(f[4]))
    end
    if not next then
        return NOTHING
    end
    max_events(q)
    if exists(id_prefix .. whole(next)) then
        return NOTHING
    end
    local data = f[2]
    -- A legacy repeatable has its data in its jobs only: they are kept from now on.
    if not data and not f[6] and not strict then
        data = job.data
        if data ~= '{}' then
            call('HSET', hash, 'data', data)
        end
    end
    call('ZADD', q['repeat'], next, job.sid)
    call('HINCRBY', hash, 'ic', 1)
    add_iteration(q, job.sid, next, now, {
        id_prefix = id_prefix, quoted_sid = job.quoted_sid, opts = job.opts, prev_millis = every == nil,
        name = name, data = data or '{}', priority = job.priority, push = job.push
    })
    return PLANNED
end

local results = {}
for at = FIRST, #ARGV, STEP do
    local fine, result = attempt(plan, read_job(at))
    results[#results + 1] = fine and result or { err = result }
end
return results
