// kill -9 amid work, again and again: every job ends completed, exactly once in the books.
import assert from 'node:assert/strict';

import { addJobs, Daemon, eventCounts, oneQueue, openQueue, PersistentRedis, runAll, sleep, test,
    until } from './rig.mjs';

const JOBS = 2000;
const KILLS = 10;

test('2000 jobs survive ten kills', async (cleanup) => {
    const redis = await PersistentRedis.create();
    cleanup(() => redis.stop());
    const queue = await openQueue(redis);
    cleanup(() => queue.close());
    await addJobs(queue, JOBS);

    // Slow enough for ten lives, and a job may stall as often as there are kills.
    const config = oneQueue(redis, { concurrency: 20, handler: { noop: { delayMs: 100 } },
        lockDuration: 1000, stalledInterval: 500, maxStalledCount: KILLS + 1 });
    let busyKills = 0;
    for (let i = 0; i < KILLS; i++) {
        const daemon = Daemon.start(config);
        const before = await queue.getCompletedCount();
        await until(async () => (await queue.getCompletedCount()) > before, 'a job after a kill');
        await sleep(50 + 20 * i);
        if ((await queue.getActiveCount()) > 0 && (await queue.getCompletedCount()) < JOBS)
            busyKills++;
        daemon.signal('SIGKILL');
        assert.equal(await daemon.ended(5000), 'SIGKILL');
    }
    assert.equal(busyKills, KILLS, 'each kill met jobs in flight');

    const last = Daemon.start(config);
    await until(async () => (await queue.getCompletedCount()) === JOBS, 'every job', 60000);
    last.signal('SIGTERM');
    assert.equal(await last.ended(30000), 0);

    const counts = await queue.getJobCounts();
    assert.deepEqual(counts, { active: 0, completed: JOBS, delayed: 0, failed: 0, prioritized: 0,
        waiting: 0, 'waiting-children': 0 });
    const completed = await eventCounts(redis, 'completed');
    assert.equal(completed.size, JOBS);
    assert.deepEqual([...completed.values()].filter((n) => n !== 1), []);
    assert.ok((await eventCounts(redis, 'stalled')).size > 0, 'the kills left stalled jobs');
});

await runAll();
