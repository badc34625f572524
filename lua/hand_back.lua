--[[ hand_back: gives back jobs that were fetched and are not run here: to where they were, next in line. What
is not §5.8: several keep the order in which they were fetched, those with a priority too, an idle worker is
told, and a start need not count. lib/spec/bullmq.md BMQ-170.

KEYS  1 base
ARGV  1 layout while paused: 5, 6, 0: found out
      then for each job, in the order of the fetch: id, token, '1': its start does not count
Result  a code for each: 0, or one of §0; or an error: it is active and locked as before ]]
--- keys 1
--- include "enqueue"

local q = queue_at(KEYS[1])
pause_layout = ARGV[1]
local MISSING, NO_LOCK, OTHER_LOCK = -1, -2, -6
local CLASS = 4294967296
local BELOW = 65536 -- scores under a priority's own range that its returned jobs may get

local codes = {}
local waiting, priorities, by_priority = {}, {}, {}
local moved = {}

-- Which jobs are ours to give back, and where to: nothing is written yet.
for n = 1, (#ARGV - 1) / 3 do
    local at = 3 * n - 1
    local id, token = ARGV[at], ARGV[at + 1]
    local job = q.base .. id
    local lock = call('GET', job .. ':lock')
    local priority = redis.pcall('HGET', job, 'priority')
    codes[n] = 0
    if type(priority) == 'table' then
        codes[n] = priority
    elseif not priority and call('EXISTS', job) == 0 then
        codes[n] = MISSING
    elseif lock ~= token then
        codes[n] = lock and OTHER_LOCK or NO_LOCK
    elseif not call('LPOS', q.active, id, 'RANK', -1) then
        call('DEL', job .. ':lock') -- it has moved already: no error, as in §5.8
    else
        local back = { n = n, id = id, job = job, unstarted = ARGV[at + 2] == '1' }
        priority = number_or_zero(priority)
        if priority <= 0 then
            waiting[#waiting + 1] = back
        else
            if not by_priority[priority] then
                by_priority[priority] = {}
                priorities[#priorities + 1] = priority
            end
            table.insert(by_priority[priority], back)
        end
    end
end

-- A unit. The job leaves `active` only once it stands where it can be taken from.
local function move(back, command, key, ...)
    call(command, key, ...)
    call('LREM', q.active, -1, back.id)
    call('DEL', back.job .. ':lock')
    redis.pcall('SREM', q.stalled, back.id)
    if back.unstarted then
        local started = redis.pcall('HINCRBY', back.job, 'ats', -1)
        if type(started) == 'number' and started <= 0 then
            redis.pcall('HDEL', back.job, 'ats')
        end
    end
end

-- The score of the first of `count` jobs that come before all others of their priority.
local function first_score(priority, count)
    local low = priority * CLASS - BELOW
    local head = call('ZRANGEBYSCORE', q.prioritized, low, low + CLASS - 1, 'WITHSCORES', 'LIMIT', 0, 1)
    if head[2] then
        return tonumber(head[2]) - count
    end
    return priority * CLASS + call('INCRBY', q.pc, count) % CLASS - count + 1
end

local function try(back, ...)
    local fine, why = attempt(move, back, ...)
    if fine then
        moved[back.n] = true
    else
        codes[back.n] = { err = why }
    end
end

for i = #waiting, 1, -1 do
    try(waiting[i], 'RPUSH', push_list(q), waiting[i].id)
end
for _, priority in ipairs(priorities) do
    local backs = by_priority[priority]
    local fine, score = attempt(first_score, priority, #backs)
    for i, back in ipairs(backs) do
        if fine then
            try(back, 'ZADD', q.prioritized, score + i - 1, back.id)
        else
            codes[back.n] = { err = score }
        end
    end
end

-- The jobs are where they belong, whether anybody hears of it or not.
local function tell()
    for n = 1, #codes do
        if moved[n] then
            emit_trimmed(q, 'waiting', 'jobId', ARGV[3 * n - 1], 'prev', 'active')
        end
    end
end

if next(moved) then
    attempt(tell)
    attempt(signal, q)
end
return codes
