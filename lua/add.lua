--[[ add: adds one job, whichever way it has to go. lib/spec/bullmq.md §3

KEYS  1 base
ARGV  1 now (ms)  2 '5': as BullMQ 5.x, '6': as 6.x; then the job: includes/insert.lua
Result  the job's id, or that of the job it duplicates; -5 parent missing, -7 another parent's job ]]
--- keys 1
--- include "insert"

return all_or_nothing(function()
    return insert_job(queue_at(KEYS[1]), read_job_args(3), tonumber(ARGV[1]), false, tonumber(ARGV[2]))
end)
