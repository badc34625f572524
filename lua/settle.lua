--[[ settle: ends attempts and takes new jobs, both for as many as are ready. Everything left behind is
what BullMQ's calls, one after the other, leave: all ends in the order given, then the takes.
Spec §§4.4, 4.5, 5.3, 5.5–5.8.

KEYS  all keys of the queue (includes/keys.lua)
ARGV  1 now (ms)  2 number of items  3 jobs wanted  4 token prefix  5 number of the first token
      6 lock duration (ms)  7 limiter max, 0: none  8 limiter duration, '': none
      9 worker name, '': none  10 metrics data points, 0: none
      then the items, each with its kind, id and token ("0": no lock), and:
      c  completed, all kept          value
      C  completed                    value, keep count, age, limit (each < 0: none)
      F  failed for good              value, has fields, failedReason, stacktrace, attempts,
                                      keep count, age, limit
      R  retried at once              has fields, failedReason, stacktrace, lifo
      D  to delayed                   has fields, failedReason, stacktrace, counts attempt, delay
      W  put back to wait             -
      Flags are '1' or '0'.
Result { codes, jobs, limit ttl (ms), next due (ms), ghosts dropped }
      codes: one integer an item, 0 or a code of §0; jobs: includes/job_reply.lua

An item that is refused leaves the others alone. Two phases: first every item is checked, unlocked and
taken out of `active`, with as few calls as the batch allows; then each one's effects follow in turn. ]]
--- keys 20
--- include "keys"
--- include "queue"
--- include "rare"
--- include "take"

local pcall_redis = redis.pcall
local now_text = ARGV[1]
local now = tonumber(now_text)
local item_count = tonumber(ARGV[2])
local want = tonumber(ARGV[3])
local metrics_points = tonumber(ARGV[10])
local ITEMS_AT = 11

local SIZE = { c = 4, C = 7, F = 11, R = 7, D = 8, W = 3 }
local CHUNK = 500 -- items checked together; unpack() ends near 8000 values

local MISSING, NO_LOCK, NOT_ACTIVE, PENDING, OTHER_LOCK, FAILED_CHILD = -1, -2, -3, -4, -6, -9

local q = queue_at(BASE)
local codes = {}
local finished = { completed = 0, failed = 0 }
local delays = 0
local finished_last = false -- no job left `active` for `delayed` after the last one finished
local trimmed = false

-- Finished jobs that await their place in the sets: ZADD arguments by target, and the retentions to
-- apply then. Held back so that a batch costs one call; a single item is never held back, so that its
-- events come in the reference's order.
local held = { completed = {}, failed = {} }
local retentions = {}

local function flush_finished()
    for target, args in pairs(held) do
        for first = 1, #args, 4000 do
            call('ZADD', q[target], unpack(args, first, math.min(first + 3999, #args)))
        end
        held[target] = {}
    end
    for _, r in ipairs(retentions) do
        rare().apply_retention(q, q[r.target], r.count, r.age, r.limit, r.times, now)
    end
    retentions = {}
end

local function add_retention(target, count, age, limit)
    local last = retentions[#retentions]
    if last and last.target == target and last.count == count and last.age == age and
       last.limit == limit then
        last.times = last.times + 1
        return
    end
    retentions[#retentions + 1] = {
        target = target, count = count, age = age, limit = limit, times = 1
    }
end

-- The fields a check reads. The first ones are the same for all kinds.
local function read_fields(kind, job)
    if kind == 'c' or kind == 'C' then
        return pcall_redis('HMGET', job, 'name', 'atm', 'parentKey', 'deid')
    end
    return pcall_redis('HMGET', job, 'name', 'atm', 'parentKey', 'deid', 'priority')
end

-- -4 and -9 for a job that wants to complete, 0 otherwise.
local function check_children(job)
    if call('SCARD', job .. ':dependencies') > 0 then
        return PENDING
    end
    return call('ZCARD', job .. ':unsuccessful') > 0 and FAILED_CHILD or 0
end

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

-- Phase 1 for items first … last, whose kinds stand at ARGV[at[i]]. Sets codes; returns job keys and
-- the fields read.
local function admit(at, first, last)
    local jobs, fields, lock_keys, child_keys = {}, {}, {}, {}
    for i = first, last do
        local job = BASE .. ARGV[at[i] + 1]
        local kind = ARGV[at[i]]
        jobs[i] = job
        lock_keys[i - first + 1] = job .. ':lock'
        if kind == 'c' or kind == 'C' then
            child_keys[#child_keys + 1] = job .. ':dependencies'
            child_keys[#child_keys + 1] = job .. ':unsuccessful'
        end
    end
    local locks = call('MGET', unpack(lock_keys))
    local any_children = #child_keys > 0 and call('EXISTS', unpack(child_keys)) > 0
    local lock_of = {}
    for i = first, last do
        lock_of[jobs[i]] = locks[i - first + 1]
    end

    local open_keys, open_ids, open = {}, {}, 0
    local leaving, leaving_items, left = {}, {}, 0
    for i = first, last do
        local kind, id, token = ARGV[at[i]], ARGV[at[i] + 1], ARGV[at[i] + 2]
        local job, code = jobs[i], 0
        local f = read_fields(kind, job)
        fields[i] = f
        if not f[1] and (f.err or call('EXISTS', job) == 0) then
            code = MISSING
        elseif any_children and (kind == 'c' or kind == 'C') then
            code = check_children(job)
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
        call('SREM', STALLED, unpack(open_ids))
    end
    local absent = leave_active(leaving, left)
    if absent then
        for j, id in ipairs(leaving) do
            if absent[id] then
                codes[leaving_items[j]] = NOT_ACTIVE
            end
        end
    end
    return jobs, fields
end

local function write_failure(job, at)
    if ARGV[at] == '1' then
        call('HSET', job, 'failedReason', ARGV[at + 1], 'stacktrace', ARGV[at + 2])
    end
end

-- Deduplication and parent, which few jobs have. §5.3 steps 8–10
local function settle_bonds(target, id, job, f, value)
    local parent_key, deid = f[3], f[4]
    if deid then
        rare().release_dedup(q, deid, id)
        rare().requeue_parked(q, deid, now)
    end
    if parent_key then
        local parent = rare().parent_of(parent_key, call('HGET', job, 'parent'))
        if parent and target == 'completed' then
            rare().child_completed(parent, job, value, now)
        elseif parent then
            rare().child_failed(parent, job, value, now)
        end
    end
end

-- Steps 11 and 12 for a job that is kept or, count 0, not.
local function keep_finished(target, id, job, f, made, value, at, keep)
    local count = keep and tonumber(ARGV[keep]) or -1
    if count == 0 then
        rare().delete_jobs(q, { id })
        if f[3] then
            rare().unlink(job, f[3])
        end
        return
    end
    if target == 'completed' then
        call('HSET', job, 'atm', made, 'returnvalue', value, 'finishedOn', now_text)
    else
        if ARGV[at + 4] == '1' then
            call('HSET', job, 'atm', made, 'stacktrace', ARGV[at + 6], 'failedReason', value,
                 'finishedOn', now_text)
        else
            call('HSET', job, 'atm', made, 'failedReason', value, 'finishedOn', now_text)
        end
        call('HDEL', job, 'defa')
    end
    local args = held[target]
    args[#args + 1] = now_text
    args[#args + 1] = id
    if keep then
        local age = tonumber(ARGV[keep + 1])
        if count > 0 or age >= 0 then
            add_retention(target, count, age, tonumber(ARGV[keep + 2]))
        end
    end
    if item_count == 1 then
        flush_finished()
    end
end

local function finish(target, id, job, f, at, keep)
    local value = ARGV[at + 3]
    if not trimmed then
        trimmed = true
        trim_events(q)
    end
    if f[3] or f[4] then
        settle_bonds(target, id, job, f, value)
    end
    local made = f[2] and (tonumber(f[2]) or 0) + 1 or 1
    keep_finished(target, id, job, f, made, value, at, keep)
    if target == 'completed' then
        call('XADD', EVENTS, '*', 'event', 'completed', 'jobId', id, 'returnvalue', value, 'prev',
             'active')
    else
        emit(q, 'failed', 'jobId', id, 'failedReason', value, 'prev', 'active')
        if made >= tonumber(ARGV[at + 7]) then
            emit(q, 'retries-exhausted', 'jobId', id, 'attemptsMade', made)
        end
    end
    finished[target] = finished[target] + 1
    finished_last = true
end

-- §5.6
local function retry(id, job, f, at)
    local priority = tonumber(f[5]) or 0
    write_failure(job, at + 3)
    if priority == 0 then
        rare().to_wait(q, id, ARGV[at + 6] == '1' and 'RPUSH' or 'LPUSH')
    else
        rare().to_prioritized(q, id, priority)
    end
    call('HINCRBY', job, 'atm', 1)
    emit_trimmed(q, 'waiting', 'jobId', id, 'prev', 'active')
end

-- §5.7; where jobs are wanted the marker waits for what is taken
local function delay(id, job, at)
    local ms = tonumber(ARGV[at + 7])
    write_failure(job, at + 3)
    if ARGV[at + 6] == '1' then
        call('HINCRBY', job, 'atm', 1)
    end
    call('HSET', job, 'delay', ARGV[at + 7])
    rare().add_delayed(q, id, now, ms)
    finished_last = false
    if want == 0 then
        rare().signal_delay(q)
    else
        delays = delays + 1
    end
end

-- §5.8: not being in `active` is no error here.
local function put_back(id, f)
    if call('LREM', ACTIVE, 1, id) == 0 then
        return
    end
    local priority = tonumber(f[5]) or 0
    if priority > 0 then
        rare().to_prioritized_front(q, id, priority)
    else
        rare().to_wait(q, id, 'RPUSH')
    end
    emit_trimmed(q, 'waiting', 'jobId', id, 'prev', 'active')
end

-- Phase 2 for one item.
local function apply(i, at, job, f)
    local kind, id, code = ARGV[at], ARGV[at + 1], codes[i]
    if kind == 'R' then
        rare().promote_due(q, now)
    end
    if code == NOT_ACTIVE then -- found out only after the fields were written
        if kind == 'F' then
            write_failure(job, at + 4)
        elseif kind == 'R' or kind == 'D' then
            write_failure(job, at + 3)
        end
    end
    if code ~= 0 then
        return
    end
    if kind == 'c' then
        finish('completed', id, job, f, at, nil)
    elseif kind == 'C' then
        finish('completed', id, job, f, at, at + 4)
    elseif kind == 'F' then
        finish('failed', id, job, f, at, at + 8)
    elseif kind == 'R' then
        retry(id, job, f, at)
    elseif kind == 'D' then
        delay(id, job, at)
    else
        put_back(id, f)
    end
end

local function settle_items()
    local at, next_at = {}, ITEMS_AT
    for i = 1, item_count do
        at[i] = next_at
        next_at = next_at + SIZE[ARGV[next_at]]
    end
    for first = 1, item_count, CHUNK do
        local last = math.min(first + CHUNK - 1, item_count)
        local jobs, fields = admit(at, first, last)
        for i = first, last do
            apply(i, at[i], jobs[i], fields[i])
        end
    end
    flush_finished()
    if metrics_points > 0 then
        if finished.completed > 0 then
            rare().count_metrics(METRICS_COMPLETED, metrics_points, finished.completed, now)
        end
        if finished.failed > 0 then
            rare().count_metrics(METRICS_FAILED, metrics_points, finished.failed, now)
        end
    end
end

local function is_drained()
    return call('LLEN', WAIT) == 0 and call('LLEN', ACTIVE) == 0 and
           call('ZCARD', PRIORITIZED) == 0
end

if item_count > 0 then
    settle_items()
end

local jobs, ttl, due, is_blocked, ghosts = {}, 0, 0, false, 0
if want > 0 then
    jobs, ttl, due, is_blocked, ghosts = take_jobs(want, {
        now = now,
        now_text = now_text,
        token_prefix = ARGV[4],
        first_token = tonumber(ARGV[5]),
        lock_duration = ARGV[6],
        limiter_max = ARGV[7] ~= '0' and tonumber(ARGV[7]) or nil,
        limiter_duration = tonumber(ARGV[8]),
        worker_name = ARGV[9]
    })
end
-- A delayed retry that gets a job in exchange leaves the marker alone. §5.7
if delays > #jobs then
    rare().signal_delay(q)
end
if finished_last and #jobs == 0 and ttl == 0 and due == 0 and not is_blocked and is_drained() then
    emit(q, 'drained')
end
return { codes, jobs, ttl, due, ghosts }
