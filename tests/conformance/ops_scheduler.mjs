// Job schedulers, with BullMQ's Queue; client_scheduler.c has ours. See ops_queue.mjs.
export const schedulerOps = {};
