-- What an error in the midst of settle has left is taken back; for includes/rare.lua.
--- include "queue"

local mend_parts

local function mend()
    if mend_parts then
        return mend_parts
    end
    local active, results = BASE .. 'active', state.codes

    -- It is active again, with its lock, as before the call.
    local function return_item(at)
        local id, token = ARGV[at + 1], ARGV[at + 2]
        if ARGV[at] ~= 'W' and failed_reply(raw_try('RPUSH', active, id)) then
            raw_try('LPUSH', active, id)
        end
        if token ~= '0' then
            local lock, ttl = BASE .. id .. ':lock', ARGV[6] ~= '0' and ARGV[6] or 30000
            if failed_reply(raw_try('SET', lock, token, 'PX', ttl)) then
                raw_try('PSETEX', lock, ttl, token)
            end
        end
    end

    local function refuse(i, at, why)
        results[i] = { err = plain(why) }
        return_item(at)
    end

    -- What a completion without bonds has written. Where its place in the set stays it is completed.
    local function undo_completion(i, at, fields, job)
        local id = ARGV[at + 1]
        if failed_reply(raw_try('ZREM', q.completed, id)) and
           type(raw_try('ZSCORE', q.completed, id)) == 'string' and
           failed_reply(remove_by_rank(q.completed, id)()) then
            return false
        end
        raw_try('HDEL', job, 'returnvalue', 'finishedOn')
        if fields[2] then
            raw_try('HSET', job, 'atm', fields[2])
        else
            raw_try('HDEL', job, 'atm')
        end
        if state.told[i] then
            raw_try('XDEL', q.events, state.told[i])
        end
        return true
    end

    -- The items whose completion the error has spoilt, and the one to go on with.
    local function spoilt_items()
        local item, held, items = state.item, state.held, state.held_items
        if state.flushing then
            state.completed = state.completed - #items + (item_count == 1 and 1 or 0)
            state.held, state.held_items, state.flushing = {}, {}, false
            return items, items[#items] == item and item + 1 or item
        end
        if items[#items] == item then
            items[#items], held[#held], held[#held - 1] = nil, nil, nil
        end
        return { item }, item + 1
    end

    mend_parts = {
        refuse = refuse,
        -- None of these items is done after all.
        return_all = function(first, last, at)
            for i = first, last do
                if results[i] == 0 then
                    return_item(at[i])
                end
            end
        end,
        -- An error in the midst of apply(): returns the item to go on with.
        after = function(why, at, jobs, fields)
            local spoilt, next_item = spoilt_items()
            for _, i in ipairs(spoilt) do
                if results[i] ~= 0 then
                    state.trouble = why
                elseif undo_completion(i, at[i], fields[i], jobs[i]) then
                    refuse(i, at[i], why)
                end
            end
            return next_item
        end,
        -- An error in the midst of the taking: what was popped and is not begun goes back to where it was, in
        -- its order, or stays in `active`.
        give_back = function()
            local uncounted, was_active = 0, state.popped_active
            for i = state.popped_count, state.starting, -1 do
                local id, score = state.popped[i], state.scores[state.popped[i]]
                local left = not was_active or raw_try('LREM', active, 1, id)
                uncounted = uncounted + (state.popped_limited and state.counted[i] and 1 or 0)
                if not failed_reply(left) and left ~= 0 then
                    notes = {}
                    if score then
                        note({ 'ZADD', q.prioritized, score, id }, { 'ZINCRBY', q.prioritized, score, id },
                             { 'LPUSH', active, id })
                    else
                        note({ 'RPUSH', q.wait, id }, { 'LPUSH', q.wait, id }, { 'LPUSH', active, id })
                    end
                    undo_from(0)
                    notes = nil
                end
                if was_active and i == state.starting then
                    raw_try('DEL', BASE .. id .. ':lock')
                    if state.starting_event then
                        raw_try('XDEL', q.events, state.starting_event)
                    end
                end
            end
            if uncounted > 0 then
                raw_try('INCRBY', q.limiter, -uncounted)
            end
            state.popped_count, state.popped_active, state.popped_limited = 0, false, false
        end
    }
    return mend_parts
end
