-- Removal of jobs with all that hangs on them. lib/spec/bullmq.md §5.5 REMOVE_JOB, §7.2, §8.5
--- include "parent"
--- include "remove"

-- A job that goes frees the deduplication id it owns. §3.6
local function drop_dedup(q, id, dedup_id)
    local key = q.base .. 'de:' .. dedup_id
    if call('GET', key) == id then
        call('DEL', key, q.base .. 'dn:' .. dedup_id)
    end
end

-- UNLINK, hard: a parent of the same queue that waits for nothing any more goes too; one of another queue
-- is released without an event.
local function unlink_hard(child_key, parent_key, dedup_id)
    local child_base = split_job_key(child_key)
    local base, id = split_job_key(parent_key)
    if call('SREM', parent_key .. ':dependencies', child_key) == 0 or not base or
       call('SCARD', parent_key .. ':dependencies') > 0 then
        return
    end
    local q = queue_at(base)
    if call('ZREM', q['waiting-children'], id) == 0 then
        return
    end
    if base ~= child_base then
        to_wait(q, id, 'RPUSH')
        return
    end
    local f = call('HMGET', parent_key, 'parentKey', 'deid')
    if f[1] and call('EXISTS', f[1]) == 1 then
        unlink_hard(parent_key, f[1], f[2])
    end
    delete_jobs(base, { id })
    if dedup_id then
        call('DEL', base .. 'de:' .. dedup_id)
    end
end

-- REMOVE_JOB hard, for many: deduplication ids are freed.
local function remove_jobs_hard(q, ids)
    for _, id in ipairs(ids) do
        local f = call('HMGET', q.base .. id, 'parentKey', 'deid')
        if f[1] and call('EXISTS', f[1]) == 1 then
            unlink_hard(q.base .. id, f[1], f[2])
        end
        if f[2] then
            drop_dedup(q, id, f[2])
        end
    end
    delete_jobs(q.base, ids)
end

local ZSETS_FIRST = { 'completed', 'waiting-children', 'delayed', 'failed', 'prioritized' }
local LISTS_LAST = { 'wait', 'paused', 'active' }

-- Takes an id out of the first container that holds it; returns that one's name.
local function leave_container(q, id)
    for _, name in ipairs(ZSETS_FIRST) do
        if call('ZREM', q[name], id) == 1 then
            return name
        end
    end
    for _, name in ipairs(LISTS_LAST) do
        if call('LREM', q[name], 0, id) > 0 then
            return name
        end
    end
    return 'unknown'
end

-- The same job may be reached twice, in a ring made by hand even from itself.
local visited = {}
local remove_tree

-- skip: { processed, locked }: what became of a child that is to stay.
local function remove_children(job_key, skip)
    if not skip.processed then
        for _, key in ipairs(call('HKEYS', job_key .. ':processed')) do
            remove_tree(key, job_key, skip)
        end
        for _, key in ipairs(call('HKEYS', job_key .. ':failed')) do
            remove_tree(key, job_key, skip)
        end
        for _, key in ipairs(call('ZRANGE', job_key .. ':unsuccessful', 0, -1)) do
            remove_tree(key, job_key, skip)
        end
    end
    for _, key in ipairs(call('SMEMBERS', job_key .. ':dependencies')) do
        remove_tree(key, job_key, skip)
    end
end

-- REMOVE_TREE; `skip` nil: without its children. `q` and `id` where they are known: an id may have colons.
function remove_tree(job_key, parent_key, skip, q, id)
    if not q then
        local base, last = split_job_key(job_key)
        q, id = base and queue_at(base), last
    end
    if visited[job_key] or not q then
        return
    end
    visited[job_key] = true
    if skip and skip.locked and call('EXISTS', job_key .. ':lock') == 1 then
        return
    end
    if skip and skip.processed and call('ZSCORE', q.failed, id) then
        return
    end
    local f = call('HMGET', job_key, 'parentKey', 'deid')
    if parent_key then
        unlink(job_key, parent_key)
    elseif f[1] and call('EXISTS', f[1]) == 1 then
        unlink(job_key, f[1])
    end
    if skip then
        remove_children(job_key, skip)
    end
    local prev = leave_container(q, id)
    if f[2] then
        drop_dedup(q, id, f[2])
    end
    if delete_jobs(q.base, { id }) > 0 then
        emit_trimmed(q, 'removed', 'jobId', id, 'prev', prev)
    end
end

-- The ids of the iterations that schedulers have planned. §9.1
local function current_iterations(q)
    local ids = {}
    local schedulers = call('ZRANGE', q['repeat'], 0, -1, 'WITHSCORES')
    for i = 1, #schedulers, 2 do
        local at = string.format('%.0f', tonumber(schedulers[i + 1]))
        ids['repeat:' .. schedulers[i] .. ':' .. at] = true
    end
    return ids
end
