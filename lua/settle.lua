--[[ settle: ends attempts and takes new jobs, both for as many as are ready. Everything left behind is
what BullMQ's calls, one after the other, leave: all ends in the order given, then the takes.
lib/spec/bullmq.md §§4.4, 4.5, 5.3, 5.5–5.8.

KEYS  1 base
ARGV  1 now (ms)  2 number of items  3 jobs wanted  4 token prefix  5 number of the first token
      6 lock duration (ms)  7 limiter max, 0: none  8 limiter duration, '': none
      9 worker name, '': none  10 metrics data points, 0: none
      11 layout while paused: 5, 6, 0: found out
      then the items, each with its kind, id and token ("0": no lock), and:
      c  completed, all kept          value
      C  completed                    value, keep count, age, limit (each < 0: none)
      F  failed for good              value, fields, attempts, keep count, age, limit
      R  retried at once              fields, lifo
      D  to delayed                   fields, counts attempt ('-': nor its start), delay
      W  put back to wait             -
      Flags are '1' or '0'. `fields` are: a flag whether they are written, failedReason, stacktrace, tm
      ('': none).
Result { codes, jobs, limit ttl (ms), next due (ms), ghosts dropped, trouble, refusal, paused }
      codes: one an item: the integer 0, or a code of §0, or an error: then the job is active and locked as
      before; jobs: includes/job_reply.lua; trouble: what went wrong that is no item's end, '': nothing;
      refusal: why no (more) jobs were taken, '': nothing is wrong; paused: 1 while the queue is, for all
      workers, else 0. An error for the whole: nothing was done

An item that is refused leaves the others alone. Two phases: first every item is checked, unlocked and
taken out of `active`, with as few calls as the batch allows; then each one's effects follow in turn. What
most calls need stands in these parts; all else is in includes/rare.lua. Nothing is half done: README.md. ]]
--- keys 1
--- include "settle_ends"
--- include "take"

local next_ids = pop_ids

--- include "settle_takes"

return { codes, jobs, ttl, due, ghosts, state.trouble, state.refusal, meta.paused and 1 or 0 }
