// Flows, with BullMQ's FlowProducer and Job; client_flow.c has ours. See ops_queue.mjs.

/** The ids of a tree of jobs, level by level. */
function idsOf(tree) {
    const ids = [];
    for (let level = [tree]; level.length > 0; level = level.flatMap((n) => n.children ?? []))
        ids.push(...level.map(({ job }) => job.id));
    return ids;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Ids that were made up: only their form can be compared. */
const known = (ids) => ids.map((id) => (UUID.test(id) ? 'uuid' : id));

/** Of a tree of jobs; BullMQ leaves holes for children that were removed. */
const shape = (node) =>
    node && {
        id: node.job.id,
        name: node.job.name,
        data: node.job.data,
        children: (node.children ?? [])
            .filter(Boolean)
            .map(shape)
            .sort((a, b) => (a.id < b.id ? -1 : 1)),
    };

const sorted = (list) => [...list].sort();

const sortedKeys = (object) =>
    Object.fromEntries(Object.entries(object ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));

export const flowOps = {
    // {name, queueName, data, opts, children}
    addFlow: async ({ flows }, tree) => known(idsOf(await flows.add(tree))),
    // {id, depth, maxChildren}: the same of the children, in any order
    getFlow: async ({ flows, name }, query) =>
        shape(await flows.getFlow({ queueName: name, ...query })),
    // {jobs: [{name, data, opts}]}
    addBulk: async ({ queue }, { jobs }) =>
        // Of a refused one BullMQ gives the code as its id.
        (await queue.addBulk(jobs)).map(({ id }) => (Number.isInteger(id) ? null : id)),
    dependencyCounts: async ({ queue }, { id }) => {
        const job = await queue.getJob(id);
        return job.getDependenciesCount();
    },
    dependencies: async ({ queue }, { id }) => {
        const job = await queue.getJob(id);
        const { processed, unprocessed, ignored, failed } = await job.getDependencies();
        return {
            processed: sortedKeys(processed),
            unprocessed: sorted(unprocessed ?? []),
            ignored: sortedKeys(ignored),
            failed: sorted(failed ?? []),
        };
    },
    childrenValues: async ({ queue }, { id }) => {
        const job = await queue.getJob(id);
        return sortedKeys(await job.getChildrenValues());
    },
    ignoredFailures: async ({ queue }, { id }) => {
        const job = await queue.getJob(id);
        return sortedKeys(await job.getIgnoredChildrenFailures());
    },
    jobState: ({ queue }, { id }) => queue.getJobState(id),
};
