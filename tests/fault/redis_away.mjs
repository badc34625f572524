// Redis goes away amid work, stopped or frozen: nothing is lost, work goes on within 2 s.
import assert from 'node:assert/strict';

import { addJobs, Daemon, eventCounts, oneQueue, openQueue, PersistentRedis, PROMISE, runAll,
    sleep, test, until } from './rig.mjs';

const JOBS = 2000;
const AWAY_MS = 5000;
const BACK_MS = 2000 * PROMISE;

async function amidWork(cleanup, leave, comeBack) {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const queue = await openQueue(redis);
    cleanup(() => queue.close());
    await addJobs(queue, JOBS);
    const daemon = Daemon.start(oneQueue(redis, { concurrency: 20, stalledInterval: 1000,
        handler: { noop: { delayMs: 50 } } }));
    cleanup(() => daemon.signal('SIGKILL'));
    await until(async () => (await queue.getCompletedCount()) >= 100, 'the first jobs');

    await leave(redis);
    await sleep(AWAY_MS);
    assert.equal((await daemon.http('GET', '/healthz')).status, 200, 'it lives');
    await until(async () => (await daemon.http('GET', '/readyz')).status === 503, 'it to know',
        10000);
    await comeBack(redis);
    const back = Date.now();
    const before = await queue.getCompletedCount();
    await until(async () => (await queue.getCompletedCount()) > before, 'work after the return',
        BACK_MS);
    console.log(`        worked again after ${Date.now() - back} ms`);
    await until(async () => (await daemon.http('GET', '/readyz')).status === 200, 'readiness',
        back + BACK_MS - Date.now());

    await until(async () => (await queue.getCompletedCount()) === JOBS, 'every job', 60000);
    const completed = await eventCounts(redis, 'completed');
    assert.equal(completed.size, JOBS);
    assert.deepEqual([...completed.values()].filter((n) => n !== 1), []);
    assert.deepEqual((await queue.getJobCounts('active', 'wait', 'failed', 'delayed')),
        { active: 0, wait: 0, failed: 0, delayed: 0 });
    daemon.signal('SIGTERM');
    assert.equal(await daemon.ended(30000), 0);
}

test('Redis is stopped and started', (cleanup) => amidWork(cleanup,
    (redis) => redis.stop(), (redis) => redis.start()));

test('Redis is frozen and goes on', (cleanup) => amidWork(cleanup,
    (redis) => redis.signal('SIGSTOP'), (redis) => redis.signal('SIGCONT')));

test('Redis comes after the worker', async (cleanup) => {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const queue = await openQueue(redis);
    cleanup(() => queue.close());
    await addJobs(queue, 10);
    await redis.stop();
    const daemon = Daemon.start(oneQueue(redis));
    cleanup(() => daemon.signal('SIGKILL'));
    await daemon.logged('running');
    await sleep(1000);
    await redis.start();
    await until(async () => (await queue.getCompletedCount()) === 10, 'the jobs', BACK_MS);
});

await runAll();
