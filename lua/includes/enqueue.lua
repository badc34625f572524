-- Where a job can wait to be taken. lib/spec/bullmq.md §0: TO_WAIT, TO_PRIO, TO_PRIO_FRONT, DSCORE,
-- TO_DELAYED, SIGNAL_DELAY; §4.3: PROMOTE_DUE.
--- include "queue"

-- What is missing or no number counts as 0 (Appendix C).
local function number_or_zero(text)
    return tonumber(text) or 0
end

local function to_wait(q, id, push)
    call(push, push_list(q), id)
    signal(q)
end

local function priority_score(q, priority)
    return priority * 4294967296 + call('INCR', q.pc) % 4294967296
end

local function to_prioritized(q, id, priority)
    call('ZADD', q.prioritized, priority_score(q, priority), id)
    signal(q)
end

local function to_prioritized_front(q, id, priority)
    call('ZADD', q.prioritized, priority * 4294967296, id)
end

-- Ids due in the same millisecond are numbered in the score's low 12 bits: first in, first out.
local function delayed_score(q, timestamp, delay)
    local at = delay > 0 and timestamp + delay or timestamp
    local low, high = at * 4096, (at + 1) * 4096 - 1
    local top = call('ZREVRANGEBYSCORE', q.delayed, high, low, 'WITHSCORES', 'LIMIT', 0, 1)
    if #top == 0 then
        return low, at
    end
    local score = tonumber(top[2])
    return score >= high and high or score + 1, at
end

-- The score of the delayed job that is due first; nil without one.
local function first_due_score(q)
    local first = call('ZRANGE', q.delayed, 0, 0, 'WITHSCORES')
    return tonumber(first[2])
end

local function signal_delay(q)
    local score = first_due_score(q)
    if score then
        call('ZADD', q.marker, score / 4096, '1')
    end
end

local function add_delayed(q, id, timestamp, delay)
    local score, at = delayed_score(q, timestamp, delay)
    call('ZADD', q.delayed, score, id)
    emit_trimmed(q, 'delayed', 'jobId', id, 'delay', at)
end

local function to_delayed(q, id, timestamp, delay)
    add_delayed(q, id, timestamp, delay)
    signal_delay(q)
end

local PROMOTE_MAX = 1000

-- Moves what is due to where it can be taken from; a unit. An id without a hash is dropped: promoting it
-- would leave a stub behind (§4.2). A priority that is no number counts as none: a job must not hold up all
-- that are due after it.
local function promote_due(q, now)
    local due = raw_call('ZRANGEBYSCORE', q.delayed, 0, (now + 1) * 4096 - 1, 'WITHSCORES', 'LIMIT', 0,
                         PROMOTE_MAX)
    if #due == 0 then
        return
    end
    local ids, plain_ids, delays = {}, {}, {}
    for i = 1, #due, 2 do
        ids[#ids + 1] = due[i]
    end
    check_return('ZREM', q.delayed)
    raw_call('ZREM', q.delayed, unpack(ids))
    note_scored(q.delayed, due)
    for _, id in ipairs(ids) do
        local job = q.base .. id
        local priority = raw_try('HGET', job, 'priority')
        if priority or raw_call('EXISTS', job) == 1 then
            priority = type(priority) == 'string' and number_or_zero(priority) or 0
            if priority == 0 or priority ~= priority then
                plain_ids[#plain_ids + 1] = id
            else
                call('ZADD', q.prioritized, priority_score(q, priority), id)
            end
            emit(q, 'waiting', 'jobId', id, 'prev', 'delayed')
            delays[#delays + 1] = job
        end
    end
    if #plain_ids > 0 then
        call('LPUSH', push_list(q), unpack(plain_ids))
    end
    for _, job in ipairs(delays) do
        raw_try('HSET', job, 'delay', '0') -- said by the set that the job is in
    end
    signal(q)
end
