-- Adds a job, whichever way it has to go. lib/spec/bullmq.md §3
--- include "dedup"
--- include "remove"

local PARENT_MISSING, OTHER_PARENT = -5, -7

-- What an add says of its job: in ARGV from `at` on, of lib/queue/calls_add.c.
local JOB_ARGS = 15

-- path: standard, prioritized, delayed or parent; id: '' none; times and priority as text; push: LPUSH or
-- RPUSH; parent_key, rjk (scheduler), dedup_id: '' none; modes of deduplication, any of: e extend,
-- r replace, k keepLastIfActive, s reschedule.
local function read_job_args(at)
    return {
        path = ARGV[at], id = ARGV[at + 1], name = ARGV[at + 2], data = ARGV[at + 3],
        opts = ARGV[at + 4], timestamp = ARGV[at + 5], delay = ARGV[at + 6],
        priority = ARGV[at + 7], push = ARGV[at + 8], parent_key = ARGV[at + 9],
        parent = ARGV[at + 10], rjk = ARGV[at + 11], deid = ARGV[at + 12],
        dedup_ttl = tonumber(ARGV[at + 13]), modes = ARGV[at + 14]
    }
end

-- §3.5: what an add does with the living job of the same custom id. Returns a code. In a flow the parents
-- are released when all of it is there (§8.1); `line` 5 leaves a job its old parent, living or not.
local function link_existing(q, id, add, now, in_flow, line)
    local job = q.base .. id
    local old = call('HGET', job, 'parentKey')
    local parent_key = add.parent_key
    if parent_key == '' then
        return 0
    end
    if old and old ~= parent_key then
        if call('EXISTS', old) == 1 then
            if in_flow then
                call('HSET', parent_key, 'flowAttachmentFailed', '1')
            end
            return OTHER_PARENT
        end
        if line == 5 then
            return 0
        end
    end
    if call('ZSCORE', q.completed, id) then
        local value = call('HGET', job, 'returnvalue') or 'null'
        call('HSET', parent_key .. ':processed', job, value)
        if not in_flow then
            release_if_done(parent_of(parent_key, add.parent), now)
        end
    else
        call('SADD', parent_key .. ':dependencies', job)
    end
    call('HSET', job, 'parentKey', parent_key, 'parent', add.parent)
    return 0
end

-- Deduplication: returns the owner's id when the add of `id` goes no further, nil otherwise. §3.6
local function deduplicate(q, id, add, line)
    local dedup_id, ttl, modes = add.deid, add.dedup_ttl, add.modes
    local dedup_key, parked_key = q.base .. 'de:' .. dedup_id, q.base .. 'dn:' .. dedup_id
    local extend, keep_last = modes:find('e') ~= nil, modes:find('k') ~= nil
    local owner = call('GET', dedup_key)

    -- SETD
    local function own(job_id)
        set_dedup(dedup_key, job_id, ttl, keep_last)
    end

    local function tell(job_id, other_id)
        if line == 5 then
            emit_trimmed(q, 'debounced', 'jobId', job_id, 'debounceId', dedup_id)
        end
        emit_trimmed(q, 'deduplicated', 'jobId', job_id, 'deduplicationId', dedup_id,
                     'deduplicatedJobId', other_id)
    end

    -- STALE: the owner is gone and nothing would ever free the key.
    local function take_over_stale()
        if line == 5 or call('PTTL', dedup_key) ~= -1 or
           call('EXISTS', q.base .. owner) == 1 then
            return false
        end
        call('DEL', dedup_key, parked_key)
        own(id)
        return true
    end

    -- PARK: the owner is running; this job is kept to be added when it ends.
    local function park()
        if not (keep_last and call('LPOS', q.active, owner)) then
            return false
        end
        local fields = { 'name', add.name, 'data', add.data, 'opts', add.opts, 'jid', id }
        local function put(field, value)
            fields[#fields + 1] = field
            fields[#fields + 1] = value
        end
        if add.parent_key ~= '' then
            put('pk', add.parent_key)
            put('pd', add.parent)
            put('pdk', add.parent_key .. ':dependencies')
        end
        if add.rjk ~= '' then
            put('rjk', add.rjk)
        end
        call('DEL', parked_key)
        call('HSET', parked_key, unpack(fields))
        call('PERSIST', dedup_key)
        tell(owner, id)
        return true
    end

    if not owner then
        own(id)
        return nil
    end
    if modes:find('r') and add.path ~= 'parent' then
        -- A delayed owner makes way.
        if call('ZREM', q.delayed, owner) == 1 then
            delete_jobs(q.base, { owner })
            emit(q, 'removed', 'jobId', owner, 'prev', 'delayed')
            tell(id, owner)
            if line ~= 5 then
                call('DEL', parked_key)
            end
            if ttl > 0 and not extend and not keep_last then
                call('SET', dedup_key, id, 'KEEPTTL')
            else
                own(id)
            end
            return nil
        end
        if take_over_stale() then
            return nil
        end
        park()
        return owner
    end
    if take_over_stale() then
        return nil
    end
    if not park() then
        if ttl > 0 and extend then
            own(owner)
        end
        tell(owner, id)
    end
    if modes:find('s') and line ~= 5 and add.path ~= 'parent' and
       call('ZSCORE', q.delayed, owner) then
        call('HSET', q.base .. owner, 'delay', add.delay)
        to_delayed(q, owner, tonumber(add.timestamp), tonumber(add.delay))
    end
    return owner
end

-- §3.3
local function enqueue(q, id, add)
    if add.path == 'delayed' then
        to_delayed(q, id, tonumber(add.timestamp), tonumber(add.delay))
    elseif add.path == 'parent' then
        call('ZADD', q['waiting-children'], add.timestamp, id)
        emit_trimmed(q, 'waiting-children', 'jobId', id)
    else
        if add.path == 'prioritized' then
            to_prioritized(q, id, tonumber(add.priority))
        else
            to_wait(q, id, add.push)
        end
        emit_trimmed(q, 'waiting', 'jobId', id)
    end
end

-- Returns the job's id, or that of the job it duplicates, or a code.
local function insert_job(q, add, now, in_flow, line)
    if add.parent_key ~= '' and call('EXISTS', add.parent_key) == 0 then
        return PARENT_MISSING
    end
    local counter = call('INCR', q.id)
    max_events(q)
    local id = add.id
    if id == '' then
        id = string.format('%.0f', counter)
    elseif call('EXISTS', q.base .. id) == 1 then
        local code = link_existing(q, id, add, now, in_flow, line)
        if code ~= 0 then
            return code
        end
        emit_trimmed(q, 'duplicated', 'jobId', id)
        return id
    end
    if add.deid ~= '' then
        local owner = deduplicate(q, id, add, line)
        if owner then
            return owner
        end
    end
    store_job(q, id, add)
    enqueue(q, id, add)
    if add.parent_key ~= '' then
        call('SADD', add.parent_key .. ':dependencies', q.base .. id)
    end
    return id
end
