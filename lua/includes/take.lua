-- Takes jobs to be run: moveToActive, once for as many as are wanted. lib/spec/bullmq.md §§4.2, 4.4, 4.5
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
    state.popped, state.popped_count = ids, count
    if count < wanted then
        local best = call('ZPOPMIN', BASE .. 'prioritized', wanted - count)
        for i = 1, #best, 2 do
            count = count + 1
            ids[count] = best[i]
            state.scores[best[i]] = best[i + 1]
        end
        state.popped_count = count
    end
    return ids, count
end

-- Locks the jobs, tells of them and appends them to `jobs`. Returns how many ids were ghosts. Only jobs
-- whose failure is not decided yet count for the rate limit (BMQ-166). An id whose key is no hash goes to
-- `active`, where the stalled check names it: there is nothing to run.
local function start_jobs(ids, count, jobs, max, duration)
    local token_prefix, first_token = ARGV[4], tonumber(ARGV[5])
    local lock_duration, worker_name = ARGV[6], ARGV[9]
    local live, alive, limited, taken = {}, 0, 0, #jobs
    local hashes, attempts, counted = {}, {}, {}
    for i = 1, count do
        local fields, started, deferred = read_job(BASE .. ids[i])
        if fields then
            hashes[i], attempts[i] = fields, started
            alive = alive + 1
            live[alive] = ids[i]
            if not deferred then
                limited = limited + 1
                counted[i] = max and true
            end
        elseif started then
            if started:sub(1, 9) ~= 'WRONGTYPE' then
                error(started, 0)
            end
            state.trouble = 'job ' .. ids[i] .. ': ' .. started
            alive = alive + 1
            live[alive] = ids[i]
        end
    end
    if alive > 0 then
        call('LPUSH', ACTIVE, unpack(live))
        state.popped_active = true
    end
    if max then
        rare().count_started(BASE .. 'limiter', limited, duration)
        state.popped_limited, state.counted = true, counted
    end
    for i = 1, count do
        local fields, id = hashes[i], ids[i]
        state.starting, state.starting_event = i, nil
        if fields then
            local job = BASE .. id
            local token = token_prefix .. string.format('%.0f', first_token + taken)
            local started = attempts[i]
            local ats = started and string.format('%.0f', started + 1) or '1'
            call('SET', job .. ':lock', token, 'PX', lock_duration)
            state.starting_event = call('XADD', EVENTS, '*', 'event', 'active', 'jobId', id, 'prev',
                                        'waiting')
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
            taken = taken + 1
            jobs[taken] = fields
        end
    end
    state.popped_count, state.popped_active, state.popped_limited, state.starting = 0, false, false, 1
    return count - alive
end

-- `pop` gives up to so many ids and their number, as pop_ids does; none and `true`: there are more, which
-- the next call gets. Appends to `jobs`. Sets how long the rate limit holds (ms), when the next delayed job
-- is due (ms), whether the queue is blocked, and how many ghosts were dropped.
local jobs, ttl, due, is_blocked, ghosts = {}, 0, 0, false, 0

local function take_jobs(pop)
    local max = meta.max or (ARGV[7] ~= '0' and tonumber(ARGV[7])) or nil
    local room_ttl
    local duration = max and (tonumber(ARGV[8]) or meta.duration or 0)
    if #call('ZRANGEBYSCORE', DELAYED, 0, (now + 1) * 4096 - 1, 'LIMIT', 0, 1) > 0 then
        local fine, why = rare().attempt(rare().promote_due, rare().q, now)
        if not fine then
            error(why, 0)
        end
    end
    while #jobs < want do
        local room = math.min(want - #jobs, TAKE_BATCH)
        if max then
            room, room_ttl = rare().limiter_room(BASE .. 'limiter', max, room)
            if room_ttl > 0 then
                ttl = room_ttl
                return
            end
        end
        if meta.concurrency then
            room = math.min(room, math.ceil(meta.concurrency - call('LLEN', ACTIVE)))
        end
        if meta.paused or room <= 0 then
            is_blocked = true
            return
        end
        local ids, count, more = pop(room)
        if count == 0 then
            if more then
                is_blocked = true
                return
            end
            call('DEL', BASE .. 'pc')
            local first = call('ZRANGE', DELAYED, 0, 0, 'WITHSCORES')
            due = first[2] and math.floor(tonumber(first[2]) / 4096) or 0
            return
        end
        ghosts = ghosts + start_jobs(ids, count, jobs, max, duration)
    end
end
