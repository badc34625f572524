-- The first half of lua/settle.lua: attempts are ended. Its ARGV are described there.

local call, pcall_redis = redis.call, redis.pcall
local BASE = KEYS[1]
local WAIT, ACTIVE, DELAYED = BASE .. 'wait', BASE .. 'active', BASE .. 'delayed'
local COMPLETED, EVENTS, META = BASE .. 'completed', BASE .. 'events', BASE .. 'meta'
local now_text = ARGV[1]
local now, item_count, want = tonumber(now_text), tonumber(ARGV[2]), tonumber(ARGV[3])
local ITEMS_AT = 12

local SIZE = { c = 4, C = 7, F = 12, R = 8, D = 9, W = 3 }
local CHUNK = 500 -- items checked together; unpack() ends near 8000 values

local MISSING, NO_LOCK, NOT_ACTIVE, OTHER_LOCK = -1, -2, -3, -6
local PENDING_CHILDREN, FAILED_CHILDREN = -4, -9

local meta_fields = call('HMGET', META, 'paused', 'concurrency', 'max', 'duration',
                         'opts.maxLenEvents')
local meta = {
    paused = meta_fields[1],
    concurrency = tonumber(meta_fields[2]),
    max = tonumber(meta_fields[3]),
    duration = tonumber(meta_fields[4])
}
local codes = {} -- of a refused end: what Redis said
local trouble, refusal = '', '' -- what went wrong beside the ends; why no more jobs were taken

local mend

--- include "rare"

-- Takes ids out of `active`. Most often they are just its tail: then two calls do for all. Returns the
-- set of ids that were not there, or nil.
local function leave_active(ids, count)
    if count > 1 then
        local tail = call('LRANGE', ACTIVE, -count, -1)
        local mine, same = {}, #tail == count
        if same then
            for i = 1, count do
                mine[ids[i]] = true
            end
        end
        for i = 1, same and count or 0 do
            local id = tail[i]
            if not mine[id] then
                same = false
                break
            end
            mine[id] = nil
        end
        if same then
            call('LTRIM', ACTIVE, 0, -(count + 1))
            return nil
        end
    end
    local absent
    for i = 1, count do
        if call('LREM', ACTIVE, -1, ids[i]) == 0 then
            absent = absent or {}
            absent[ids[i]] = true
        end
    end
    return absent
end

-- Phase 1 for items first … last, which begin at ARGV[at[i]]. Sets codes; returns job keys and the
-- fields read: name, atm, parentKey, deid and, unless it completes, priority; or nil and why nothing is
-- done.
local function admit(at, first, last)
    local jobs, fields, lock_keys, child_keys, children = {}, {}, {}, {}, 0
    for i = first, last do
        local job = BASE .. ARGV[at[i] + 1]
        local kind = ARGV[at[i]]
        jobs[i] = job
        lock_keys[i - first + 1] = job .. ':lock'
        if kind == 'c' or kind == 'C' then
            child_keys[children + 1] = job .. ':dependencies'
            child_keys[children + 2] = job .. ':unsuccessful'
            children = children + 2
        end
    end
    local locks = call('MGET', unpack(lock_keys))
    local any_children = children > 0 and call('EXISTS', unpack(child_keys)) > 0
    local lock_of = {}
    for i = first, last do
        lock_of[jobs[i]] = locks[i - first + 1]
    end

    local open_keys, open_ids, open = {}, {}, 0
    local leaving, leaving_items, left = {}, {}, 0
    for i = first, last do
        local kind, id, token = ARGV[at[i]], ARGV[at[i] + 1], ARGV[at[i] + 2]
        local job, code = jobs[i], 0
        local f
        if kind == 'c' or kind == 'C' then
            f = pcall_redis('HMGET', job, 'name', 'atm', 'parentKey', 'deid')
        else
            f = pcall_redis('HMGET', job, 'name', 'atm', 'parentKey', 'deid', 'priority')
        end
        fields[i] = f
        if f.err then
            code = { err = f.err }
        elseif not f[1] and call('EXISTS', job) == 0 then
            code = MISSING
        elseif any_children and (kind == 'c' or kind == 'C') then
            code = rare().check_children(job)
        end
        if code == 0 and token ~= '0' then
            if lock_of[job] == token then
                lock_of[job] = false
                open = open + 1
                open_keys[open] = lock_keys[i - first + 1]
                open_ids[open] = id
            else
                code = lock_of[job] and OTHER_LOCK or NO_LOCK
            end
        end
        if code == 0 and kind ~= 'W' then
            left = left + 1
            leaving[left] = id
            leaving_items[left] = i
        end
        codes[i] = code
    end
    local absent = leave_active(leaving, left)
    for j = 1, absent and left or 0 do
        if absent[leaving[j]] then
            codes[leaving_items[j]] = NOT_ACTIVE
        end
    end
    if open > 0 then
        local reply = pcall_redis('DEL', unpack(open_keys))
        if type(reply) == 'table' then
            mend().return_all(first, last, at)
            return nil, reply.err
        end
        reply = pcall_redis('SREM', BASE .. 'stalled', unpack(open_ids))
        if type(reply) == 'table' then -- marks only
            trouble = reply.err
        end
    end
    return jobs, fields
end

-- Completed jobs that await their place in the set, as arguments of ZADD, their items, and where the
-- retention that they share stands in ARGV; nil: all are kept. Held back so that a batch costs one call. A
-- single item is not held back, so that its events come in the reference's order.
local held, held_items, held_keep = {}, {}, nil
local entered = 0 -- others that share the retention and are in the set already
local flushing = false
local told = {}   -- ids of the events of completed items

local function flush_completed()
    if #held > 0 then
        flushing = true
        call('ZADD', COMPLETED, unpack(held))
        flushing = false
    end
    local count = #held / 2 + entered
    held, held_items, entered = {}, {}, 0
    if held_keep and count > 0 then
        retention().retain(COMPLETED, held_keep, count)
    end
end

local function same_keep(a, b)
    return a == b or (a and b and ARGV[a] == ARGV[b] and ARGV[a + 1] == ARGV[b + 1] and
                      ARGV[a + 2] == ARGV[b + 2])
end

-- §5.3 from step 8 on, for a job that is kept and has no bonds to others.
local function complete(i, id, job, f, value)
    local made = f[2] and (tonumber(f[2]) or 0) + 1 or '1'
    call('HSET', job, 'atm', made, 'returnvalue', value, 'finishedOn', now_text)
    held[#held + 1] = now_text
    held[#held + 1] = id
    held_items[#held_items + 1] = i
    if item_count == 1 then
        flush_completed()
    end
    told[i] = call('XADD', EVENTS, '*', 'event', 'completed', 'jobId', id, 'returnvalue', value, 'prev',
                   'active')
end

local completed, failed, delays = 0, 0, 0
local finished_last = false -- no job left `active` for `delayed` after the last one finished

-- §5.3 step 7, once a call
local function trim_events_once()
    if completed + failed > 0 then
        return
    end
    local most_events = meta_fields[5]
    if not most_events then
        most_events = '10000'
        call('HSET', META, 'opts.maxLenEvents', most_events)
    end
    call('XTRIM', EVENTS, 'MAXLEN', '~', most_events)
end

-- An end that may come to nothing without a trace: nil, or why.
local function apply_unit(work, ...)
    local fine, why = rare().attempt(work, ...)
    return not fine and why or nil
end

local function apply_complete(i, id, job, f, at)
    local keep = ARGV[at] == 'C' and at + 4 or nil
    local is_kept = not keep or ARGV[keep] ~= '0'
    local value = ARGV[at + 3]
    trim_events_once()
    if is_kept and not same_keep(keep, held_keep) then
        flush_completed()
        held_keep = keep
    end
    if f[3] or f[4] then
        local why = apply_unit(rare().complete_bound, id, job, f, value, keep)
        if why then
            return why
        end
        entered = entered + (is_kept and item_count > 1 and 1 or 0)
    elseif is_kept then
        complete(i, id, job, f, value)
    else
        told[i] = call('XADD', EVENTS, '*', 'event', 'completed', 'jobId', id, 'returnvalue', value, 'prev',
                       'active')
        retention().delete(id)
    end
    completed, finished_last = completed + 1, true
    return nil
end

-- Phase 2 for an admitted item: nil, or why there is nothing of it. An error is the same for a completion
-- without bonds; what it wrote then is taken back by mend().
local function apply(i, kind, id, job, f, at)
    if kind == 'c' or kind == 'C' then
        return apply_complete(i, id, job, f, at)
    end
    local why
    if kind == 'F' then
        trim_events_once()
        why = apply_unit(rare().fail, id, job, f, at)
        if not why then
            failed, finished_last = failed + 1, true
        end
    elseif kind == 'R' then
        why = apply_unit(rare().retry, id, job, f, at)
    elseif kind == 'D' then
        why = apply_unit(rare().delay, id, job, at)
        if not why then
            delays, finished_last = delays + 1, false
        end
    else
        why = apply_unit(rare().put_back, id, f)
    end
    return why
end

local item -- the one under way

local function apply_all(from, last, at, jobs, fields)
    for i = from, last do
        item = i
        local kind = ARGV[at[i]]
        if kind == 'R' then -- before anything else, even if the job is gone: §5.6
            trouble = apply_unit(rare().promote_due, rare().q, now) or trouble
        end
        local code = codes[i]
        if code == 0 then
            local why = apply(i, kind, ARGV[at[i] + 1], jobs[i], fields[i], at[i])
            if why then
                mend().refuse(i, at[i], why)
            end
        elseif code == NOT_ACTIVE then
            trouble = apply_unit(rare().write_refused, jobs[i], at[i]) or trouble
        elseif code == PENDING_CHILDREN or code == FAILED_CHILDREN then
            want = want - 1 -- its worker keeps the job, and with it the slot
        end
    end
    item = last + 1
    flush_completed()
end

local mend_parts

-- What is needed only when something went wrong.
function mend()
    if mend_parts then
        return mend_parts
    end
    -- It is active again, with its lock, as before the call.
    local function return_item(at)
        local id, token = ARGV[at + 1], ARGV[at + 2]
        if ARGV[at] ~= 'W' and type(pcall_redis('RPUSH', ACTIVE, id)) == 'table' then
            pcall_redis('LPUSH', ACTIVE, id)
        end
        if token ~= '0' then
            pcall_redis('SET', BASE .. id .. ':lock', token, 'PX', ARGV[6] ~= '0' and ARGV[6] or 30000)
        end
    end

    local function refuse(i, at, why)
        codes[i] = { err = rare().plain(why) }
        return_item(at)
    end

    -- What a completion without bonds has written. Where its place in the set stays it is completed.
    local function take_back(i, at, fields, job)
        local id = ARGV[at + 1]
        if type(pcall_redis('ZREM', COMPLETED, id)) == 'table' and pcall_redis('ZSCORE', COMPLETED, id) then
            return false
        end
        pcall_redis('HDEL', job, 'returnvalue', 'finishedOn')
        if fields[2] then
            pcall_redis('HSET', job, 'atm', fields[2])
        else
            pcall_redis('HDEL', job, 'atm')
        end
        if told[i] then
            pcall_redis('XDEL', EVENTS, told[i])
        end
        return true
    end

    mend_parts = {
        refuse = refuse,
        -- None of these items is done after all.
        return_all = function(first, last, at)
            for i = first, last do
                if codes[i] == 0 then
                    return_item(at[i])
                end
            end
        end,
        -- An error in the midst of apply_all(): returns the item to go on with.
        after = function(why, at, jobs, fields)
            local spoilt = { item }
            local next_item = item + 1
            if flushing then
                spoilt = held_items
                next_item = spoilt[#spoilt] == item and item + 1 or item
                completed = completed - #spoilt + (item_count == 1 and 1 or 0)
            elseif held_items[#held_items] == item then
                held_items[#held_items], held[#held], held[#held - 1] = nil, nil, nil
            end
            for _, i in ipairs(spoilt) do
                if codes[i] ~= 0 then
                    trouble = why
                elseif take_back(i, at[i], fields[i], jobs[i]) then
                    refuse(i, at[i], why)
                end
            end
            if flushing then
                held, held_items, flushing = {}, {}, false
            end
            return next_item
        end
    }
    return mend_parts
end

local next_at = ITEMS_AT
for first = 1, item_count, CHUNK do
    local last = math.min(first + CHUNK - 1, item_count)
    local at = {}
    for i = first, last do
        at[i] = next_at
        next_at = next_at + SIZE[ARGV[next_at]]
    end
    local jobs, fields = admit(at, first, last)
    if not jobs then
        return { err = fields }
    end
    local from = first
    repeat
        local fine, why = pcall(apply_all, from, last, at, jobs, fields)
        if not fine then
            why = rare().plain(why)
            if rare().is_transient(why) then -- nothing was written yet
                return { err = why }
            end
            from = mend().after(why, at, jobs, fields)
        end
    until fine
end

local metrics_points = tonumber(ARGV[10])
if metrics_points > 0 and completed > 0 then
    trouble = apply_unit(rare().count_metrics, BASE .. 'metrics:completed', metrics_points, completed, now) or
        trouble
end
if metrics_points > 0 and failed > 0 then
    trouble = apply_unit(rare().count_metrics, BASE .. 'metrics:failed', metrics_points, failed, now) or
        trouble
end
