-- How many finished jobs are kept, and for how long. lib/spec/bullmq.md §5.5
--
-- `unlink(job, parent_key)` is UNLINK, soft; it is passed in because few jobs have a parent.
local function call_delete(keys)
    return redis.call('DEL', unpack(keys))
end
--- include "remove"

-- REMOVE_JOB soft, deduplication kept, for many
local function remove_jobs(base, ids, unlink)
    for _, id in ipairs(ids) do
        local job = base .. id
        local parent_key = redis.pcall('HGET', job, 'parentKey')
        if type(parent_key) == 'string' and redis.pcall('EXISTS', parent_key) ~= 0 then
            unlink(job, parent_key)
        end
    end
    delete_jobs(base, ids)
end

local function leave_one_by_one(set, ids)
    for first = 1, #ids, DEL_BATCH do
        redis.call('ZREM', set, unpack(ids, first, math.min(first + DEL_BATCH - 1, #ids)))
    end
end

-- Their jobs are gone: by the quick command for all of them, or without it.
local function leave_set(set, ids, command, from, to)
    local reply = redis.pcall(command, set, from, to)
    if type(reply) == 'table' then
        leave_one_by_one(set, ids)
    end
end

local AGE_LIMIT = 1000

local function remove_aged(base, set, age, limit, now, unlink)
    local cut = now - age * 1000
    local old = redis.call('ZREVRANGEBYSCORE', set, cut, '-inf', 'LIMIT', 0, limit)
    if #old == 0 then
        return
    end
    remove_jobs(base, old, unlink)
    if #old < limit then
        leave_set(set, old, 'ZREMRANGEBYSCORE', '-inf', cut)
    else
        leave_one_by_one(set, old)
    end
end

-- After `times` jobs of one instant went into `set`: the same as after each of them. The limits, count,
-- age and removals a finish, are texts; each < 0: none given.
local function apply_retention(base, set, limits, times, now, unlink)
    local count, age, limit = tonumber(limits[1]), tonumber(limits[2]), tonumber(limits[3])
    if age >= 0 then
        remove_aged(base, set, age, (limit >= 0 and limit or AGE_LIMIT) * times, now, unlink)
    end
    if count > 0 then
        local surplus = redis.call('ZREVRANGE', set, count, -1)
        if #surplus > 0 then
            remove_jobs(base, surplus, unlink)
            leave_set(set, surplus, 'ZREMRANGEBYRANK', 0, -(count + 1))
        end
    end
end
