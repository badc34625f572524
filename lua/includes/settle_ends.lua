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
local codes = {} -- of a refused end: its error

-- What rare parts see of the call. A table, because making functions that share many variables costs.
local state = {
    codes = codes,
    trouble = '', -- what went wrong beside the ends
    refusal = '', -- why no more jobs were taken

    -- Completed jobs that await their place in the set, as arguments of ZADD, their items, and where the
    -- retention that they share stands in ARGV; nil: all are kept. Held back so that a batch costs one call.
    -- A single item is not held back, so that its events come in the reference's order.
    held = {}, held_items = {}, held_keep = nil,
    entered = 0, -- others that share the retention and are in the set already
    flushing = false,
    told = {},   -- ids of the events of completed items
    item = 0,    -- the one under way
    completed = 0,

    -- What would be in no set if an error came now.
    popped = {}, popped_count = 0, -- ids taken out
    scores = {},                   -- of those that came from `prioritized`
    popped_active = false,         -- they are in `active`
    counted = {},                  -- those that were counted for the rate limit
    popped_limited = false,        -- and they were
    starting = 1, starting_event = nil -- the first of them that is not begun, and its event
}

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
            rare().mend().return_all(first, last, at)
            return nil, reply.err
        end
        reply = pcall_redis('SREM', BASE .. 'stalled', unpack(open_ids))
        if type(reply) == 'table' then -- marks only
            state.trouble = reply.err
        end
    end
    return jobs, fields
end

local function flush_completed()
    local held, count = state.held, state.entered
    if held[1] then
        state.flushing = true
        call('ZADD', COMPLETED, unpack(held))
        state.flushing = false
        count = count + #held / 2
        state.held, state.held_items = {}, {}
    end
    state.entered = 0
    if state.held_keep and count > 0 then
        retention().retain(COMPLETED, state.held_keep, count)
    end
end

local function same_keep(a, b)
    return a == b or (a and b and ARGV[a] == ARGV[b] and ARGV[a + 1] == ARGV[b + 1] and
                      ARGV[a + 2] == ARGV[b + 2])
end

local failed, delays = 0, 0
local finished_last = false -- no job left `active` for `delayed` after the last one finished

-- lib/spec/bullmq.md §5.3 step 7, once a call
local function trim_events_once()
    if state.completed + failed > 0 then
        return
    end
    local most_events = meta_fields[5]
    if not most_events then
        most_events = '10000'
        call('HSET', META, 'opts.maxLenEvents', most_events)
    end
    call('XTRIM', EVENTS, 'MAXLEN', '~', most_events)
end

-- §5.3 from step 8 on: nil, or why there is nothing of it.
local function complete(i, id, job, f, at)
    local keep = ARGV[at] == 'C' and at + 4 or nil
    local is_kept, value = not keep or ARGV[keep] ~= '0', ARGV[at + 3]
    trim_events_once()
    if is_kept and not same_keep(keep, state.held_keep) then
        flush_completed()
        state.held_keep = keep
    end
    if f[3] or f[4] then
        local why = rare().unit(rare().complete_bound, id, job, f, value, keep)
        if why then
            return why
        end
        state.entered = state.entered + (is_kept and item_count > 1 and 1 or 0)
    else
        if is_kept then
            local made = f[2] and (tonumber(f[2]) or 0) + 1 or '1'
            local held, items = state.held, state.held_items
            call('HSET', job, 'atm', made, 'returnvalue', value, 'finishedOn', now_text)
            held[#held + 1] = now_text
            held[#held + 1] = id
            items[#items + 1] = i
            if item_count == 1 then
                flush_completed()
            end
        end
        state.told[i] = call('XADD', EVENTS, '*', 'event', 'completed', 'jobId', id, 'returnvalue', value,
                             'prev', 'active')
        if not is_kept then
            retention().delete(id)
        end
    end
    state.completed, finished_last = state.completed + 1, true
    return nil
end

-- Phase 2 for admitted items. An error comes of a completion without bonds; what it wrote is taken back by
-- mend(). All else is done in units.
local function apply(from, last, at, jobs, fields)
    for i = from, last do
        state.item = i
        local begin, code = at[i], codes[i]
        local kind, id, job = ARGV[begin], ARGV[begin + 1], jobs[i]
        local why
        if kind == 'R' then -- before anything else, even if the job is gone: §5.6
            state.trouble = rare().unit(rare().promote_due, rare().q, now) or state.trouble
        end
        if code == 0 then
            if kind == 'c' or kind == 'C' then
                why = complete(i, id, job, fields[i], begin)
            elseif kind == 'F' then
                trim_events_once()
                why = rare().unit(rare().fail, id, job, fields[i], begin)
                failed, finished_last = failed + (why and 0 or 1), finished_last or not why
            elseif kind == 'R' then
                why = rare().unit(rare().retry, id, job, fields[i], begin)
            elseif kind == 'D' then
                why = rare().unit(rare().delay, id, job, begin)
                delays, finished_last = delays + (why and 0 or 1), why and finished_last or false
            else
                why = rare().unit(rare().put_back, id, fields[i])
            end
            if why then
                rare().mend().refuse(i, begin, why)
            end
        elseif code == NOT_ACTIVE then
            state.trouble = rare().unit(rare().write_refused, job, begin) or state.trouble
        elseif code == PENDING_CHILDREN or code == FAILED_CHILDREN then
            want = want - 1 -- its worker keeps the job, and with it the slot
        end
    end
    state.item = last + 1
    flush_completed()
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
        local fine, why = pcall(apply, from, last, at, jobs, fields)
        if not fine then
            why = rare().plain(why)
            if rare().is_transient(why) then -- nothing was written yet
                return { err = why }
            end
            from = rare().mend().after(why, at, jobs, fields)
        end
    until fine
end

local metrics_points = tonumber(ARGV[10])
if metrics_points > 0 and state.completed > 0 then
    state.trouble = rare().unit(rare().count_metrics, BASE .. 'metrics:completed', metrics_points,
                                state.completed, now) or state.trouble
end
if metrics_points > 0 and failed > 0 then
    state.trouble = rare().unit(rare().count_metrics, BASE .. 'metrics:failed', metrics_points,
                                failed, now) or state.trouble
end
