-- The second half of lua/settle.lua: jobs are taken (lib/spec/bullmq.md §4.5). `next_ids` is there: pop_ids,
-- or what stands for it. What fails here is told beside the codes of the ends, which stand.

if want > 0 then
    local fine, why = pcall(take_jobs, next_ids)
    if not fine then
        rare().mend().give_back()
        state.refusal = rare().plain(why)
        if rare().is_transient(state.refusal) then -- the first write of the call
            return { err = state.refusal }
        end
    end
    if #jobs > 0 then
        local reply = pcall_redis('ZADD', BASE .. 'marker', '0', '0')
        state.trouble = type(reply) == 'table' and reply.err or state.trouble
    end
    if delays > #jobs then -- a delayed retry that gets a job in exchange leaves the marker alone: §5.7
        state.trouble = rare().unit(rare().signal_delay, rare().q) or state.trouble
    end
end
if finished_last and #jobs == 0 and ttl == 0 and due == 0 and not is_blocked and state.refusal == '' and
   pcall_redis('LLEN', WAIT) == 0 and pcall_redis('LLEN', ACTIVE) == 0 and
   pcall_redis('ZCARD', BASE .. 'prioritized') == 0 then
    local reply = pcall_redis('XADD', EVENTS, '*', 'event', 'drained')
    state.trouble = type(reply) == 'table' and reply.err or state.trouble
end
