// Flows, with BullMQ's FlowProducer and Job; client_flow.c has ours. See ops_queue.mjs.
export const flowOps = {
    dependencyCounts: async ({ queue }, { id }) => {
        const job = await queue.getJob(id);
        return job.getDependenciesCount();
    },
};
