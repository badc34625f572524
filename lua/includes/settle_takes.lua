-- The second half of lua/settle.lua: jobs are taken. `next_ids` is there: pop_ids, or what stands for it.

local jobs, ttl, due, is_blocked, ghosts = {}, 0, 0, false, 0
if want > 0 then
    jobs, ttl, due, is_blocked, ghosts = take_jobs(next_ids)
    if #jobs > 0 then
        call('ZADD', BASE .. 'marker', '0', '0')
    end
    if delays > #jobs then -- a delayed retry that gets a job in exchange leaves the marker alone: §5.7
        rare().signal_delay(rare().q)
    end
end
if finished_last and #jobs == 0 and ttl == 0 and due == 0 and not is_blocked and
   call('LLEN', WAIT) == 0 and call('LLEN', ACTIVE) == 0 and
   call('ZCARD', BASE .. 'prioritized') == 0 then
    call('XADD', EVENTS, '*', 'event', 'drained')
end
