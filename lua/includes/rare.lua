-- What few calls of lua/settle.lua need. Making a function costs Redis about as much as running it, so these
-- are made when the first of them is asked for: retention().retain(…), rare().retry(…).

local retention_parts, rare_parts
local rare

local function retention()
    if retention_parts then
        return retention_parts
    end
--- include "retention"
    local function unlink_child(job, parent_key)
        return rare().unlink(job, parent_key)
    end
    retention_parts = {
        -- Step 12 of §5.3 for a job that is not kept.
        discard = function(id, job, parent_key)
            delete_jobs(BASE, { id })
            if parent_key then
                unlink_child(job, parent_key)
            end
        end,
        -- The limits stand at ARGV[keep].
        retain = function(set, keep, times)
            apply_retention(BASE, set, { ARGV[keep], ARGV[keep + 1], ARGV[keep + 2] }, times, now,
                            unlink_child)
        end
    }
    return retention_parts
end

function rare()
    if rare_parts then
        return rare_parts
    end
--- include "enqueue"
--- include "ends"
--- include "metrics"
--- include "limiter"
    pause_layout = ARGV[11]
    rare_parts = {
        q = q,
        check_children = check_children,
        write_refused = write_refused,
        settle_bonds = settle_bonds,
        unlink = unlink,
        fail = fail,
        retry = retry,
        delay = delay,
        put_back = put_back,
        promote_due = promote_due,
        signal_delay = signal_delay,
        count_metrics = count_metrics,
        limiter_room = limiter_room,
        count_started = count_started
    }
    return rare_parts
end
