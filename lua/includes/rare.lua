-- What few calls need. Making a function costs Redis as much as running it, so these are made when the
-- first one is asked for: rare().to_wait(…).
--- include "queue"

local rare_parts

local function rare()
    if rare_parts then
        return rare_parts
    end
--- include "enqueue"
--- include "dedup"
--- include "remove"
--- include "metrics"
    rare_parts = {
        to_wait = to_wait,
        to_prioritized = to_prioritized,
        to_prioritized_front = to_prioritized_front,
        add_delayed = add_delayed,
        signal_delay = signal_delay,
        promote_due = promote_due,
        release_dedup = release_dedup,
        requeue_parked = requeue_parked,
        parent_of = parent_of,
        child_completed = child_completed,
        child_failed = child_failed,
        unlink = unlink,
        delete_jobs = delete_jobs,
        apply_retention = apply_retention,
        count_metrics = count_metrics
    }
    return rare_parts
end
