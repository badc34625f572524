--[[ remove_children: removes the children that a job still waits for; finished and locked ones stay, and so
does the job. lib/spec/bullmq.md §7.2, removeUnprocessedChildren

KEYS  1 base
ARGV  1 id
Result  0 ]]
--- keys 1
--- include "remove_job"

return all_or_nothing(function()
    remove_children(KEYS[1] .. ARGV[1], { processed = true, locked = true })
    return 0
end)
