// The end of programs with the worker: when they are told, what becomes of their jobs, and that nothing
// makes the whole end longer than a second beyond the deadline.
import assert from 'node:assert/strict';

import { Redis } from '../peer/peer.mjs';
import { PUPPET, redis, stage } from './exec_rig.mjs';
import { addJobs, Daemon, oneQueue, openQueue, PATIENCE, PersistentRedis, runAll, sleep, test, until }
    from './rig.mjs';

const progress = { type: 'progress', value: 1 };
const says = ({ daemon }, text) => daemon.lines.some(({ line }) => line === text);

/** Adds a job that hangs, and waits until a program has it. */
async function hang(it, rest = {}) {
    const job = await it.producer.add('job', { say: [progress], hang: true, ...rest });
    await until(async () => (await it.producer.getJob(job.id)).progress === 1, 'the program to have it');
    return job;
}

/** Ends the daemon: {code, ms}. */
async function stop(daemon, patience = 12000) {
    const start = Date.now();
    daemon.signal('SIGTERM');
    const code = await daemon.ended(patience * PATIENCE);
    return { code, ms: Date.now() - start };
}

const client = new Redis(redis.port, '127.0.0.1');
const field = (it, id, name) => client.hget(`bull:${it.name}:${id}`, name);

test('a stubborn program gets SIGTERM a fifth of the time before the deadline, then SIGKILL', async (cleanup) => {
    const it = await stage(cleanup, { mode: 'stubborn' }, { shutdownTimeout: 2000 });
    const job = await hang(it, {});
    const stopping = stop(it.daemon);
    await until(() => says(it, 'SIGTERM came'), 'SIGTERM', 1950 * PATIENCE);
    const { code, ms } = await stopping;
    assert.equal(code, 75);
    assert.ok(ms >= 1900 && ms < 3000 * PATIENCE, `${ms} ms`);
    assert.equal(await job.getState(), 'waiting');
    assert.equal(await field(it, job.id, 'atm'), null);
});

test('a program that SIGTERM ends: its jobs go back without an attempt', async (cleanup) => {
    const it = await stage(cleanup, {}, { shutdownTimeout: 1000 });
    const job = await hang(it);
    const { code, ms } = await stop(it.daemon);
    assert.ok(ms < 1000 * PATIENCE, `${ms} ms`);
    assert.equal(code, 75);
    assert.equal(await job.getState(), 'waiting');
    assert.deepEqual([await field(it, job.id, 'atm'), await field(it, job.id, 'ats')], [null, '1']);
});

test('a program that ends by itself after close: its jobs go back without an attempt', async (cleanup) => {
    const it = await stage(cleanup, { mode: 'quitter' }, { shutdownTimeout: 5000 });
    const job = await hang(it);
    const { code, ms } = await stop(it.daemon);
    assert.ok(ms < 3000 * PATIENCE, `${ms} ms`);
    assert.equal(code, 75);
    assert.equal(await job.getState(), 'waiting');
    assert.equal(await field(it, job.id, 'atm'), null);
});

test('jobs that no program got go back as if they had not been fetched, in their order', async (cleanup) => {
    const it = await stage(cleanup, { mode: 'single', maxStartedAttempts: 1, removeOnFail: false },
        { shutdownTimeout: 1000 });
    const job = await hang(it);
    const rest = await addJobs(it.producer, 5);
    await until(async () => (await it.producer.getActiveCount()) === 6, 'all to be fetched');
    await stop(it.daemon);
    assert.deepEqual((await client.lrange(`bull:${it.name}:wait`, 0, -1)).reverse(),
        [job, ...rest].map(({ id }) => id));
    assert.equal(await field(it, job.id, 'ats'), '1');
    for (const { id } of rest) assert.equal(await field(it, id, 'ats'), null);
    assert.equal(await client.zcard(`bull:${it.name}:marker`), 1);
});

test('jobs that wait for a program are still run in the drain', async (cleanup) => {
    const it = await stage(cleanup, { mode: 'single' });
    const jobs = await it.producer.addBulk(Array.from({ length: 6 }, () => ({ name: 'job', data: { slow: 1000 } })));
    await until(async () => (await it.producer.getActiveCount()) >= 4, 'jobs to be fetched');
    const { code } = await stop(it.daemon);
    assert.equal(code, 0);
    assert.deepEqual(await it.producer.getJobCounts('active', 'failed'), { active: 0, failed: 0 });
    for (const { id } of jobs)
        assert.equal(await field(it, id, 'ats'), await it.producer.getJobState(id) === 'completed' ? '1' : null);
});

test('close comes after the last job', async (cleanup) => {
    const own = await PersistentRedis.create();
    cleanup(() => own.stop());
    const queue = await openQueue(own);
    cleanup(() => queue.close());
    const daemon = Daemon.start(oneQueue(own, { concurrency: 2,
        handler: { exec: ['node', PUPPET, 'loud'] } }));
    cleanup(() => daemon.signal('SIGKILL'));
    await daemon.logged('a processor is ready: jobs are taken');
    const due = Date.now() + 2500;
    const { id } = await queue.add('job', { slow: 10 }, { delay: 2500 });
    const looking = new Redis(own.port, '127.0.0.1');
    await until(async () => await looking.zcard('bull:q:marker') === 0, 'the marker to be the worker\'s');
    looking.disconnect();
    await sleep(due - Date.now() - 700);
    own.signal('SIGSTOP');
    await sleep(due - Date.now() + 700); // it has asked for the job
    daemon.signal('SIGTERM');
    await daemon.logged('draining');
    await sleep(300);
    assert.ok(!says({ daemon }, 'close came'), 'a job may come yet');
    own.signal('SIGCONT');
    assert.equal(await daemon.ended(10000 * PATIENCE), 0);
    assert.ok(says({ daemon }, 'close came'));
    assert.equal(await queue.getJobState(id), 'completed');
    assert.equal((await queue.getJob(id)).attemptsStarted, 1);
});

test('everything at once: three queues of stubborn programs, Redis away', async (cleanup) => {
    const own = await PersistentRedis.create();
    cleanup(() => own.stop());
    const names = ['a', 'b', 'c'];
    const queues = await Promise.all(names.map((name) => openQueue(own, name)));
    for (const queue of queues) cleanup(() => queue.close());
    const daemon = Daemon.start({ redis: { url: own.url }, http: { listen: 'off' }, shutdownTimeout: 1500,
        queues: [...names.map((name) => ({ name, concurrency: 4,
            handler: { exec: ['node', PUPPET, 'stubborn'], processes: 2 } })),
        { name: 'slow', concurrency: 4, handler: { noop: { delayMs: 60000 } } }] });
    cleanup(() => daemon.signal('SIGKILL'));
    const slow = await openQueue(own, 'slow');
    cleanup(() => slow.close());
    await addJobs(slow, 4);
    for (const queue of queues)
        await queue.addBulk(Array.from({ length: 4 }, () => ({ name: 'job', data: { hang: true } })));
    for (const queue of [...queues, slow])
        await until(async () => (await queue.getActiveCount()) === 4, 'jobs in flight');
    await own.stop();
    const { code, ms } = await stop(daemon);
    assert.equal(code, 75);
    assert.ok(ms >= 1400 && ms <= 2500 * PATIENCE, `${ms} ms`);
    await own.start();
});

await runAll();
