--[[ return_marker: a marker was popped for a queue that cannot take now; puts it back for others if it still
says something. A queue that has nothing has no marker, and a pause has deleted it: resume sets it anew.
lib/spec/bullmq.md §4.1, §7.3

KEYS  1 base
ARGV  1 member: 0 for what waits, 1 for what is delayed
Result  1 put back, 0 not ]]
--- keys 1
--- include "enqueue"

local q = queue_at(KEYS[1])
if meta_of(q).paused then
    return 0
end
if ARGV[1] == '0' then
    if call('LLEN', q.wait) + call('ZCARD', q.prioritized) == 0 then
        return 0
    end
    return call('ZADD', q.marker, 0, '0')
end
local due = first_due_score(q)
return due and call('ZADD', q.marker, due / 4096, '1') or 0
