// U+0000 is a character like any other in what Node's producers and programs write, and where an interface
// keeps C strings it says so rather than mean another job.
import assert from 'node:assert/strict';

import { bullmq, Redis } from '../peer/peer.mjs';
import { ended, redis, run, stage } from './exec_rig.mjs';
import { bulwark, Daemon, keys, oneQueue, openQueue, runAll, test, until } from './rig.mjs';

const ID = 'a\0b';
const NAME = 'n\0m';
const DATA = { 'k\0': 'v\0w' };

async function inFlight(cleanup, name) {
    const queue = await openQueue(redis, name);
    cleanup(() => queue.close());
    const daemon = Daemon.start(oneQueue(redis, { name, remoteCancel: true,
        handler: { noop: { delayMs: 60000 } } }));
    cleanup(() => daemon.signal('SIGKILL'));
    const job = await queue.add(NAME, DATA, { jobId: ID, attempts: 3 });
    await until(async () => (await daemon.http('GET', '/status')).json.queues[0].inFlight === 1, 'the job to run');
    return { queue, daemon, job };
}

test('noop completes it', async (cleanup) => {
    const queue = await openQueue(redis, 'idle');
    cleanup(() => queue.close());
    const daemon = Daemon.start(oneQueue(redis, { name: 'idle' }));
    cleanup(() => daemon.signal('SIGKILL'));
    const { id } = await queue.add(NAME, DATA, { jobId: ID });
    const { state, job } = await ended({ producer: queue }, id);
    assert.equal(state, 'completed');
    assert.deepEqual([job.id, job.name, job.data], [ID, NAME, DATA]);
});

test('a program gets all of it and gives all of it back', async (cleanup) => {
    const it = await stage(cleanup);
    const { job } = await run(it, { echo: true, ...DATA });
    assert.deepEqual(JSON.parse(job.returnvalue.line).data, { echo: true, ...DATA });
    const named = await it.producer.add(NAME, { echo: true }, { jobId: ID });
    const { id, name } = JSON.parse((await ended(it, named.id)).job.returnvalue.line);
    assert.deepEqual([id, name], [ID, NAME]);
    const told = await it.producer.add(NAME, { say: [{ type: 'log', row: 'r\0w' },
        { type: 'progress', value: 'p\0q' }, { type: 'result', value: DATA }] }, { jobId: 'told\0' });
    const { job: done } = await ended(it, told.id);
    assert.deepEqual([done.progress, done.returnvalue], ['p\0q', DATA]);
    assert.deepEqual((await it.producer.getJobLogs(told.id)).logs, ['r\0w']);
});

test('a failure keeps its message, and its one line names the job', async (cleanup) => {
    const it = await stage(cleanup);
    const added = await it.producer.add(NAME, { say: [{ type: 'error', name: 'Error', message: 'x\0y', stack: 'Error: x\0y' }] },
        { jobId: ID });
    const { job } = await ended(it, added.id);
    assert.equal(job.failedReason, 'x\0y');
    assert.deepEqual(job.stacktrace, ['Error: x\0y']);
    await it.daemon.logged('job failed');
    assert.deepEqual(it.daemon.lines.filter((line) => line.job !== undefined)
        .map(({ level, message, queue, job: id, name, attempt, reason }) =>
            ({ level, message, queue, id, name, attempt, reason })),
    [{ level: 'warning', message: 'job failed', queue: it.name, id: ID, name: NAME, attempt: 1, reason: 'x\0y' }]);
});

test('what cannot be added whole is not added', async (cleanup) => {
    const it = await stage(cleanup);
    const add = (params) => ({ ask: { method: 'addJob', params: { queue: 'q', name: 'n', data: {}, ...params } } });
    const { job } = await run(it, { script: [add({ name: NAME }), add({ queue: 'q\0r' }), add({ opts: { jobId: ID } }),
        { ask: { method: 'moveToWaitingChildren', params: { child: 'c\0d' } } }, add({ queue: `${it.name}-next`, data: DATA }),
        { type: 'result', value: '$replies' }] });
    const errors = job.returnvalue.map(({ error }) => error);
    for (const error of errors.slice(0, 4))
        assert.match(error, /(U\+|\\u)0000 is not allowed/);
    assert.equal(errors[4], undefined);
    const queue = await openQueue(redis, `${it.name}-next`);
    cleanup(() => queue.close());
    assert.deepEqual((await queue.getJobs(['waiting'])).map(({ data }) => data), [DATA]);
    assert.deepEqual(await keys(redis, 'bull:q:*'), []);
});

test('a parent gets what a child of such an id returned', async (cleanup) => {
    const it = await stage(cleanup);
    const { FlowProducer } = await bullmq('6');
    const flows = new FlowProducer({ connection: redis.connection });
    cleanup(() => flows.close());
    const { job } = await flows.add({ name: 'parent', queueName: it.name, opts: { jobId: 'p\0q' },
        data: { script: [{ ask: { method: 'childrenValues', params: {} } },
            { type: 'result', value: '$replies' }] },
        children: [{ name: NAME, queueName: it.name, opts: { jobId: ID },
            data: { say: [{ type: 'result', value: 'v\0' }] } }] });
    const parent = await ended(it, job.id);
    assert.equal(parent.state, 'completed', parent.job.failedReason);
    assert.ok(JSON.stringify(parent.job.returnvalue).includes(
        JSON.stringify({ [`bull:${it.name}:${ID}`]: 'v\0' }).slice(1, -1)), JSON.stringify(parent.job.returnvalue));
});

test('cancelling a job means no other one that begins alike', async (cleanup) => {
    const { queue, daemon, job } = await inFlight(cleanup, 'alike');
    const answer = await daemon.http('POST', '/queues/alike/jobs/a/cancel');
    assert.equal(answer.status, 202); // others are asked
    assert.notEqual((await bulwark(['queue', 'cancel', 'alike', 'a'], { REDIS_URL: redis.url })).code, 0);
    assert.equal(await job.getState(), 'active');
    assert.equal((await daemon.http('POST', '/queues/alike/jobs/a%00b/cancel')).status, 400);
    const client = new Redis(redis.port, '127.0.0.1');
    cleanup(() => client.disconnect());
    await client.hset('bull::bulwark:alike:cancel', ID, 'n\0t wanted');
    await until(async () => (await job.getState()) === 'failed', 'its end');
    assert.match((await queue.getJob(ID)).failedReason, /^job cancelled: n/);
    await until(async () => (await client.hlen('bull::bulwark:alike:cancel')) === 0, 'the request to be gone');
});

await runAll(() => redis.stop());
