--[[ clean: removes jobs of one state that are old enough. lib/spec/bullmq.md §7.3, BMQ-129, BMQ-130

KEYS  1 base
ARGV  1 wait, paused, active, delayed, prioritized, completed, failed or waiting-children
      2 jobs up to this time go (ms)  3 jobs looked at, at most
Result  the ids of the removed; one event a call, for none too. Jobs with a lock and planned iterations of
        schedulers stay. ]]
--- keys 1
--- include "remove_job"

local q = queue_at(KEYS[1])
local state, cut, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local key = q[state]
local planned

local LISTS = { wait = true, paused = true, active = true }
local TIMES = {
    delayed = { 'processedOn', 'timestamp' },
    prioritized = { 'timestamp' }
}
local LIST_TIMES = { 'finishedOn', 'processedOn', 'timestamp' }

-- By the first of its times that is there; without any it is old.
local function is_old(id, times)
    for _, value in ipairs(call('HMGET', q.base .. id, unpack(times))) do
        if value then
            return (tonumber(value) or 0) <= cut
        end
    end
    return true
end

local function stays(id)
    planned = planned or current_iterations(q)
    return planned[id] or (state == 'active' and call('EXISTS', q.base .. id .. ':lock') == 1)
end

local function old_ones(ids, times)
    local old = {}
    for _, id in ipairs(ids) do
        if not stays(id) and is_old(id, times) then
            old[#old + 1] = id
        end
    end
    return old
end

return all_or_nothing(function()
    local removed
    if LISTS[state] then
        removed = old_ones(call('LRANGE', key, -most, -1), LIST_TIMES)
        for i = #removed, 1, -1 do -- the last ones are the first to be found
            call('LREM', key, -1, removed[i])
        end
    elseif TIMES[state] then
        removed = old_ones(call('ZRANGEBYSCORE', key, 0, '+inf', 'LIMIT', 0, most), TIMES[state])
    else
        removed = call('ZRANGEBYSCORE', key, 0, ARGV[2], 'LIMIT', 0, most)
    end
    if not LISTS[state] then
        for first = 1, #removed, DEL_BATCH do
            call('ZREM', key, unpack(removed, first, math.min(first + DEL_BATCH - 1, #removed)))
        end
    end
    remove_jobs_hard(q, removed)
    emit(q, 'cleaned', 'count', #removed)
    return removed
end)
