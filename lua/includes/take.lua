-- Takes jobs to be run: moveToActive, once for as many as are wanted. §4.2, 4.4, 4.5
--- include "rare"
--- include "job_reply"

-- Up to `n` ids from `wait`. Pre-5 markers ("0:…") are dropped.
local function pop_wait(n)
    local ids = call('RPOP', WAIT, n) or {}
    local popped = #ids
    for i = popped, 1, -1 do
        if ids[i]:sub(1, 2) == '0:' then
            table.remove(ids, i)
        end
    end
    if #ids < popped then
        for _, id in ipairs(pop_wait(n - #ids)) do
            ids[#ids + 1] = id
        end
    end
    return ids
end

-- Up to `n` ids, `wait` before `prioritized`.
local function pop_ids(n)
    local ids = pop_wait(n)
    local count = #ids
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

local TAKE_BATCH = 1000

-- §4.3, which most often finds nothing due
local function promote(q, now)
    local due = call('ZRANGEBYSCORE', DELAYED, 0, (now + 1) * 4096 - 1, 'LIMIT', 0, 1)
    if #due > 0 then
        rare().promote_due(q, now)
    end
end

-- When the first delayed job is due, in ms; 0 without one.
local function next_due()
    local first = call('ZRANGE', DELAYED, 0, 0, 'WITHSCORES')
    return first[2] and math.floor(tonumber(first[2]) / 4096) or 0
end

-- opts: now, now_text, token_prefix, first_token, lock_duration, limiter_max, limiter_duration,
-- worker_name. Returns the jobs, how long the rate limit holds (ms), when the next delayed job is due
-- (ms), whether the queue is blocked, and how many ghosts were dropped.
local function take_jobs(want, opts)
    local q = queue_at(BASE)
    local meta = meta_of(q)
    local max = meta.max or opts.limiter_max
    local duration = opts.limiter_duration or meta.duration or 0
    local now_text, lock_duration = opts.now_text, opts.lock_duration
    local token_prefix, first_token = opts.token_prefix, opts.first_token
    local worker_name = opts.worker_name ~= '' and opts.worker_name or nil
    local jobs, taken, ghosts = {}, 0, 0
    local ttl, is_blocked, due = 0, false, 0

    promote(q, opts.now)
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
            due = next_due()
            break
        end
        local live, alive, limited = {}, 0, 0
        for i = 1, count do
            local id = ids[i]
            local job = BASE .. id
            local fields, started, deferred = read_job(job)
            if fields then
                local token = token_prefix .. string.format('%.0f', first_token + taken)
                local ats = started and string.format('%.0f', started + 1) or '1'
                call('SET', job .. ':lock', token, 'PX', lock_duration)
                call('XADD', EVENTS, '*', 'event', 'active', 'jobId', id, 'prev', 'waiting')
                if worker_name then
                    call('HSET', job, 'processedOn', now_text, 'ats', ats, 'pb', worker_name)
                else
                    call('HSET', job, 'processedOn', now_text, 'ats', ats)
                end
                local at = #fields
                fields[at + 1], fields[at + 2] = ':id', id
                fields[at + 3], fields[at + 4] = ':token', token
                fields[at + 5], fields[at + 6] = 'processedOn', now_text
                fields[at + 7], fields[at + 8] = 'ats', ats
                taken = taken + 1
                jobs[taken] = fields
                alive = alive + 1
                live[alive] = id
                if not deferred then
                    limited = limited + 1
                end
            else
                ghosts = ghosts + 1
            end
        end
        if alive > 0 then
            call('LPUSH', ACTIVE, unpack(live))
        end
        if max then
            count_started(limited, duration)
        end
    end
    if taken > 0 then
        call('ZADD', MARKER, 0, '0')
    end
    return jobs, ttl, due, is_blocked, ghosts
end
