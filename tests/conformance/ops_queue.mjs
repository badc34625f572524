// Operations on a queue and its jobs, with BullMQ's Queue and Job; client_queue.c has ours. What one
// returns is compared: plain JSON, reduced to what lib/spec/bullmq.md promises.
//
// An operation gets ctx = {library, line, stage, queue, name, flows}: the line's module and number, the
// stage, its Queue object for the queue of the operation, that queue's name, a FlowProducer.

/** A job that is there, or one of that id that is not: the script says so. */
const jobOf = async ({ library, queue }, id) =>
    (await queue.getJob(id)) ?? new library.Job(queue, 'n', {}, {}, id);

/** A change of one job: {id, …} → null */
const change = (act) => async (ctx, args) => {
    await act(await jobOf(ctx, args.id), args);
};

/** Ids in an order of no meaning. */
const sorted = (ids) => [...ids].sort();

export const queueOps = {
    add: async ({ queue }, { name, data, opts }) => (await queue.add(name, data, opts)).id,
    pause: async ({ queue }) => {
        await queue.pause();
    },
    resume: async ({ queue }) => {
        await queue.resume();
    },

    // one job
    changeDelay: change((job, { delay }) => job.changeDelay(delay)),
    changePriority: change((job, { priority, lifo }) => job.changePriority({ priority, lifo })),
    promote: change((job) => job.promote()),
    reprocess: change((job, { state, resetAttemptsMade, resetAttemptsStarted }) =>
        job.retry(state, { resetAttemptsMade, resetAttemptsStarted }),
    ),
    // {id, alone} → 1, or 0: locked
    remove: ({ queue }, { id, alone }) => queue.remove(id, { removeChildren: !alone }),
    removeUnprocessedChildren: change((job) => job.removeUnprocessedChildren()),

    // the queue
    drain: async ({ queue }, { delayed }) => {
        await queue.drain(delayed);
    },
    // {grace, limit, state} → ids
    clean: async ({ queue }, { grace, limit, state }) =>
        sorted(await queue.clean(grace, limit, state)),
    // {force, count}
    obliterate: async ({ queue }, args) => {
        await queue.obliterate(args);
    },
    // {state, count, timestamp}
    retryJobs: async ({ queue }, args) => {
        await queue.retryJobs(args);
    },
    promoteJobs: async ({ queue }, args) => {
        await queue.promoteJobs(args);
    },

    // reading
    // {types} → {type: number}
    counts: ({ queue }, { types }) => queue.getJobCounts(...types),
    // {types, start, end, ascending} → ids
    ranges: ({ queue }, { types, start, end, ascending }) =>
        queue.getRanges(types, start, end, ascending),
    // {priorities} → {priority: number}
    countsPerPriority: ({ queue }, { priorities }) => queue.getCountsPerPriority(priorities),
    // {max} → above 0, or what it is
    rateLimitTtl: async ({ queue }, { max }) => Math.min(1, await queue.getRateLimitTtl(max)),
    // {end: completed or failed, start, end} → {meta: {count}, data, count}
    metrics: async ({ queue }, { of, start, end }) => {
        const { meta, data, count } = await queue.getMetrics(of, start, end);
        return { count: Number(meta.count), data: data.map(Number), points: count };
    },
    // {labels} → text
    prometheus: ({ queue }, { labels }) => queue.exportPrometheusMetrics(labels),
};
