--[[ drain: removes all jobs that wait, but for the iterations that schedulers have planned.
lib/spec/bullmq.md §7.3, BMQ-128

KEYS  1 base
ARGV  1 '1': delayed jobs too  2 jobs at most, besides the planned iterations
      3 '1': strict: trims lists by a count, which drops iterations and leaves ghosts (A.4, 1)
Result  1 there may be more, 0 done. No events. ]]
--- keys 1
--- include "remove_job"

local BATCH = 5000
local q = queue_at(KEYS[1])
local delayed, strict = ARGV[1] == '1', ARGV[3] == '1'
local planned = current_iterations(q)
local budget = tonumber(ARGV[2])
local full = false -- is there more?

for _ in pairs(planned) do
    budget = budget + 1 -- they are met again in each call
end

-- Splits into those that go and those that stay, in their order.
local function sort_out(ids)
    local gone, kept = {}, {}
    for _, id in ipairs(ids) do
        local list = planned[id] and kept or gone
        list[#list + 1] = id
    end
    remove_jobs_hard(q, gone)
    return gone, kept
end

local function push_back(key, ids)
    for first = 1, #ids, BATCH do
        call('RPUSH', key, unpack(ids, first, math.min(first + BATCH - 1, #ids)))
    end
end

local function drain_list(key)
    if strict then
        call('LTRIM', key, #sort_out(call('LRANGE', key, 0, -1)), -1)
        return
    end
    local ids = call('LRANGE', key, -budget, -1)
    local gone, kept = sort_out(ids)
    if #gone > 0 then
        if call('LLEN', key) > 0 then -- a parent may have left it meanwhile
            call('LTRIM', key, 0, -(#ids + 1))
        end
        push_back(key, kept)
    end
    full = full or #ids == budget
end

local function drain_zset(key)
    local ids = call('ZRANGE', key, 0, strict and -1 or budget - 1)
    local gone = sort_out(ids)
    for first = 1, #gone, BATCH do
        call('ZREM', key, unpack(gone, first, math.min(first + BATCH - 1, #gone)))
    end
    full = full or (not strict and #ids == budget)
end

return all_or_nothing(function()
    drain_list(q.wait)
    drain_list(q.paused)
    if delayed then
        drain_zset(q.delayed)
    end
    drain_zset(q.prioritized)
    return full and 1 or 0
end)
