// The handler of the conformance tests, as a BullMQ processor. peer_worker.c has the same one.
//
// A job's data is {"do": [step, …]}: the nth start of the job runs the nth step, further starts the
// last one. A step is a list of operations, run in order; JSON values travel as text, so that both
// sides hand the same bytes to their library:
//   ["progress", json] ["log", row] ["data", json]      side effects
//   ["gate", name]                                      waits for the file `name` in the gate folder
//   ["return", json] ["nothing"]                        completes
//   ["garbage"]                                         completes with what is not JSON
//   ["fail", message] ["backoff", message, ms]          fails; a custom backoff
//   ["unrecoverable", message] ["blank"]                fails for good; fails without a message
//   ["delay", ms] ["wait"] ["limit", ms]                puts the job back
//   ["child", queue, name, json, opts as json]          adds a child to the job
//   ["children"] ["children", child key]                waits for its children, if there are any
//   ["values"] ["ignored"] ["counts"] ["state"]         completes with what the job knows
//   ["extend", ms]                                      extends the lock
import { existsSync } from 'node:fs';
import path from 'node:path';

/** Of a queue that lives just long enough to add a job. */
async function addChild(library, connection, job, [queueName, name, json, opts]) {
    const queue = new library.Queue(queueName, { connection, prefix: job.prefix });
    await queue.add(name, JSON.parse(json), {
        ...JSON.parse(opts),
        parent: { id: job.id, queue: job.queueQualifiedName },
    });
    await queue.close();
}

const sorted = (object) =>
    Object.fromEntries(Object.entries(object ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Steps that complete the job with something that is read. */
const READERS = {
    values: async (job) => sorted(await job.getChildrenValues()),
    ignored: async (job) => sorted(await job.getIgnoredChildrenFailures()),
    counts: async (job) => sorted(await job.getDependenciesCount()),
    state: (job) => job.getState(),
};

/** Cannot be serialized; ours is text that is not JSON. */
const GARBAGE = {
    toJSON() {
        throw new Error('the result is not JSON');
    },
};

export class CustomBackoff extends Error {
    constructor(message, ms) {
        super(message);
        this.ms = ms;
    }
}

async function pass(gate) {
    while (!existsSync(gate)) await new Promise((resolve) => setTimeout(resolve, 3));
}

function operations(library, worker, gates) {
    const { DelayedError, RateLimitError, UnrecoverableError, WaitingChildrenError, WaitingError } =
        library;
    return {
        progress: (job, token, json) => job.updateProgress(JSON.parse(json)),
        log: (job, token, row) => job.log(row),
        data: (job, token, json) => job.updateData(JSON.parse(json)),
        gate: (job, token, name) => pass(path.join(gates, name)),
        fail: (job, token, message) => {
            throw new Error(message);
        },
        backoff: (job, token, message, ms) => {
            throw new CustomBackoff(message, ms);
        },
        unrecoverable: (job, token, message) => {
            throw new UnrecoverableError(message);
        },
        blank: () => {
            throw {}; // no message is the point
        },
        delay: async (job, token, ms) => {
            await job.moveToDelayed(Date.now() + ms, token);
            throw new DelayedError();
        },
        wait: async (job, token) => {
            await job.moveToWait(token);
            throw new WaitingError();
        },
        child: (job, token, ...args) => addChild(library, worker().opts.connection, job, args),
        children: async (job, token, key) => {
            const child = key && {
                queue: key.slice(0, key.lastIndexOf(':')),
                id: key.slice(key.lastIndexOf(':') + 1),
            };
            const waits = await job
                .moveToWaitingChildren(token, child && { child })
                .catch((error) => {
                    throw new Error(`refused ${error.code}`);
                });
            if (waits) throw new WaitingChildrenError();
        },
        awaitChildren: async (job, token) => { // what it throws passes on
            if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
        },
        extend: (job, token, ms) => job.extendLock(token, ms),
        limit: async (job, token, ms) => {
            await worker().rateLimit(ms);
            throw new RateLimitError();
        },
    };
}

/** A processor for `library`'s Worker; `worker()` gives that worker, `gates` is a folder. */
export function processor(library, worker, gates) {
    const known = operations(library, worker, gates);

    return async (job, token) => {
        const steps = job.data.do;
        const step = steps[Math.min(job.attemptsStarted, steps.length) - 1];
        for (const [name, ...args] of step) {
            if (name === 'return') return JSON.parse(args[0]);
            if (name === 'nothing') return undefined;
            if (name === 'garbage') return GARBAGE;
            if (name in READERS) return READERS[name](job);
            await known[name](job, token, ...args);
        }
        throw new Error('the step has no end');
    };
}
