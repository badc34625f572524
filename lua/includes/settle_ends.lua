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
local codes = {}

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
-- fields read: name, atm, parentKey, deid and, unless it completes, priority.
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
        if not f[1] and (f.err or call('EXISTS', job) == 0) then
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
    if open > 0 then
        call('DEL', unpack(open_keys))
        call('SREM', BASE .. 'stalled', unpack(open_ids))
    end
    local absent = leave_active(leaving, left)
    for j = 1, absent and left or 0 do
        if absent[leaving[j]] then
            codes[leaving_items[j]] = NOT_ACTIVE
        end
    end
    return jobs, fields
end

-- Completed jobs that await their place in the set, as arguments of ZADD, and where the retention that
-- they share stands in ARGV; nil: all are kept. Held back so that a batch costs one call. A single item is
-- not held back, so that its events come in the reference's order.
local held, held_keep = {}, nil

local function flush_completed()
    if #held == 0 then
        return
    end
    call('ZADD', COMPLETED, unpack(held))
    if held_keep then
        retention().retain(COMPLETED, held_keep, #held / 2)
    end
    held = {}
end

local function same_keep(a, b)
    return a == b or (a and b and ARGV[a] == ARGV[b] and ARGV[a + 1] == ARGV[b + 1] and
                      ARGV[a + 2] == ARGV[b + 2])
end

-- §5.3 from step 8 on; `keep`: where the retention stands, or nil.
local function complete(id, job, f, value, keep)
    if f[3] or f[4] then
        rare().settle_bonds('completed', id, job, f, value)
    end
    if keep and ARGV[keep] == '0' then
        retention().discard(id, job, f[3])
    else
        local made = f[2] and (tonumber(f[2]) or 0) + 1 or '1'
        call('HSET', job, 'atm', made, 'returnvalue', value, 'finishedOn', now_text)
        if not same_keep(keep, held_keep) then
            flush_completed()
            held_keep = keep
        end
        held[#held + 1] = now_text
        held[#held + 1] = id
        if item_count == 1 then
            flush_completed()
        end
    end
    call('XADD', EVENTS, '*', 'event', 'completed', 'jobId', id, 'returnvalue', value, 'prev',
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

-- Phase 2 for an admitted item.
local function apply(kind, id, job, f, at)
    if kind == 'c' or kind == 'C' then
        trim_events_once()
        complete(id, job, f, ARGV[at + 3], kind == 'C' and at + 4 or nil)
        completed, finished_last = completed + 1, true
    elseif kind == 'F' then
        trim_events_once()
        rare().fail(id, job, f, at)
        failed, finished_last = failed + 1, true
    elseif kind == 'R' then
        rare().retry(id, job, f, at)
    elseif kind == 'D' then
        rare().delay(id, job, at)
        delays, finished_last = delays + 1, false
    else
        rare().put_back(id, f)
    end
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
    for i = first, last do
        local kind = ARGV[at[i]]
        if kind == 'R' then -- before anything else, even if the job is gone: §5.6
            rare().promote_due(rare().q, now)
        end
        if codes[i] == 0 then
            apply(kind, ARGV[at[i] + 1], jobs[i], fields[i], at[i])
        elseif codes[i] == NOT_ACTIVE then
            rare().write_refused(jobs[i], at[i])
        elseif codes[i] == PENDING_CHILDREN or codes[i] == FAILED_CHILDREN then
            want = want - 1 -- its worker keeps the job, and with it the slot
        end
    end
    flush_completed()
end

local metrics_points = tonumber(ARGV[10])
if metrics_points > 0 and completed > 0 then
    rare().count_metrics(BASE .. 'metrics:completed', metrics_points, completed, now)
end
if metrics_points > 0 and failed > 0 then
    rare().count_metrics(BASE .. 'metrics:failed', metrics_points, failed, now)
end
