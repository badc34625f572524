-- Removal of jobs and retention. §0 DEL_JOB, §5.5
--- include "parent"

local SUBKEYS = { '', ':logs', ':dependencies', ':processed', ':failed', ':unsuccessful' }
local DEL_BATCH = 1000 -- jobs; unpack() ends near 8000 values

-- DEL_JOB for many
local function delete_jobs(q, ids)
    for first = 1, #ids, DEL_BATCH do
        local keys = {}
        for i = first, math.min(first + DEL_BATCH - 1, #ids) do
            local job = q.base .. ids[i]
            for _, suffix in ipairs(SUBKEYS) do
                keys[#keys + 1] = job .. suffix
            end
        end
        call('DEL', unpack(keys))
    end
end

-- REMOVE_JOB soft, deduplication kept, for many
local function remove_jobs(q, ids)
    for _, id in ipairs(ids) do
        local job = q.base .. id
        local parent_key = call('HGET', job, 'parentKey')
        if parent_key and call('EXISTS', parent_key) == 1 then
            unlink(job, parent_key)
        end
    end
    delete_jobs(q, ids)
end

local AGE_LIMIT = 1000

local function remove_aged(q, set, age, limit, now)
    local cut = now - age * 1000
    local old = call('ZREVRANGEBYSCORE', set, cut, '-inf', 'LIMIT', 0, limit)
    if #old == 0 then
        return
    end
    remove_jobs(q, old)
    if #old < limit then
        call('ZREMRANGEBYSCORE', set, '-inf', cut)
        return
    end
    for first = 1, #old, DEL_BATCH do
        call('ZREM', set, unpack(old, first, math.min(first + DEL_BATCH - 1, #old)))
    end
end

-- Retention after `times` jobs of one instant went into `set`: the same as after each of them.
-- Negative count, age or limit: none given.
local function apply_retention(q, set, count, age, limit, times, now)
    if age >= 0 then
        remove_aged(q, set, age, (limit >= 0 and limit or AGE_LIMIT) * times, now)
    end
    if count > 0 then
        local surplus = call('ZREVRANGE', set, count, -1)
        if #surplus > 0 then
            remove_jobs(q, surplus)
            call('ZREMRANGEBYRANK', set, 0, -(count + 1))
        end
    end
end
