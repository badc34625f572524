-- What few calls of lua/settle.lua need. Making a function costs Redis about as much as running it, so these
-- are made when the first of them is asked for: retention().retain(…), rare().retry(…).

local retention_parts, rare_parts
local rare

local function retention()
    if retention_parts then
        return retention_parts
    end
--- include "retention"
    -- A parent that cannot be told keeps no old job alive.
    local function unlink_child(job, parent_key)
        local fine, why = rare().attempt(rare().unlink, job, parent_key)
        if not fine then
            state.trouble = why
        end
    end
    retention_parts = {
        subkeys = SUBKEYS,
        delete = function(id)
            delete_jobs(BASE, { id })
        end,
        -- The limits stand at ARGV[keep]. That old jobs cannot be removed is no fault of the new one.
        retain = function(set, keep, times)
            local fine, why = pcall(apply_retention, BASE, set,
                                    { ARGV[keep], ARGV[keep + 1], ARGV[keep + 2] }, times, now,
                                    unlink_child)
            if not fine then
                state.trouble = why
            end
        end
    }
    return retention_parts
end

function rare()
    if rare_parts then
        return rare_parts
    end
--- include "queue"
    local call = unit_call
--- include "enqueue"
--- include "ends"
--- include "mend"
--- include "metrics"
--- include "limiter"
    pause_layout = ARGV[11]
    rare_parts = {
        q = q,
        attempt = attempt,
        -- An end that may come to nothing without a trace: nil, or why.
        unit = function(work, ...)
            local fine, why = attempt(work, ...)
            return not fine and why or nil
        end,
        mend = mend,
        plain = plain,
        is_transient = is_transient,
        check_children = check_children,
        write_refused = write_refused,
        complete_bound = complete_bound,
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
