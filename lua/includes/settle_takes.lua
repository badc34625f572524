-- The second half of lua/settle.lua: jobs are taken. `next_ids` is there: pop_ids, or what stands for it.
-- What fails here is told beside the codes of the ends, which stand.

local function take()
    take_jobs(next_ids)
    if #jobs > 0 then
        call('ZADD', BASE .. 'marker', '0', '0')
    end
    if delays > #jobs then -- a delayed retry that gets a job in exchange leaves the marker alone: §5.7
        rare().signal_delay(rare().q)
    end
end

if want > 0 then
    local fine, why = pcall(take)
    if not fine then
        give_back()
        refusal = rare().plain(why)
        if rare().is_transient(refusal) then -- the first write of the call
            return { err = refusal }
        end
    end
end

local function tell_drained()
    if call('LLEN', WAIT) == 0 and call('LLEN', ACTIVE) == 0 and
       call('ZCARD', BASE .. 'prioritized') == 0 then
        call('XADD', EVENTS, '*', 'event', 'drained')
    end
end

if finished_last and #jobs == 0 and ttl == 0 and due == 0 and not is_blocked and refusal == '' then
    local fine, why = pcall(tell_drained)
    trouble = fine and trouble or why
end
