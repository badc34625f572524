// A queue as BullMQ's own objects show it to a client, with times reduced to whether they make sense.

const STATES = [
    'waiting',
    'active',
    'completed',
    'failed',
    'delayed',
    'prioritized',
    'waiting-children',
];

// A worker may have looked at its clock just before the job was added.
const SLACK_MS = 1000;

function sane(job) {
    const after = (time, start) => (time === undefined ? undefined : time >= start - SLACK_MS);
    return {
        processed: after(job.processedOn, job.timestamp),
        finished: after(job.finishedOn, job.processedOn ?? 0),
    };
}

async function seen(queue, job) {
    return {
        name: job.name,
        data: job.data,
        state: await job.getState(),
        progress: job.progress,
        returnvalue: job.returnvalue,
        failedReason: job.failedReason,
        traces: job.stacktrace?.length,
        attemptsMade: job.attemptsMade,
        attemptsStarted: job.attemptsStarted,
        stalledCounter: job.stalledCounter,
        processedBy: job.processedBy,
        priority: job.priority,
        delay: job.delay,
        logs: (await queue.getJobLogs(job.id)).logs,
        times: sane(job),
    };
}

/** Counts, all jobs and metrics of the queue. */
export async function view(queue) {
    const jobs = (await queue.getJobs(STATES)).filter((job) => job !== undefined && job !== null);
    jobs.sort((a, b) => (a.id < b.id ? -1 : 1));
    const shown = {};
    for (const job of jobs) shown[job.id] = await seen(queue, job);
    const [done, failed] = [await queue.getMetrics('completed'), await queue.getMetrics('failed')];
    return {
        counts: await queue.getJobCounts(),
        paused: await queue.isPaused(),
        jobs: shown,
        metrics: [done.meta.count, done.count, failed.meta.count, failed.count],
    };
}
