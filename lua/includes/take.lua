-- Takes jobs to be run: moveToActive, once for as many as are wanted. §§4.2, 4.4, 4.5
--
-- For lua/settle.lua and settle_grouped.lua: BASE, now, `meta` and the ARGV of the fetching half are there.
--- include "job_reply"

local TAKE_BATCH = 1000

-- Pre-5 markers ("0:…") are dropped, and as many ids are popped for them.
local function drop_old_markers(ids, wanted)
    repeat
        local dropped = 0
        for i = #ids, 1, -1 do
            if ids[i]:sub(1, 2) == '0:' then
                table.remove(ids, i)
                dropped = dropped + 1
            end
        end
        if dropped > 0 then
            for _, id in ipairs(call('RPOP', WAIT, wanted - #ids) or {}) do
                ids[#ids + 1] = id
            end
        end
    until dropped == 0
end

-- Up to `wanted` ids, `wait` before `prioritized`.
local function pop_ids(wanted)
    local ids = call('RPOP', WAIT, wanted) or {}
    for i = 1, #ids do
        if ids[i]:sub(1, 2) == '0:' then
            drop_old_markers(ids, wanted)
            break
        end
    end
    local count = #ids
    if count < wanted then
        local best = call('ZPOPMIN', BASE .. 'prioritized', wanted - count)
        for i = 1, #best, 2 do
            count = count + 1
            ids[count] = best[i]
        end
    end
    return ids, count
end

-- Locks the jobs, tells of them and appends them to `jobs`. Returns how many ids were ghosts, and how
-- many jobs count for the rate limit: those whose failure is decided already do not (BMQ-166).
local function start_jobs(ids, count, jobs)
    local token_prefix, first_token = ARGV[4], tonumber(ARGV[5])
    local lock_duration, worker_name = ARGV[6], ARGV[9]
    local live, alive, limited, taken = {}, 0, 0, #jobs
    for i = 1, count do
        local id = ids[i]
        local job = BASE .. id
        local fields, started, deferred = read_job(job)
        if fields then
            local token = token_prefix .. string.format('%.0f', first_token + taken)
            local ats = started and string.format('%.0f', started + 1) or '1'
            call('SET', job .. ':lock', token, 'PX', lock_duration)
            call('XADD', EVENTS, '*', 'event', 'active', 'jobId', id, 'prev', 'waiting')
            if worker_name == '' then
                call('HSET', job, 'processedOn', now_text, 'ats', ats)
            else
                call('HSET', job, 'processedOn', now_text, 'ats', ats, 'pb', worker_name)
            end
            local at = #fields
            fields[at + 1], fields[at + 2] = ':id', id
            fields[at + 3], fields[at + 4] = ':token', token
            fields[at + 5], fields[at + 6] = 'processedOn', now_text
            fields[at + 7], fields[at + 8] = 'ats', ats
            taken, alive = taken + 1, alive + 1
            jobs[taken], live[alive] = fields, id
            if not deferred then
                limited = limited + 1
            end
        end
    end
    if alive > 0 then
        call('LPUSH', ACTIVE, unpack(live))
    end
    return count - alive, limited
end

-- `pop` gives up to so many ids and their number, as pop_ids does; none and `true`: there are more, which
-- the next call gets. Returns the jobs, how long the rate limit holds (ms), when the next delayed job is due
-- (ms), whether the queue is blocked, and how many ghosts were dropped.
local function take_jobs(pop)
    local max = meta.max or (ARGV[7] ~= '0' and tonumber(ARGV[7])) or nil
    local jobs, ghosts = {}, 0
    local due = call('ZRANGEBYSCORE', DELAYED, 0, (now + 1) * 4096 - 1, 'LIMIT', 0, 1)
    if #due > 0 then
        rare().promote_due(rare().q, now)
    end
    while #jobs < want do
        local room = math.min(want - #jobs, TAKE_BATCH)
        if max then
            local ttl
            room, ttl = rare().limiter_room(BASE .. 'limiter', max, room)
            if ttl > 0 then
                return jobs, ttl, 0, false, ghosts
            end
        end
        if meta.concurrency then
            room = math.min(room, math.ceil(meta.concurrency - call('LLEN', ACTIVE)))
        end
        if meta.paused or room <= 0 then
            return jobs, 0, 0, true, ghosts
        end
        local ids, count, more = pop(room)
        if count == 0 then
            if more then
                return jobs, 0, 0, true, ghosts
            end
            call('DEL', BASE .. 'pc')
            local first = call('ZRANGE', DELAYED, 0, 0, 'WITHSCORES')
            return jobs, 0, first[2] and math.floor(tonumber(first[2]) / 4096) or 0, false, ghosts
        end
        local dropped, limited = start_jobs(ids, count, jobs)
        ghosts = ghosts + dropped
        if max then
            rare().count_started(BASE .. 'limiter', limited,
                                 tonumber(ARGV[8]) or meta.duration or 0)
        end
    end
    return jobs, 0, 0, false, ghosts
end
