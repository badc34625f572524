-- Takes jobs to be run: moveToActive, once for as many as are wanted. §4.2, 4.4, 4.5
--- include "enqueue"
--- include "job_reply"

-- opts: now, now_text, token_prefix, first_token, lock_duration, limiter_max, limiter_duration,
-- worker_name. Texts are written as they came, numbers are counted with.

-- Up to `n` ids, `wait` before `prioritized`. Pre-5 markers ("0:…") are dropped.
local function pop_ids(n)
    local ids, count = {}, 0
    local popped
    repeat
        popped = call('RPOP', WAIT, n - count) or {}
        for i = 1, #popped do
            local id = popped[i]
            if id:sub(1, 2) ~= '0:' then
                count = count + 1
                ids[count] = id
            end
        end
    until #popped == 0 or count == n
    if count < n then
        local best = call('ZPOPMIN', PRIORITIZED, n - count)
        for i = 1, #best, 2 do
            count = count + 1
            ids[count] = best[i]
        end
    end
    return ids, count
end

-- How many jobs the rate limit lets through now, and for how long it lets none. `max` nil: no limit.
local function limiter_room(max, wanted)
    if not max then
        return wanted, 0
    end
    local started = tonumber(call('GET', LIMITER)) or 0
    if started < max then
        return math.min(wanted, math.ceil(max - started)), 0
    end
    local ttl = call('PTTL', LIMITER)
    if ttl > 0 then
        return 0, ttl
    end
    if ttl == 0 then
        call('DEL', LIMITER)
    end
    return 1, 0
end

local function count_started(started, duration)
    if started > 0 and call('INCRBY', LIMITER, started) == started then
        call('PEXPIRE', LIMITER, math.floor(math.abs(duration)))
    end
end

-- Locks one job and tells of it; its entry for the reply.
local function start_job(id, key, fields, started, token, opts)
    local at = #fields
    local ats = started + 1
    call('SET', key .. ':lock', token, 'PX', opts.lock_duration)
    call('XADD', EVENTS, '*', 'event', 'active', 'jobId', id, 'prev', 'waiting')
    if opts.worker_name ~= '' then
        call('HSET', key, 'processedOn', opts.now_text, 'ats', ats, 'pb', opts.worker_name)
    else
        call('HSET', key, 'processedOn', opts.now_text, 'ats', ats)
    end
    fields[at + 1], fields[at + 2] = ':id', id
    fields[at + 3], fields[at + 4] = ':token', token
    fields[at + 5], fields[at + 6] = 'processedOn', opts.now_text
    fields[at + 7], fields[at + 8] = 'ats', string.format('%.0f', ats)
    return fields
end

local TAKE_BATCH = 1000

-- Returns the jobs, how long the rate limit holds (ms), when the next delayed job is due (ms),
-- whether the queue is blocked, and how many ghosts were dropped.
local function take_jobs(want, opts)
    local q = queue_at(BASE)
    local meta = meta_of(q)
    local max = meta.max or opts.limiter_max
    local duration = opts.limiter_duration or meta.duration or 0
    local jobs, taken, ghosts = {}, 0, 0
    local ttl, is_blocked, empty = 0, false, false

    promote_due(q, opts.now)
    while taken < want do
        local room
        room, ttl = limiter_room(max, math.min(want - taken, TAKE_BATCH))
        if ttl > 0 then
            break
        end
        if blocked(q) then
            is_blocked = true
            break
        end
        if meta.concurrency then
            room = math.min(room, math.ceil(meta.concurrency - call('LLEN', ACTIVE)))
        end
        local ids, count = pop_ids(room)
        if count == 0 then
            call('DEL', PC)
            empty = true
            break
        end
        local live, limited = {}, 0
        for i = 1, count do
            local id = ids[i]
            local key = BASE .. id
            local fields, started, deferred = read_job(key)
            if fields then
                local token = opts.token_prefix ..
                                  string.format('%.0f', opts.first_token + taken)
                live[#live + 1] = id
                taken = taken + 1
                jobs[taken] = start_job(id, key, fields, started, token, opts)
                if not deferred then
                    limited = limited + 1
                end
            else
                ghosts = ghosts + 1
            end
        end
        if #live > 0 then
            call('LPUSH', ACTIVE, unpack(live))
        end
        if max then
            count_started(limited, duration)
        end
    end
    if taken > 0 then
        call('ZADD', MARKER, 0, '0')
    end
    local due = 0
    if empty then
        local score = first_due_score(q)
        due = score and math.floor(score / 4096) or 0
    end
    return jobs, ttl, due, is_blocked, ghosts
end
