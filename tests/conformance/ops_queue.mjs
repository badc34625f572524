// Operations on a queue and its jobs, with BullMQ's Queue and Job; client_queue.c has ours. What one
// returns is compared: plain JSON, reduced to what the specification promises.
//
// An operation gets ctx = {library, line, stage, queue, name, flows}: the line's module and number, the
// stage, its Queue object for the queue of the operation, that queue's name, a FlowProducer.
export const queueOps = {
    add: async ({ queue }, { name, data, opts }) => (await queue.add(name, data, opts)).id,
    pause: async ({ queue }) => {
        await queue.pause();
    },
    resume: async ({ queue }) => {
        await queue.resume();
    },
};
