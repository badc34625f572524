// A processor file after the patterns of BullMQ's documentation. It knows nothing of bulwark: it is
// here because `require('bullmq')` finds the real one here.
const { DelayedError, Queue, RateLimitError, UnrecoverableError, WaitingChildrenError, WaitingError,
  Worker } = require('bullmq');

const connection = { host: '127.0.0.1', port: Number(process.env.REDIS_PORT) };
const queues = new Map();
const LIMIT_MS = 300;
let limitedAt = 0;

/** One connection a queue, as long as the program lives. */
function queueOf(name) {
  if (!queues.has(name)) queues.set(name, new Queue(name, { connection }));
  return queues.get(name);
}

const patterns = {
  async progress(job) {
    for (let i = 1; i <= 3; i++) {
      await job.updateProgress(i * 25);
      await job.log(`row ${i}`);
    }
    await job.updateProgress({ state: 'fast fertig' });
    return { done: job.data.text, name: job.name, made: job.attemptsMade };
  },

  async nothing() {},

  async retried(job) {
    if (job.attemptsMade < 2) throw new Error(`attempt ${job.attemptsMade + 1}`);
    return 'third time lucky';
  },

  async failing() {
    throw new TypeError('Ошибка');
  },

  async unrecoverable() {
    throw new UnrecoverableError('Unrecoverable');
  },

  async subclass() {
    class Hopeless extends UnrecoverableError {}
    throw new Hopeless('hopeless');
  },

  async delayed(job, token) {
    let { step = 'initial' } = job.data;
    while (step !== 'finish') {
      switch (step) {
        case 'initial':
          await job.moveToDelayed(Date.now() + 200, token);
          await job.updateData({ ...job.data, step: 'second' });
          throw new DelayedError();
        case 'second':
          await job.updateData({ ...job.data, step: 'finish' });
          step = 'finish';
          break;
        default:
          throw new Error('invalid step');
      }
    }
    return step;
  },

  async waiting(job, token) {
    if (job.data.step === undefined) {
      await job.updateData({ ...job.data, step: 'again' });
      await job.moveToWait(token);
      throw new WaitingError();
    }
    return job.data.step;
  },

  async children(job, token) {
    let { step = 'add' } = job.data;
    for (;;) {
      switch (step) {
        case 'add':
          for (const value of [1, 2])
            await queueOf('kid').add(`child-${value}`, { value }, { jobId: `kid-${value}`,
              parent: { id: job.id, queue: job.queueQualifiedName } });
          await job.updateData({ ...job.data, step: 'wait' });
          step = 'wait';
          break;
        case 'wait':
          if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
          await job.updateData({ ...job.data, step: 'finish' });
          step = 'finish';
          break;
        default:
          return job.getChildrenValues();
      }
    }
  },

  async tolerated(job, token) {
    if (job.data.step === undefined) {
      await queueOf('kid').add('child-bad', { bad: true }, { jobId: 'kid-bad',
        ignoreDependencyOnFailure: true, parent: { id: job.id, queue: job.queueQualifiedName } });
      await job.updateData({ ...job.data, step: 'look' });
      if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
    }
    return job.getIgnoredChildrenFailures();
  },

  /** The child has failed before it is waited for: the refusal passes on. */
  async spoilt(job, token) {
    const kid = await queueOf('kid').add('child-bad', { bad: true }, { jobId: 'kid-worse',
      failParentOnFailure: true, parent: { id: job.id, queue: job.queueQualifiedName } });
    while ((await kid.getState()) !== 'failed') await new Promise((resolve) => setTimeout(resolve, 10));
    if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
    return 'not refused';
  },

  async limited(job) {
    if (job.data.limited === undefined) {
      await job.updateData({ ...job.data, limited: true });
      await queueOf(job.queueName).rateLimit(LIMIT_MS);
      limitedAt = Date.now();
      throw job.data.old ? Worker.RateLimitError() : new RateLimitError();
    }
    return Date.now() - limitedAt < LIMIT_MS - 20 ? 'too early' : 'after the limit';
  },
};

module.exports = (job, token, signal) => {
  if (!(signal instanceof AbortSignal) && signal !== undefined) throw new Error('what is this?');
  return patterns[job.name](job, token);
};
