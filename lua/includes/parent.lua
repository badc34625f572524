-- Children and parents. Keys are those of the parent's queue. lib/spec/bullmq.md §8.3–8.5
--- include "enqueue"

-- The fields of a job's `parent` JSON, or nil.
local function decode_object(text)
    if not text then
        return nil
    end
    local ok, value = pcall(cjson.decode, text)
    return ok and type(value) == 'table' and value or nil
end

-- Base and id of a job key: the id is what follows the last colon (§1.1).
local function split_job_key(key)
    local base, id = key:match('^(.*:)([^:]*)$')
    return base, id
end

-- WAKE
local function wake(q, id, now)
    local f = call('HMGET', q.base .. id, 'delay', 'priority')
    local delay, priority = number_or_zero(f[1]), number_or_zero(f[2])
    if delay > 0 then
        call('ZADD', q.delayed, (now + delay) * 4096, id)
        emit(q, 'delayed', 'jobId', id, 'delay', now + delay)
        signal_delay(q)
        return
    end
    if priority == 0 then
        to_wait(q, id, 'RPUSH')
    else
        to_prioritized(q, id, priority)
    end
    emit(q, 'waiting', 'jobId', id, 'prev', 'waiting-children')
end

-- RELEASE
local function release(q, id, now)
    if call('EXISTS', q.base .. id) == 1 and call('ZREM', q['waiting-children'], id) == 1 then
        wake(q, id, now)
    end
end

-- A parent as { q, id, key, flags }, by the child's fields `parentKey` and `parent`; nil without one.
local function parent_of(parent_key, parent_json)
    local json = decode_object(parent_json)
    local parent = { flags = json or {}, key = parent_key or nil }
    if json and json.queueKey and json.id then
        local base = tostring(json.queueKey) .. ':'
        parent.q, parent.id = queue_at(base), tostring(json.id)
        parent.key = parent.key or base .. parent.id
        return parent
    end
    if not parent_key then
        return nil
    end
    local base, id = split_job_key(parent_key)
    if not base then
        return nil
    end
    parent.q, parent.id = queue_at(base), id
    return parent
end

local function release_if_done(parent, now)
    if call('SCARD', parent.key .. ':dependencies') == 0 then
        release(parent.q, parent.id, now)
    end
end

-- A completed child's value goes to its parent. §5.3 step 10
local function child_completed(parent, child_key, value, now)
    if call('SREM', parent.key .. ':dependencies', child_key) == 1 then
        call('HSET', parent.key .. ':processed', child_key, value)
        release_if_done(parent, now)
    end
end

-- fpof: the parent fails too, when a worker of its queue starts it and sees `defa`.
local function fail_parent(parent, child_key, now)
    local q, id = parent.q, parent.id
    call('ZADD', parent.key .. ':unsuccessful', now, child_key)
    if call('EXISTS', parent.key) == 0 then
        return
    end
    local reason = 'child ' .. child_key .. ' failed'
    if call('ZREM', q['waiting-children'], id) == 1 then
        call('HSET', parent.key, 'defa', reason)
        wake(q, id, now)
    elseif call('ZREM', q.delayed, id) == 1 then
        call('HSET', parent.key, 'delay', '0', 'defa', reason)
        wake(q, id, now)
    elseif not call('ZSCORE', q.failed, id) then
        call('HSET', parent.key, 'defa', reason)
    end
end

-- §8.4: the first flag that is set decides; without one the parent goes on waiting.
local function child_failed(parent, child_key, reason, now)
    local flags = parent.flags
    if not (flags.fpof or flags.cpof or flags.idof or flags.rdof) then
        return
    end
    if call('SREM', parent.key .. ':dependencies', child_key) == 0 then
        return
    end
    if flags.fpof then
        fail_parent(parent, child_key, now)
    elseif flags.cpof then
        call('HSET', parent.key .. ':failed', child_key, reason)
        release(parent.q, parent.id, now)
    else
        release_if_done(parent, now)
        if flags.idof then
            call('HSET', parent.key .. ':failed', child_key, reason)
        end
    end
end

-- UNLINK, soft. §8.5
local function unlink(child_key, parent_key)
    if call('SREM', parent_key .. ':dependencies', child_key) == 0 then
        return false
    end
    local base, id = split_job_key(parent_key)
    if not base or call('SCARD', parent_key .. ':dependencies') > 0 then
        return true
    end
    local q = queue_at(base)
    if call('ZREM', q['waiting-children'], id) == 1 then
        to_wait(q, id, 'RPUSH')
        emit(q, 'waiting', 'jobId', id, 'prev', 'waiting-children')
    end
    return true
end
