--[[ settle_grouped: settle for a queue with ordered groups. A job that cannot start because of its group is
put into the group's line instead of being taken; an end lets the next of the line go to the front of `wait`.

KEYS  1 base
ARGV  as settle, and behind the items: concurrency of a group, its rate's max (0: none), its rate's duration
      (ms), '1': a job that is retried keeps its place in the group, the paths to the group in a job's data:
      "a.b+c|d" is what stands at a.b and at c, or else at d
Result  as settle; next due counts the lines that wait for their rate ]]
--- keys 1
--- include "queue"
--- include "settle_ends"
--- include "take"
--- include "groups"

local POP_MAX = 1000 -- ids that one call may put into lines

open_groups(queue_at(BASE), next_at)
pause_layout = ARGV[11]

-- Retried jobs give up their places, unless the groups are strict; a job that is put back is the next to be
-- taken and keeps it.
local function end_items()
    local ended, at = {}, ITEMS_AT
    for i = 1, item_count do
        local kind = ARGV[at]
        local stays = kind == 'W' or (groups.strict and (kind == 'R' or kind == 'D'))
        if not stays and (codes[i] == 0 or codes[i] == MISSING) then
            ended[#ended + 1] = ARGV[at + 1]
        end
        at = at + SIZE[kind]
        if #ended == CHUNK or i == item_count then
            end_in_groups(ended)
            ended = {}
        end
    end
end

local parked = 0

-- A unit: parks who may not start, and returns the others.
local function sort_out(ids, count)
    local places = call('HMGET', groups.running, unpack(ids))
    local mine = {}
    for i = 1, count do
        if start_or_park(ids[i], places[i]) then
            mine[#mine + 1] = ids[i]
        end
    end
    send_released()
    return mine
end

local function next_ids(wanted)
    while parked < POP_MAX do
        local ids, count = pop_ids(wanted)
        if count == 0 then
            return ids, 0
        end
        local fine, mine = attempt(sort_out, ids, count)
        if not fine then -- give_back() has the ids
            error(mine, 0)
        end
        local taken = #mine
        parked = parked + count - taken
        state.popped, state.popped_count = mine, taken
        if taken > 0 then
            return mine, taken
        end
    end
    signal(groups.q)
    return {}, 0, true
end

-- Done for jobs whose ends are recorded already: what fails here the check of the books makes good.
local function end_and_release()
    end_items()
    if want > 0 then
        release_due()
    end
    send_released()
end

local booked, refused_books = attempt(end_and_release)
if not booked then
    state.trouble, released, groups.busy_of = refused_books, {}, {}
end

--- include "settle_takes"

local readable, line_due = pcall(next_line_due)
if not readable then
    state.trouble = line_due
elseif want > 0 and line_due > 0 and (due == 0 or line_due < due) then
    due = line_due
end
return { codes, jobs, ttl, due, ghosts, state.trouble, state.refusal, meta.paused and 1 or 0 }
