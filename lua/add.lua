--[[ add: adds one job, whichever way it has to go. Spec §3

KEYS  1 base
ARGV  1 path: standard, prioritized, delayed or parent  2 custom id, '': none  3 name  4 data (JSON)
      5 opts (JSON, stored spelling)  6 timestamp (ms)  7 delay (ms)  8 priority  9 LPUSH or RPUSH
      10 parent key, '': none  11 parent (JSON)  12 scheduler id, '': none
      13 deduplication id, '': none  14 its ttl (ms), 0: none
      15 its modes, any of: e extend, r replace, k keepLastIfActive, s reschedule
      16 '1': part of a flow's transaction, which releases the parents itself (§8.1)  17 now (ms)
Result  the job's id, or that of the job it duplicates; -5 parent missing, -7 another parent's job ]]
--- keys 1
--- include "dedup"
--- include "remove"

local q = queue_at(KEYS[1])
local path, custom_id, name, data, opts = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local timestamp, delay, priority = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local push = ARGV[9]
local parent_key, parent_json = ARGV[10], ARGV[11]
local rjk = ARGV[12]
local dedup_id, dedup_ttl, modes = ARGV[13], tonumber(ARGV[14]), ARGV[15]
local in_flow = ARGV[16] == '1'
local now = tonumber(ARGV[17])

local PARENT_MISSING, OTHER_PARENT = -5, -7

local dedup_key = q.base .. 'de:' .. dedup_id
local parked_key = q.base .. 'dn:' .. dedup_id
local extend = modes:find('e') ~= nil
local replace = modes:find('r') ~= nil and path ~= 'parent'
local keep_last = modes:find('k') ~= nil
local reschedule = modes:find('s') ~= nil and path ~= 'parent'

-- §3.5: what an add does with the living job of the same custom id. Returns a code.
local function link_existing(id, job)
    local old = call('HGET', job, 'parentKey')
    if parent_key == '' then
        return 0
    end
    if old and old ~= parent_key and call('EXISTS', old) == 1 then
        if in_flow then
            call('HSET', parent_key, 'flowAttachmentFailed', '1')
        end
        return OTHER_PARENT
    end
    if call('ZSCORE', q.completed, id) then
        local value = call('HGET', job, 'returnvalue') or 'null'
        call('HSET', parent_key .. ':processed', job, value)
        if not in_flow then
            release_if_done(parent_of(parent_key, parent_json), now)
        end
    else
        call('SADD', parent_key .. ':dependencies', job)
    end
    call('HSET', job, 'parentKey', parent_key, 'parent', parent_json)
    return 0
end

-- SETD
local function own_dedup(id)
    set_dedup(dedup_key, id, dedup_ttl, keep_last)
end

-- STALE: the owner is gone and nothing would ever free the key.
local function take_over_stale(owner, id)
    if not owner or call('PTTL', dedup_key) ~= -1 or call('EXISTS', q.base .. owner) == 1 then
        return false
    end
    call('DEL', dedup_key, parked_key)
    own_dedup(id)
    return true
end

local function emit_deduplicated(job_id, other_id)
    emit_trimmed(q, 'deduplicated', 'jobId', job_id, 'deduplicationId', dedup_id,
                 'deduplicatedJobId', other_id)
end

-- PARK: the owner is running; this job is kept to be added when it ends.
local function park(owner, id)
    if not (keep_last and owner and call('LPOS', q.active, owner)) then
        return false
    end
    local fields = { 'name', name, 'data', data, 'opts', opts, 'jid', id }
    local function add(field, value)
        fields[#fields + 1] = field
        fields[#fields + 1] = value
    end
    if parent_key ~= '' then
        add('pk', parent_key)
        add('pd', parent_json)
        add('pdk', parent_key .. ':dependencies')
    end
    if rjk ~= '' then
        add('rjk', rjk)
    end
    call('DEL', parked_key)
    call('HSET', parked_key, unpack(fields))
    call('PERSIST', dedup_key)
    emit_deduplicated(owner, id)
    return true
end

-- Mode replace: a delayed owner makes way. Returns the owner's id when the add goes no further.
local function replace_owner(owner, id)
    if not owner then
        own_dedup(id)
        return nil
    end
    if call('ZREM', q.delayed, owner) == 1 then
        delete_jobs(q.base, { owner })
        emit(q, 'removed', 'jobId', owner, 'prev', 'delayed')
        emit_deduplicated(id, owner)
        call('DEL', parked_key)
        if dedup_ttl > 0 and not extend and not keep_last then
            call('SET', dedup_key, id, 'KEEPTTL')
        else
            own_dedup(id)
        end
        return nil
    end
    if take_over_stale(owner, id) then
        return nil
    end
    park(owner, id)
    return owner
end

-- The other modes. Returns the owner's id when the add goes no further.
local function keep_owner(owner, id)
    if not owner then
        own_dedup(id)
        return nil
    end
    if take_over_stale(owner, id) then
        return nil
    end
    if not park(owner, id) then
        if dedup_ttl > 0 and extend then
            own_dedup(owner)
        end
        emit_deduplicated(owner, id)
    end
    if reschedule and call('ZSCORE', q.delayed, owner) then
        call('HSET', q.base .. owner, 'delay', delay)
        to_delayed(q, owner, timestamp, delay)
    end
    return owner
end

local function enqueue(id)
    if path == 'delayed' then
        to_delayed(q, id, timestamp, delay)
    elseif path == 'parent' then
        call('ZADD', q['waiting-children'], timestamp, id)
        emit_trimmed(q, 'waiting-children', 'jobId', id)
    else
        if path == 'prioritized' then
            to_prioritized(q, id, priority)
        else
            to_wait(q, id, push)
        end
        emit_trimmed(q, 'waiting', 'jobId', id)
    end
end

if parent_key ~= '' and call('EXISTS', parent_key) == 0 then
    return PARENT_MISSING
end
local counter = call('INCR', q.id)
max_events(q)

local id = custom_id
if id == '' then
    id = string.format('%.0f', counter)
elseif call('EXISTS', q.base .. id) == 1 then
    local code = link_existing(id, q.base .. id)
    if code ~= 0 then
        return code
    end
    emit_trimmed(q, 'duplicated', 'jobId', id)
    return id
end

if dedup_id ~= '' then
    local owner = call('GET', dedup_key)
    local kept
    if replace then
        kept = replace_owner(owner, id)
    else
        kept = keep_owner(owner, id)
    end
    if kept then
        return kept
    end
end

store_job(q, id, {
    name = name, data = data, opts = opts, timestamp = ARGV[6], delay = ARGV[7],
    priority = ARGV[8], parent_key = parent_key, parent = parent_json, rjk = rjk,
    deid = dedup_id
})
enqueue(id)
if parent_key ~= '' then
    call('SADD', parent_key .. ':dependencies', q.base .. id)
end
return id
