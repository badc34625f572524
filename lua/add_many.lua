--[[ add_many: adds jobs of one queue, one after the other. lib/spec/bullmq.md §3.4

KEYS  1 base
ARGV  1 now (ms)  2 '5': as BullMQ 5.x, '6': as 6.x; then each job: includes/insert.lua
Result  of each what `add` gives, or an error; one that is refused leaves the others alone ]]
--- keys 1
--- include "insert"

local q = queue_at(KEYS[1])
local now, line = tonumber(ARGV[1]), tonumber(ARGV[2])
local results = {}

for at = 3, #ARGV, JOB_ARGS do
    local fine, result = attempt(insert_job, q, read_job_args(at), now, false, line)
    results[#results + 1] = fine and result or { err = result }
end
return results
