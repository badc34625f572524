// The end of a worker: in time, past the deadline, at once, and while Redis is away.
import assert from 'node:assert/strict';

import { addJobs, Daemon, keys, oneQueue, openQueue, PATIENCE, PersistentRedis, runAll, test, until }
    from './rig.mjs';

async function busy(cleanup, delayMs, rest) {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const queue = await openQueue(redis);
    cleanup(() => queue.close());
    await addJobs(queue, 100);
    const daemon = Daemon.start(oneQueue(redis, { concurrency: 10,
        handler: { noop: { delayMs } } }, rest));
    cleanup(() => daemon.signal('SIGKILL'));
    await until(async () => (await queue.getActiveCount()) === 10, 'jobs in flight');
    return { redis, queue, daemon };
}

const counts = (queue) => queue.getJobCounts('active', 'wait', 'completed', 'failed');

for (const signal of ['SIGTERM', 'SIGINT']) {
    test(`${signal} lets jobs in flight finish`, async (cleanup) => {
        const { queue, daemon } = await busy(cleanup, 3000);
        daemon.signal(signal);
        await daemon.logged('asked to end');
        assert.equal(await daemon.ended(5000 * PATIENCE), 0);
        assert.deepEqual(await counts(queue), { active: 0, wait: 90, completed: 10, failed: 0 });
    });
}

test('an idle worker ends at once', async (cleanup) => {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const daemon = Daemon.start(oneQueue(redis));
    await daemon.logged('running');
    daemon.signal('SIGTERM');
    assert.equal(await daemon.ended(1000 * PATIENCE), 0);
});

test('past the deadline jobs go back to wait', async (cleanup) => {
    const { redis, queue, daemon } = await busy(cleanup, 60000, { shutdownTimeout: 500 });
    const start = Date.now();
    daemon.signal('SIGTERM');
    assert.equal(await daemon.ended(4000 * PATIENCE), 75);
    assert.ok(Date.now() - start >= 490, 'not before the deadline');
    assert.deepEqual(await counts(queue), { active: 0, wait: 100, completed: 0, failed: 0 });
    // They are next in line, with no attempt made, and no lock is left behind.
    assert.deepEqual(await keys(redis, 'bull:q:*:lock'), []);
    for (const job of await queue.getJobs(['wait']))
        assert.equal(job.attemptsMade, 0);
});

test('a second signal ends at once', async (cleanup) => {
    const { queue, daemon } = await busy(cleanup, 60000);
    daemon.signal('SIGTERM');
    await daemon.logged('asked to end');
    daemon.signal('SIGTERM');
    assert.equal(await daemon.ended(4000 * PATIENCE), 75);
    assert.deepEqual(await counts(queue), { active: 0, wait: 100, completed: 0, failed: 0 });
});

test('the deadline holds while Redis is away', async (cleanup) => {
    const { redis, daemon } = await busy(cleanup, 60000, { shutdownTimeout: 1000 });
    await redis.stop();
    daemon.signal('SIGTERM');
    const code = await daemon.ended(5000 * PATIENCE);
    await redis.start();
    assert.equal(code, 75);
});

test('the deadline holds while Redis is frozen', async (cleanup) => {
    const { redis, daemon } = await busy(cleanup, 60000, { shutdownTimeout: 1000 });
    redis.signal('SIGSTOP');
    daemon.signal('SIGTERM');
    const code = await daemon.ended(5000 * PATIENCE);
    redis.signal('SIGCONT');
    assert.equal(code, 75);
});

test('what was finished while Redis was away is recorded within the drain', async (cleanup) => {
    const { redis, queue, daemon } = await busy(cleanup, 2000);
    await redis.stop();
    daemon.signal('SIGTERM');
    await daemon.logged('asked to end');
    await new Promise((resolve) => setTimeout(resolve, 3000));
    await redis.start();
    assert.equal(await daemon.ended(10000 * PATIENCE), 0);
    assert.deepEqual(await counts(queue), { active: 0, wait: 90, completed: 10, failed: 0 });
});

await runAll();
