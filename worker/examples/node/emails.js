// A BullMQ processor like any other: the same file runs in `new Worker('emails', file)`.
const { UnrecoverableError } = require('bulwark-processor'); // or require('bullmq')

module.exports = async (job, token, signal) => {
  if (!job.data.to) throw new UnrecoverableError('nobody to write to');
  await job.updateProgress(10);
  await job.log(`writing to ${job.data.to}, attempt ${job.attemptsMade + 1}`);
  if (signal.aborted) throw new Error('not sent');
  return { sent: job.data.to };
};
