// Job schedulers, with BullMQ's Queue; client_scheduler.c has ours. See ops_queue.mjs.

/** What lib/spec/bullmq.md §9 names of a scheduler. */
function plain(scheduler) {
    if (scheduler === undefined || scheduler === null) return null;
    const { key, name, next, iterationCount, limit, startDate, endDate, tz, pattern, every, offset } =
        scheduler;
    const shown = { key, name, next, iterationCount, limit, startDate, endDate, tz, pattern };
    Object.assign(shown, { every, offset, template: scheduler.template });
    return JSON.parse(JSON.stringify(shown)); // without what is undefined
}

export const schedulerOps = {
    upsertScheduler: async ({ queue }, { id, repeat, template }) =>
        (await queue.upsertJobScheduler(id, repeat, template)) !== undefined,
    removeScheduler: ({ queue }, { id }) => queue.removeJobScheduler(id),
    getScheduler: async ({ queue }, { id }) => plain(await queue.getJobScheduler(id)),
    listSchedulers: async ({ queue }, { first = 0, last = -1, ascending = false }) =>
        (await queue.getJobSchedulers(first, last, ascending)).map(plain),
    countSchedulers: ({ queue }) => queue.getJobSchedulersCount(),
};
