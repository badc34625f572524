// Does what the job's data says: {"do": [[step, …arguments], …]}. The same as steps.py.
const { setTimeout: sleep } = require('node:timers/promises');
const fs = require('node:fs');

const steps = {
  progress: (run, value) => run.job.updateProgress(value),
  log: (run, row) => run.job.log(row),
  data: (run, value) => run.job.updateData(value),
  ask: async (run, method, ...params) => {
    const names = { childrenValues: 'getChildrenValues', state: 'getState',
      ignoredChildrenFailures: 'getIgnoredChildrenFailures', extendLock: 'extendLock',
      moveToDelayed: 'moveToDelayed', moveToWaitingChildren: 'moveToWaitingChildren',
      moveToWait: 'moveToWait', addJob: 'addJob' };
    if (method === 'extendLock') params.unshift(run.job.token);
    run.value = await run.job[names[method]](...params);
  },
  print: (run, text) => {
    console.log(text);
    process.stdout.write(`${text}\n`);
    if (process.argv.includes('--protocol-fd')) fs.writeSync(1, `${text}\n`);
  },
  sleep: (run, ms) => sleep(ms),
  cancelled: (run) => new Promise((resolve) => run.signal.addEventListener('abort', resolve)),
  reason: (run) => { throw new Error(run.signal.reason); },
  fields: (run) => {
    const { job } = run;
    run.value = [job.id, job.name, job.data.more, job.opts, job.token, job.timestamp, job.delay,
      job.priority, job.attemptsMade, job.attemptsStarted, job.stalledCounter, job.processedOn,
      job.progress, job.parent, job.repeatJobKey, job.deduplicationId, job.queueName, job.prefix];
  },
  throw: (run, name, message, delayMs) => {
    const Kind = { [name]: class extends Error {} }[name];
    throw Object.assign(new Kind(message), delayMs === undefined ? {} : { delayMs });
  },
  nojson: (run) => { run.value = 1n; },
  exit: (run, code) => process.exit(code),
  return: (run, value) => { run.value = value; },
};

module.exports = async (job, token, signal) => {
  const run = { job, signal, value: undefined };
  if (token !== job.token) throw new Error('another token');
  for (const [step, ...args] of job.data.do) await steps[step](run, ...args);
  return run.value;
};
